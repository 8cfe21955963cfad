"""Which triangle each pixel sees, and what lies there: pytorch3d's conventions in plain torch.

NDC has +x to the left, +y up and +z into the scene; the shorter side of a picture spans -1..1. A pixel whose centre
lies exactly on an edge is not covered. Equal depths go to the triangle that comes first.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from faceforge.errors import BadMesh
from faceforge.face3d.clip import clipped
from faceforge.face3d.inputs import check_index, check_rows, check_tensor
from faceforge.face3d.stamps import Canvas, nearest
from faceforge.face3d.triangles import EPSILON, FARTHEST, Triangles, depth, doubled_area, edges, in_space, select

LARGEST = 16384  # pixels of a side


@dataclass(frozen=True)
class Fragments:
    """What B pictures show at each pixel; -1 everywhere where they show nothing."""

    pix_to_face: Tensor  # (B, H, W) int64: b * F + face
    zbuf: Tensor  # (B, H, W) depth, as given
    bary: Tensor  # (B, H, W, 3) weights of the face's corners

    @property
    def covered(self) -> Tensor:
        """Where there is a face, (B, H, W) bool."""
        return self.pix_to_face >= 0


class Rasterizer(Protocol):
    """Anything that finds the fragments of meshes sharing their faces."""

    def __call__(
        self,
        vertices: Tensor,
        faces: Tensor,
        size: tuple[int, int],
        *,
        cull_backfaces: bool = False,
        perspective_correct: bool = False,
        z_clip: float | None = None,
    ) -> Fragments:
        """Fragments of vertices (B, V, 3) in NDC and faces (F, 3), on pictures of (height, width)."""
        ...


def rasterize(
    vertices: Tensor,
    faces: Tensor,
    size: tuple[int, int],
    *,
    cull_backfaces: bool = False,
    perspective_correct: bool = False,
    z_clip: float | None = None,
) -> Fragments:
    """Fragments of vertices (B, V, 3) in NDC and faces (F, 3), on pictures of (height, width).

    Differentiable in the vertices through depth and weights, not through what covers what. With `perspective_correct`
    the weights are those in space. Triangles are cut at the depth `z_clip`; without it those that reach behind the
    viewer are left out whole.
    """
    check_mesh(vertices, faces)
    check_size(size)
    if z_clip is not None and not (type(z_clip) in (int, float) and EPSILON <= z_clip < FARTHEST):
        raise BadMesh(
            f"Triangles cannot be cut at the depth {z_clip!r}; expected a small positive number, such as 0.01."
        )
    triangles = Triangles.of(vertices, faces)
    clip = None if z_clip is None else clipped(triangles, z_clip, perspective_correct=perspective_correct)
    seen = triangles if clip is None else clip.triangles
    canvas = Canvas.like(vertices, size, cull_backfaces=cull_backfaces, perspective_correct=perspective_correct)
    with torch.no_grad():
        winner = nearest(seen, len(vertices), canvas)
        pixels = (winner >= 0).nonzero().squeeze(1)
        face = winner.index_select(0, pixels)
    corners = select(seen.corners[:, :3], face)
    weights = _weights(corners, pixels, canvas)
    zbuf = depth(weights, corners[2])
    if clip is not None:
        face, weights = clip.undo(face, weights)
        winner = winner.index_copy(0, pixels, face)
    shape = (len(vertices), *size)
    return Fragments(
        winner.view(shape),
        vertices.new_full((len(winner),), -1.0).index_copy_(0, pixels, zbuf).view(shape),
        vertices.new_full((len(winner), 3), -1.0).index_copy_(0, pixels, weights.t()).view(*shape, 3),
    )


def interpolate(fragments: Fragments, face_attributes: Tensor) -> Tensor:
    """Attributes of faces' corners (B * F, 3, D) at each pixel, (B, H, W, D); 0 where nothing is seen."""
    check_tensor("Attributes of faces' corners", face_attributes, ("B * F", 3, "D"))
    pixels, face, weights = _seen(fragments)
    check_index("Attributes of faces' corners", face, len(face_attributes))
    return _spread(fragments, pixels, weights, face_attributes.index_select(0, face).unbind(1))


def interpolate_vertices(fragments: Fragments, attributes: Tensor, faces: Tensor) -> Tensor:
    """Attributes of vertices (B or 1, V, D) at each pixel, (B, H, W, D); 0 where nothing is seen."""
    check_tensor("Attributes of vertices", attributes, ("B", "V", "D"))
    check_rows("Attributes of vertices", attributes, len(fragments.pix_to_face))
    check_index("Faces of attributes", faces, attributes.shape[1])
    pixels, packed, weights = _seen(fragments)
    check_index("Faces of attributes", packed, len(fragments.pix_to_face) * len(faces))
    picture = packed // max(len(faces), 1)
    corners = faces.long().index_select(0, packed - picture * len(faces))
    if len(attributes) > 1:
        corners = corners + (picture * attributes.shape[1])[:, None]
    flat = attributes.reshape(-1, attributes.shape[-1])
    return _spread(fragments, pixels, weights, [flat.index_select(0, each) for each in corners.unbind(1)])


def check_mesh(vertices: Tensor, faces: Tensor) -> None:
    """Refuse what cannot be drawn, naming the first culprit."""
    if vertices.ndim != 3 or vertices.shape[-1] != 3 or faces.ndim != 2 or faces.shape[-1] != 3:
        shapes = f"{tuple(vertices.shape)} and {tuple(faces.shape)}"
        raise BadMesh(f"Vertices and faces have shapes {shapes}; expected (B, V, 3) and (F, 3).")
    if vertices.dtype not in (torch.float32, torch.float64):
        raise BadMesh(f"Vertices are {vertices.dtype}; pixels need float32. Call vertices.float() first.")
    if faces.is_floating_point() or faces.dtype == torch.bool:
        raise BadMesh(f"Faces are {faces.dtype}; expected whole numbers, rows of vertices. Call faces.long() first.")
    if faces.device != vertices.device:
        raise BadMesh(f"Vertices are on {vertices.device} and faces on {faces.device}. Call faces.to(vertices.device).")
    if not vertices.isfinite().all():
        mesh, vertex, _ = (~vertices.isfinite()).nonzero()[0].tolist()
        raise BadMesh(f"Vertex {vertex} of mesh {mesh} is {vertices[mesh, vertex].tolist()}; expected finite numbers.")
    count = vertices.shape[1]
    if faces.numel() and not 0 <= int(faces.min()) <= int(faces.max()) < count:
        face = int(((faces < 0) | (faces >= count)).any(1).nonzero()[0])
        raise BadMesh(f"Face {face} joins the vertices {faces[face].tolist()}, but there are {count}, counted from 0.")


def check_size(size: tuple[int, int]) -> None:
    """Refuse what is no (height, width) of a picture that memory could hold."""
    whole = isinstance(size, tuple | list) and len(size) == 2 and all(type(side) is int for side in size)
    if not whole or not 0 < min(size) <= max(size) <= LARGEST:
        raise BadMesh(f"A picture of size {size!r}; expected (height, width), from 1 to {LARGEST} pixels each.")


def _weights(corners: Tensor, pixels: Tensor, canvas: Canvas) -> Tensor:
    """Weights of the corners (3, 3, n) seen at pixels (n,) of any picture, (3, n)."""
    width, height = len(canvas.x), len(canvas.y)
    line = torch.div(pixels, width, rounding_mode="floor")
    x, y = canvas.x.index_select(0, pixels - line * width), canvas.y.index_select(0, line % height)
    opposite = []
    for start, end in ((1, 2), (2, 0), (0, 1)):
        along, across = edges(corners[:2, start], corners[:2, end], x, y)
        opposite.append(along - across)
    weights = torch.stack(opposite) / doubled_area(corners)
    return in_space(weights, corners[2]) if canvas.perspective_correct else weights


def _seen(fragments: Fragments) -> tuple[Tensor, Tensor, Tensor]:
    """The covered pixels (n,), their packed faces (n,) and their weights (n, 3)."""
    packed = fragments.pix_to_face.reshape(-1)
    pixels = (packed >= 0).nonzero().squeeze(1)
    return pixels, packed.index_select(0, pixels), fragments.bary.reshape(-1, 3).index_select(0, pixels)


def _spread(
    fragments: Fragments, pixels: Tensor, weights: Tensor, corners: "list[Tensor] | tuple[Tensor, ...]"
) -> Tensor:
    """Weighted sums of corners' attributes (n, D), put where the pixels are."""
    values = sum(weights[:, each, None] * corner for each, corner in enumerate(corners))
    assert isinstance(values, Tensor)
    shape = fragments.pix_to_face.shape
    empty = values.new_zeros(shape.numel(), values.shape[-1])
    return empty.index_copy_(0, pixels, values).view(*shape, values.shape[-1])

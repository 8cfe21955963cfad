"""From the space of heads to the rasteriser's NDC: the releases' scaled orthographic camera, and a perspective one.

Every camera has `project(vertices, size)`: vertices (B, V, 3) of heads (x to the subject's left, which is the right of
the picture, y up, z out of the face) become NDC (B, V, 3) of pictures of (height, width), with depths that rise away
from the viewer. Between the two, DECA's code knows image coordinates: x right and y down, -1..1 over each side.
"""

from dataclasses import dataclass
from math import tan, tau
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from faceforge.errors import BadMesh
from faceforge.face3d.inputs import check_number, check_rows, check_tensor
from faceforge.face3d.raster import check_size

CROP = 224  # pixels of a side of DECA's and SMIRK's input
BEHIND = 10.0  # added to image depths before drawing, so that all are in front of the viewer; it changes no pixel
CLEAR = 1.0  # a mesh that would reach nearer than this gets more
NEAREST = 1e-4  # depths nearer to 0 are divided by this, so that points beside the viewer stay finite


class Camera(Protocol):
    """Anything that takes heads to NDC."""

    def project(self, vertices: Tensor, size: tuple[int, int]) -> Tensor:
        """Vertices (B, V, 3) in NDC of pictures of (height, width)."""
        ...


@dataclass(frozen=True)
class ScaledOrthographic:
    """DECA's camera: scale and shift (B, 3), in the frame of a crop or, with `crop` given, of the picture it came from.

    `crop` (B, 3, 3) takes pixels of the picture to pixels of the 224 px crop.
    """

    scale_shift: Tensor
    crop: Tensor | None = None

    def __post_init__(self) -> None:
        check_tensor("A camera's scale and shift", self.scale_shift, ("B", 3))
        if self.crop is not None:
            check_tensor("A camera's crop", self.crop, ("B", 3, 3))

    @classmethod
    def framing(cls, vertices: Tensor, *, fill: float = 0.8) -> "ScaledOrthographic":
        """The camera that centres heads (B, V, 3) and lets each fill a share of a square picture's side."""
        check_number("fill", fill, above=0)
        check_tensor("Vertices to frame", vertices, ("B", "V", 3))
        if not vertices.shape[1] or not bool((vertices[..., :2].amax(1) > vertices[..., :2].amin(1)).any(1).all()):
            raise BadMesh(f"Vertices of shape {tuple(vertices.shape)} in one place; expected heads with some extent.")
        low, high = vertices[..., :2].amin(1), vertices[..., :2].amax(1)
        scale = 2 * fill / (high - low).amax(1, keepdim=True)
        return cls(torch.cat([scale, -(low + high) / 2], 1))

    def image(self, vertices: Tensor, size: tuple[int, int]) -> Tensor:
        """Image coordinates (B, V, 3): x right, y down, -1..1 over each side; depth away from the viewer."""
        check_rows("A camera's scale and shift", self.scale_shift, len(vertices))
        scale, shift = self.scale_shift[:, None, :1], self.scale_shift[:, None, 1:]
        xy, z = scale * (vertices[..., :2] + shift), scale * vertices[..., 2:]
        found = torch.cat([xy[..., :1], -xy[..., 1:], -z], -1)
        return found if self.crop is None else self._uncropped(found, size)

    def project(self, vertices: Tensor, size: tuple[int, int]) -> Tensor:
        """Vertices (B, V, 3) in NDC."""
        return ndc(self.image(vertices, size), size)

    def _uncropped(self, points: Tensor, size: tuple[int, int]) -> Tensor:
        # edges map to 0 and 224 although the crop was cut with centres at 0 and 223: half a pixel off, as published
        pixels = (points[..., :2] + 1) / 2 * CROP
        assert self.crop is not None
        check_rows("A camera's crop", self.crop, len(points))
        inverse, failed = torch.linalg.inv_ex(self.crop)
        if bool(failed.any()):
            raise BadMesh(f"Crop {int(failed.nonzero()[0])} maps all of the picture to a line; expected a similarity.")
        back = inverse.mT
        there = torch.cat([pixels, torch.ones_like(pixels[..., :1])], -1) @ back
        sides = points.new_tensor([size[1], size[0]])
        return torch.cat([there[..., :2] / sides * 2 - 1, points[..., 2:]], -1)


@dataclass(frozen=True)
class Perspective:
    """A camera with a field of view: x_view = x R + T for rows x, in axes with x left, y up and z into the scene."""

    rotation: Tensor  # (B, 3, 3)
    translation: Tensor  # (B, 3)
    fov_deg: float = 20.0  # over the shorter side

    def __post_init__(self) -> None:
        check_number("fov_deg", self.fov_deg, above=0, below=180)
        check_tensor("A camera's rotation", self.rotation, ("B", 3, 3))
        check_tensor("A camera's translation", self.translation, ("B", 3))

    @classmethod
    def at(cls, eye: Tensor, target: Tensor, *, fov_deg: float = 20.0) -> "Perspective":
        """A camera at points (B, 3) that looks at others and keeps y up."""
        for what, place in (("A camera's place", eye), ("A camera's target", target)):
            check_tensor(what, place, ("B", 3))
        forward = F.normalize(target - eye, dim=1)
        if not bool(forward.any(1).all()):
            raise BadMesh("A camera stands in its target; expected two places. Move it away.")
        up = torch.zeros_like(forward)
        up[:, 1] = 1
        left = F.normalize(torch.linalg.cross(up, forward), dim=1)
        if not bool((left.norm(dim=1) > 0.5).all()):
            raise BadMesh("A camera looks straight up or down; expected a view with a horizon. Move it off the axis.")
        rotation = torch.stack([left, torch.linalg.cross(forward, left), forward], 2)
        return cls(rotation, -(eye[:, None] @ rotation)[:, 0], fov_deg)

    def view(self, vertices: Tensor) -> Tensor:
        """Vertices (B, V, 3) in the camera's axes."""
        check_rows("A camera's rotation", self.rotation, len(vertices))
        check_rows("A camera's translation", self.translation, len(vertices))
        return vertices @ self.rotation + self.translation[:, None]

    def project(self, vertices: Tensor, size: tuple[int, int]) -> Tensor:
        """Vertices (B, V, 3) in NDC with view depths; behind the viewer these are negative."""
        seen = self.view(vertices)
        z = seen[..., 2:]
        divisor = torch.where(z < 0, z.clamp(max=-NEAREST), z.clamp(min=NEAREST))
        return torch.cat([seen[..., :2] / (divisor * tan(self.fov_deg * tau / 720)), z], -1)


def ndc(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Image coordinates (B, V, 3) as NDC by the rule of DECA's wrapper, which stretches the longer side of pictures."""
    check_size(size)
    height, width = size
    x, y, z = image.unbind(-1)
    tall, wide = (height / width, 1.0) if height > width else (1.0, width / height)
    if z.shape[1]:
        z = z + (CLEAR - z.detach().amin(1, keepdim=True)).clamp(min=BEHIND)
    return torch.stack([-x * wide, -y * tall, z], -1)

"""One batch of people posed and lit, and the picture that is being made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.grid import COLUMN, COLUMNS, HALF, ROW, ROWS
from faceforge.face3d.embedded.model import EmbeddedHead, rotation
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.face3d.head import HeadMesh, HeadParams
from faceforge.face3d.raster import Fragments, rasterize
from faceforge.synth.casting import Cast
from faceforge.synth.occlusion import openness, towards
from faceforge.synth.pixels import Pixels
from faceforge.synth.shading import Lamps
from faceforge.synth.shadows import shaded
from faceforge.synth.shots import FRONT, Camera, Light, seen_by

_BEFORE = 25.0  # centimetres before the middle of the head, where nothing of it reaches
_FINE = 256  # subdivisions of a pixel that positions are snapped to


@dataclass(frozen=True)
class Shots:
    """B pictures to take: who, in which pose, with which wrinkles folded, by which camera, under which light."""

    who: Sequence[int]
    poses: HeadParams
    folds: Tensor  # (B, K) in 0..1
    cameras: Sequence[Camera]
    lights: Sequence[Light]


@dataclass(frozen=True)
class Stage:
    """One batch, posed and lit."""

    crew: Cast
    index: Tensor  # (B,) into the cast
    shots: Shots
    pixels: int  # of one side
    head: EmbeddedHead
    mesh: HeadMesh
    vertices: Tensor  # (B, V, 3) centimetres
    cap: Tensor  # (B, N, 3) where the hair's body is carried
    sheet: Tensor  # (B, 5, h, w), wrinkles folded
    reach: Tensor  # (B, V, L + 1) how much of each lamp and of the sky arrives
    lamps: Lamps

    def fragments(self, points: Tensor, faces: Tensor) -> Fragments:
        """What the cameras see of points (B, N, 3) in centimetres."""
        view = seen_by(self.shots.cameras, points.double())
        steps = self.pixels * _FINE / 2
        # A quarter of a step aside, no edge passes exactly through a pixel's centre.
        flat = (torch.round(view[..., :2] * steps) + 0.25) / steps
        # Weights of tiny triangles do not quite sum to one, which at the camera's distance is a millimetre of depth.
        near = view.new_tensor([camera.distance + FRONT - _BEFORE for camera in self.shots.cameras])[:, None, None]
        snapped = torch.cat([flat, torch.round((view[..., 2:] - near) * 4096) / 4096], -1).float()
        found = rasterize(snapped, faces, (self.pixels, self.pixels))
        return replace(found, zbuf=torch.where(found.covered, found.zbuf + near.float(), found.zbuf))


@dataclass(frozen=True)
class Picture:
    """A picture being made, (B, H, W, ...)."""

    colour: Tensor
    opacity: Tensor
    depth: Tensor
    normals: Tensor
    parts: Tensor

    def nearer(self, pixels: Pixels, slack: float) -> Tensor:
        there = pixels.read(self.depth)
        return (there == 0) | (pixels.depth < there + slack)

    def layered(self, pixels: Pixels, colour: Tensor, opacity: Tensor) -> "Picture":
        """A translucent layer (N, 3) at an opacity (N,) over what is there."""
        flat = self.colour.flatten(0, 2).index_select(0, pixels.flat)
        under = pixels.read(self.opacity)
        cover = opacity + (1 - opacity) * under
        blended = (colour * opacity[:, None] + flat * (under * (1 - opacity))[:, None]) / cover.clamp(min=1e-6)[:, None]
        return replace(self, colour=pixels.write(blended, self.colour), opacity=pixels.write(cover, self.opacity))

    def solid(self, pixels: Pixels, normals: Tensor, part: int) -> "Picture":
        """Something of a part to measure and to name there, with normals (N, 3)."""
        return replace(
            self,
            depth=pixels.write(pixels.depth, self.depth),
            normals=pixels.write(normals, self.normals),
            parts=pixels.write(torch.full_like(pixels.flat, part), self.parts),
        )


def staged(crew: Cast, shots: Shots, pixels: int) -> Stage:
    """The people of the shots in their poses and their light."""
    device = crew.sheet.device
    index = torch.tensor(shots.who, device=device)
    head = EmbeddedHead(device)
    mesh = head.pose(crew.bones.chosen(index), shots.poses)
    vertices = (mesh.vertices * 100).float()
    cap = head.carried(crew.cap.points[index], shots.poses)
    lamps = Lamps(
        torch.tensor([light.directions for light in shots.lights], device=device),
        torch.tensor([light.colours for light in shots.lights], device=device),
        torch.tensor([light.sky for light in shots.lights], device=device),
    )
    return Stage(
        crew=crew,
        index=index,
        shots=shots,
        pixels=pixels,
        head=head,
        mesh=mesh,
        vertices=vertices,
        cap=cap,
        sheet=_folded(crew, index, shots.folds),
        reach=_reach(vertices, cap.float(), lamps, shots.poses),
        lamps=lamps,
    )


def _folded(crew: Cast, index: Tensor, folds: Tensor) -> Tensor:
    """Each person's sheet with the wrinkles of an expression, darker and deeper."""
    sheet = crew.sheet[index]
    used = (folds != 0).any(0).nonzero().squeeze(1)
    if len(used):
        depth = torch.einsum("bk,khw->bhw", folds[:, used].to(sheet), crew.folds[used])
        width = depth.shape[-1]
        sheet[:, :3, :, :width] *= (1 - 0.26 * depth.clamp(max=1.2))[:, None]
        sheet[:, 3, :, :width] -= 0.085 * depth
    return sheet


def _reach(vertices: Tensor, cap: Tensor, lamps: Lamps, poses: HeadParams) -> Tensor:
    """How much of each lamp and of the sky reaches every vertex, (B, V, L + 1)."""
    turn = torch.eye(3, dtype=torch.float64, device=vertices.device).expand(len(vertices), 3, 3)
    for each in (poses.neck, poses.rotation):
        if each is not None:
            turn = rotation(each.double()) @ turn
    shadow = towards(lamps.directions @ turn.float())  # in the head's own frame
    key = shaded(vertices, cap, lamps.directions[:, 0]) * (0.35 + 0.65 * shadow[:, 0])
    reach = torch.cat([key[:, None], shadow[:, 1:], openness(vertices.device).expand(len(vertices), 1, -1)], 1)
    own = slice(first_vertices()["rim_up_right"], first_vertices()["ear_right"])  # shaded by a rule of their own
    reach[..., own] = 1
    return (reach * _inner_shade(vertices)[:, None]).transpose(1, 2)


def _inner_shade(vertices: Tensor) -> Tensor:
    """Eyes darken under the upper lid, the mouth with its depth, (B, V)."""
    shade, starts = torch.ones(vertices.shape[:2], device=vertices.device), first_vertices()
    grid = vertices[:, : ROWS * COLUMNS].reshape(-1, ROWS, COLUMNS, 3)
    for side, sign in (("right", -1), ("left", 1)):
        ball = slice(starts[f"eye_{side}"], starts[f"eye_{side}"] + 13 * 32)
        lid = grid[:, ROW["lid_up"], HALF + sign * (COLUMN["inner"] + COLUMN["outer"]) // 2]
        edge = lid[:, None, 1] - 0.10 * (vertices[:, ball, 0] - lid[:, None, 0]).square()
        shade[:, ball] = 0.38 + 0.62 * smoothstep(-0.02, 0.42, edge - vertices[:, ball, 1])
    mouth = slice(starts["lining_up"], starts["eye_right"])
    above, below = grid[:, ROW["seam_up"], HALF], grid[:, ROW["seam_low"], HALF]
    deep = (0.5 * (above + below)[:, None] - vertices[:, mouth]).norm(dim=-1)
    wide = smoothstep(0.1, 2.0, (above - below).norm(dim=-1))[:, None]
    shade[:, mouth] = smoothstep(6.0, 0.3, deep) * (0.35 + 0.65 * wide)
    return shade

"""People, poses, lights and cameras become linear light, coverage and exact maps; batched, on any device.

Geometry is computed in double precision and snapped to a fine grid before it is rasterised: every machine then sees the
same triangles, and what remains of rounding is far below a grey level.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize

from faceforge.face3d.head import HeadMesh
from faceforge.face3d.mesh import even_normals
from faceforge.synth import shading, worn
from faceforge.synth.casting import Cast
from faceforge.synth.pixels import Pixels, covered, textured
from faceforge.synth.stage import Picture, Shots, Stage, staged

SUPERSAMPLING = 2
PART_NAMES = ("background", "skin", "eye", "mouth", "ear", "clothes", "hair", "occluder")
_PART_OF = {"skin": 1, "rim": 2, "eye": 2, "lining": 3, "teeth": 3, "tongue": 3, "ear": 4, "shoulders": 5}
_OVER = (worn.lashed, worn.collared, worn.capped, worn.locked, worn.spectacled)


@dataclass(frozen=True)
class Rendering:
    """B pictures (B, ..., H, W) in linear light and what they show."""

    light: Tensor  # (B, 3, H, W), weighted by coverage
    coverage: Tensor  # (B, 1, H, W)
    depth: Tensor  # (B, H, W) centimetres from the camera, 0 where nothing is
    normals: Tensor  # (B, 3, H, W) x right, y up, z to the camera; unit vectors, 0 where nothing is
    parts: Tensor  # (B, H, W) int64, index into PART_NAMES
    mesh: HeadMesh


def render(crew: Cast, shots: Shots, size: int) -> Rendering:
    """One square picture per shot."""
    stage = staged(crew, shots, size * SUPERSAMPLING)
    picture = _solid(stage)
    for layer in _OVER:
        picture = layer(stage, picture)
    opacity = picture.opacity[:, None]
    depth, normals, parts = (
        each[:, ::SUPERSAMPLING, ::SUPERSAMPLING] for each in (picture.depth, picture.normals, picture.parts)
    )
    return Rendering(
        light=avg_pool2d(picture.colour.permute(0, 3, 1, 2) * opacity, SUPERSAMPLING),
        coverage=avg_pool2d(opacity, SUPERSAMPLING),
        depth=depth,
        normals=normals.permute(0, 3, 1, 2),
        parts=parts,
        mesh=stage.mesh,
    )


def _solid(stage: Stage) -> Picture:
    """Skin, eyes, mouth, ears and clothes."""
    head = stage.head
    fragments = stage.fragments(stage.vertices, head.faces)
    pixels = covered(fragments, head.faces, stage.vertices.shape[1])
    uv = head.uv.float()[None].expand(len(stage.vertices), -1, -1)
    normals = even_normals(stage.vertices, head.faces)
    here = pixels.mixed(torch.cat([normals, uv, stage.reach], -1))
    smooth = normalize(here[:, :3], dim=-1)
    texel = textured(stage.sheet, pixels.picture, torch.stack([here[:, 3], 1 - here[:, 4]], 1))
    fine = _tilted(stage, pixels, smooth, texel[:, 3])
    colour = shading.skin(stage.lamps, pixels, texel[:, :3], fine, smooth, here[:, 5:], texel[:, 4])
    shape = pixels.shape
    blank = torch.zeros(*shape, device=colour.device)
    table = torch.zeros(len(head.faces), dtype=torch.int64, device=colour.device)
    for name, faces in head.parts.items():
        table[faces] = _PART_OF[name.split("_")[0]]
    face = fragments.pix_to_face.reshape(-1).index_select(0, pixels.flat) % len(head.faces)
    wide = torch.zeros(*shape, 3, device=colour.device)
    return Picture(
        colour=pixels.write(colour, wide),
        opacity=pixels.write(torch.ones_like(pixels.depth), blank),
        depth=pixels.write(pixels.depth, blank),
        normals=pixels.write(fine, wide),
        parts=pixels.write(table[face], torch.zeros(*shape, dtype=torch.int64, device=colour.device)),
    )


def _tilted(stage: Stage, pixels: Pixels, normals: Tensor, relief: Tensor) -> Tensor:
    """Normals tilted by the slope of the relief, read between neighbouring pixels."""
    batch, height, width = pixels.shape
    field = pixels.write(relief, torch.zeros(batch, height, width, device=relief.device))
    there = pixels.write(torch.ones_like(relief), torch.zeros_like(field))
    half = torch.tensor([camera.half_extent for camera in stage.shots.cameras], device=relief.device)
    scale = (width / 2 / half / 2)[:, None, None]
    across, down = torch.zeros_like(field), torch.zeros_like(field)
    across[:, :, 1:-1] = (field[:, :, 2:] - field[:, :, :-2]) * (there[:, :, 2:] * there[:, :, :-2])
    down[:, 1:-1] = (field[:, 2:] - field[:, :-2]) * (there[:, 2:] * there[:, :-2])
    x, y = pixels.read(across * scale), pixels.read(-down * scale)
    return normalize(normals - torch.stack([x, y, torch.zeros_like(x)], 1).clamp(-0.8, 0.8), dim=-1)

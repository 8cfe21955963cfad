"""Paints scenes: first on a canvas of one size, larger than what the camera sees, then tilted into the picture."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from faceforge.errors import BadSpec
from faceforge.synth.layers import layered, numbers, smooth_step
from faceforge.synth.lens import blurred, where
from faceforge.synth.noise import grid_noise, hashed, unit
from faceforge.synth.scene import Box, Disc, Mass, Scene

_CANVAS = 160  # rows of the canvas; backgrounds are never sharper than that
_MARGIN = 1.25  # picture heights that the canvas covers, so that tilted scenes have corners


def paint(scenes: Sequence[Scene], size: int | tuple[int, int], device: torch.device | None = None) -> Tensor:
    """The scenes in linear light, (B, 3, H, W) float32, never negative."""
    height, width = (size, size) if isinstance(size, int) else size
    if not scenes or height < 1 or width < 1:
        raise BadSpec(
            f"Painting {len(scenes)} scenes at {height} x {width} is not possible. Give at least one of each."
        )
    x, y = _canvas(width / height, device)
    picture = _washed(scenes, x, y)
    picture = layered(picture, [scene.far for scene in scenes], lambda part, masses: _massed(part, masses, y))
    picture = _patterned(picture, scenes, x, y)
    picture = layered(picture, [scene.boxes for scene in scenes], lambda part, boxes: _boxed(part, boxes, x, y))
    picture = layered(picture, [scene.near for scene in scenes], lambda part, masses: _massed(part, masses, y))
    picture = blurred(picture, [scene.blur * _CANVAS / _MARGIN for scene in scenes])
    picture = layered(picture, [scene.lights for scene in scenes], lambda part, discs: _lit(part, discs, x, y))
    return _framed(_mottled(picture, scenes), scenes, height, width)


def _canvas(aspect: float, device: torch.device | None) -> tuple[Tensor, Tensor]:
    """Places of the canvas's columns (w,) and rows (h,)."""
    columns = max(1, round(_CANVAS * aspect))
    pixel = _MARGIN / _CANVAS
    x, y = ((torch.arange(count, device=device) + 0.5 - 0.5 * count) * pixel for count in (columns, _CANVAS))
    return x, y


def _size(picture: Tensor) -> tuple[int, int]:
    return picture.shape[-2], picture.shape[-1]


def _washed(scenes: Sequence[Scene], x: Tensor, y: Tensor) -> Tensor:
    corners = torch.tensor([scene.wash for scene in scenes], device=x.device)[..., None, None]
    right, down = (x + 0.5).clamp(0, 1), (y + 0.5).clamp(0, 1)[:, None]
    top = corners[:, 0] + (corners[:, 1] - corners[:, 0]) * right
    bottom = corners[:, 2] + (corners[:, 3] - corners[:, 2]) * right
    return top + (bottom - top) * down


def _massed(part: Tensor, masses: list[Mass], y: Tensor) -> None:
    seeds = torch.tensor([mass.seed for mass in masses], device=part.device)
    cells = [mass.cells * _MARGIN for mass in masses]
    shape = grid_noise(seeds, _size(part), cells, 3)
    shade = grid_noise(seeds + 1, _size(part), [1.7 * count for count in cells], 2)
    fields = numbers([(*mass[4:], *mass.dark, *mass.light) for mass in masses], part)
    cover, softness, top, bottom, feather = fields[:5]
    # The band's edges eat into the noise instead of fading it, as a tree line does.
    rows = y[:, None]
    inside = smooth_step(rows, top, feather) * smooth_step(-rows, -bottom, feather)
    alpha = smooth_step(shape * 0.6 + 0.4 * inside + (inside - 1), 1 - cover * 0.8, softness)
    dark, light = torch.stack(fields[5:8], dim=1), torch.stack(fields[8:], dim=1)
    part.lerp_(dark + (light - dark) * smooth_step(shade, 0.5, 0.35)[:, None], alpha[:, None])


def _patterned(picture: Tensor, scenes: Sequence[Scene], x: Tensor, y: Tensor) -> Tensor:
    def effect(some: Tensor, chosen: list[int]) -> Tensor:
        patterns = [pattern for number in chosen if (pattern := scenes[number].pattern)]
        fields = numbers([(*p[1:5], p.spread, *p.rgb, *p.joint_rgb) for p in patterns], some)
        width, height, shift, joint, spread = fields[:5]
        row = y[:, None] / height + 0.5
        row_number = row.floor()
        along = x / width + shift * (row_number / 2 - (row_number / 2).floor()) * 2
        seeds = torch.tensor([pattern.seed for pattern in patterns], device=some.device)[:, None, None]
        tile = unit(hashed(seeds, along.floor().to(torch.int32), row_number.to(torch.int32)))
        # Tiles jump in brightness only under their joints, so that no pixel hangs on a comparison.
        border = torch.minimum(_to_border(along) * width, _to_border(row) * height)
        face = smooth_step(border, joint, 0.5 * joint)[:, None]
        rgb, joint_rgb = torch.stack(fields[5:8], dim=1), torch.stack(fields[8:], dim=1)
        return joint_rgb + (rgb * (1 + spread * (2 * tile - 1))[:, None] - joint_rgb) * face

    return where([0 if scene.pattern is None else 1 for scene in scenes], picture, effect)


def _to_border(tiles: Tensor) -> Tensor:
    """How far from the nearest whole number."""
    return 0.5 - (tiles - tiles.floor() - 0.5).abs()


def _boxed(part: Tensor, boxes: list[Box], x: Tensor, y: Tensor) -> None:
    fields = numbers([(*box[:4], box.opacity, box.edge, *box.rgb) for box in boxes], part)
    middle_x, middle_y, half_width, half_height, opacity, edge = fields[:6]
    across = smooth_step(half_width - (x - middle_x).abs(), 0.0, edge)
    down = smooth_step(half_height - (y[:, None] - middle_y).abs(), 0.0, edge) * opacity
    part.lerp_(torch.stack(fields[6:], dim=1), (across * down)[:, None])


def _lit(part: Tensor, discs: list[Disc], x: Tensor, y: Tensor) -> None:
    fields = numbers([(*disc[:3], disc.edge, disc.rim, *disc.rgb) for disc in discs], part)
    middle_x, middle_y, radius, edge, rim = fields[:5]
    distance = ((x - middle_x).square() + (y[:, None] - middle_y).square()).sqrt()
    glow = smooth_step(radius - distance, 0.0, edge)
    glow = glow * (1 + rim * smooth_step(distance, 0.8 * radius, 0.2 * radius))
    part.addcmul_(torch.stack(fields[5:], dim=1), glow[:, None])


def _mottled(picture: Tensor, scenes: Sequence[Scene]) -> Tensor:
    def effect(some: Tensor, chosen: list[int]) -> Tensor:
        seeds = torch.tensor([scenes[number].mottle_seed for number in chosen], device=some.device)
        cells = [scenes[number].mottle_cells * _MARGIN for number in chosen]
        (strength,) = numbers([[scenes[number].mottle] for number in chosen], some)
        return some * (1 + strength * (2 * grid_noise(seeds, _size(some), cells, 3) - 1))[:, None]

    return where([scene.mottle for scene in scenes], picture, effect)


def _framed(picture: Tensor, scenes: Sequence[Scene], height: int, width: int) -> Tensor:
    """What the camera sees of the canvas, tilted and turned."""
    rows = [(scene.roll_deg * math.pi / 180, scene.keystone) for scene in scenes]
    turns = [(math.cos(angle), math.sin(angle), keystone) for angle, keystone in rows]
    cos, sin, keystone = numbers(turns, picture)
    x = (torch.arange(width, device=picture.device) + 0.5 - 0.5 * width) / height
    y = ((torch.arange(height, device=picture.device) + 0.5) / height - 0.5)[:, None]
    depth = 1 + keystone * x
    across, down = (x * cos - y * sin) / depth, (x * sin + y * cos) / depth
    half_width = 0.5 * _MARGIN * picture.shape[-1] / _CANVAS
    grid = torch.stack([across / half_width, down / (0.5 * _MARGIN)], dim=-1)
    return F.grid_sample(picture, grid, padding_mode="border", align_corners=False).clamp(min=0.0)

"""Shadows that the key lamp casts: head and hair as the lamp sees them, and what lies behind what it sees."""

from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from faceforge.face3d.embedded.grid import COLUMNS, HALF, ROWS, strip
from faceforge.face3d.raster import rasterize
from faceforge.synth import combing

_PIXELS = 112
_REACH = 19.0  # centimetres that the lamp sees around the head
_SLACK, _SOFT = 0.30, 0.55  # centimetres behind the first surface at which shadow begins, and until it is full


def shaded(points: Tensor, cap: Tensor, lamp: Tensor) -> Tensor:
    """How much of a lamp in a direction (B, 3) reaches heads' vertices (B, V, 3) under their hair (B, N, 3), (B, V)."""
    frame = _frame(lamp)
    blockers = torch.cat([points[:, : ROWS * COLUMNS], cap], 1)
    fragments = rasterize(_seen(blockers, frame), _blocking().to(points.device), (_PIXELS, _PIXELS))
    first = torch.where(fragments.covered, fragments.zbuf, 1e3).flatten(1)
    here = _seen(points, frame)
    x, y = ((1 - here[..., axis]) * _PIXELS / 2 - 0.5 for axis in (0, 1))
    column, row = x.floor(), y.floor()
    right, down = x - column, y - row
    # Tents two texels wide, so that shadows fade over about their size.
    across = (0.5 * (1 - right), torch.full_like(right, 0.5), 0.5 * right)
    below = (0.5 * (1 - down), torch.full_like(down, 0.5), 0.5 * down)
    total = torch.zeros_like(x)
    limit = here[..., 2] - _SLACK - _SOFT
    for step_y, weight_y in zip((0, 1, 2), below, strict=True):
        line = (row + step_y).clamp(0, _PIXELS - 1).long() * _PIXELS
        for step_x, weight_x in zip((0, 1, 2), across, strict=True):
            place = line + (column + step_x).clamp(0, _PIXELS - 1).long()
            lit = ((first.gather(1, place) - limit) / _SOFT).clamp(0, 1)
            total = total + lit * weight_x * weight_y
    return total


def _frame(lamp: Tensor) -> Tensor:
    """Axes (B, 3, 3) of what a lamp sees: left, up, away from it."""
    towards = normalize(lamp, dim=-1)
    up = lamp.new_tensor([0.0, 1.0, 0.05]).expand_as(lamp)
    across = normalize(torch.linalg.cross(up, towards), dim=-1)
    return torch.stack([-across, torch.linalg.cross(towards, across), -towards], 2)


def _seen(points: Tensor, frame: Tensor) -> Tensor:
    """Points (B, N, 3) as the lamp sees them, in NDC and centimetres of depth."""
    moved = points - points.new_tensor([0.0, 1.0, 0.0])
    flat = (moved[..., None] * frame[:, None]).sum(2)
    steps = _PIXELS * 128
    across = (torch.round(flat[..., :2] / _REACH * steps) + 0.25) / steps  # no edge meets a texel's centre
    return torch.cat([across, torch.round(flat[..., 2:] * 1024) / 1024 + 60.0], -1)


@cache
def _blocking() -> Tensor:
    """Every other line of the skin and of the cap behind it, as triangles (F, 3)."""
    grid = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)[::2, HALF % 2 :: 2]
    cap = np.arange(combing.RINGS * combing.AROUND).reshape(combing.RINGS, combing.AROUND) + ROWS * COLUMNS
    cap = np.concatenate([cap[:-1:2, ::2], cap[-1:, ::2]])
    faces = [strip(*rows) for sheet in (grid, cap) for rows in pairwise(sheet)]
    return torch.from_numpy(np.concatenate(faces).astype(np.int64))

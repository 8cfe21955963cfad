"""Values known at some points of a grid, continued to the others."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from faceforge.face3d.embedded.curves import smoothstep

_CELL = 12  # grid points to a side of the cells between which distances are measured


def continued(values: Tensor, weight: Tensor, by: int = 4) -> Tensor:
    """Values (C, h, w) where the weight (h, w) is 1, and a smooth continuation where it is 0.

    By is how much coarser the first continuation is; all further ones halve it again.
    """
    high, wide = weight.shape
    if min(high, wide) <= 2:
        mean = (values * weight).sum((1, 2), keepdim=True) / weight.sum().clamp(min=1e-6)
        return values * weight + mean * (1 - weight)
    coarse = cells(values, weight, by)
    smooth = interpolate(continued(*coarse, 2)[None], (high, wide), mode="bilinear", align_corners=False)[0]
    return smooth + (values - smooth) * weight


def cells(values: Tensor, weight: Tensor, by: int) -> tuple[Tensor, Tensor]:
    """Means of values (C, h, w) over square cells of so many points, and weights: 1 where half of a cell has values."""
    stacked = torch.cat([values * weight, weight[None]])[None]
    pooled = avg_pool2d(stacked, by, ceil_mode=True, count_include_pad=False)[0]
    share = pooled[-1]
    return pooled[:-1] / share.clamp(min=1e-6), (2 * share).clamp(max=1)


def nearness(inside: Tensor, near: float, far: float, cell: int = _CELL) -> Tensor:
    """1 inside a mask (h, w) and up to `near` grid points from it, falling to 0 at `far`; measured between cells."""
    high, wide = inside.shape
    rows, columns = max(1, high // cell), max(1, wide // cell)
    held = interpolate(inside[None, None].float(), (rows, columns), mode="area")[0, 0] > 0.5
    if not bool(held.any()):
        return inside.float()
    pitch = torch.tensor([high / rows, wide / columns])
    at = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"), -1).reshape(-1, 2)
    away = torch.cdist(at * pitch, at[held.reshape(-1)] * pitch).amin(1).reshape(rows, columns)
    distance = interpolate(away[None, None], (high, wide), mode="bilinear", align_corners=False)[0, 0]
    return torch.where(inside, torch.ones_like(distance), 1 - smoothstep(near, far, distance))

"""Values known at some points of a grid, continued to the others."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from faceforge.face3d.embedded.curves import smoothstep

_COARSE = 12  # grid points to a cell in which distances are measured


def continued(values: Tensor, weight: Tensor, by: int = 4) -> Tensor:
    """Values (C, h, w) where the weight (h, w) is 1, and a smooth continuation where it is 0.

    By is how much coarser the first continuation is; all further ones halve it again.
    """
    high, wide = weight.shape
    if min(high, wide) <= 2:
        mean = (values * weight).sum((1, 2), keepdim=True) / weight.sum().clamp(min=1e-6)
        return values * weight + mean * (1 - weight)
    stacked = torch.cat([values * weight, weight[None]])[None]
    pooled = avg_pool2d(stacked, by, ceil_mode=True, count_include_pad=False)[0]
    share = pooled[-1]
    coarse = continued(pooled[:-1] / share.clamp(min=1e-6), (2 * share).clamp(max=1), 2)
    smooth = interpolate(coarse[None], (high, wide), mode="bilinear", align_corners=False)[0]
    return values * weight + smooth * (1 - weight)


def nearness(inside: Tensor, near: float, far: float) -> Tensor:
    """1 inside a mask (h, w) and up to `near` grid points from it, falling to 0 at `far`."""
    high, wide = inside.shape
    rows, columns = max(1, high // _COARSE), max(1, wide // _COARSE)
    cells = interpolate(inside[None, None].float(), (rows, columns), mode="area")[0, 0] > 0.5
    if not bool(cells.any()):
        return inside.float()
    pitch = torch.tensor([high / rows, wide / columns])
    at = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"), -1).reshape(-1, 2)
    away = torch.cdist(at * pitch, at[cells.reshape(-1)] * pitch).amin(1).reshape(rows, columns)
    distance = interpolate(away[None, None], (high, wide), mode="bilinear", align_corners=False)[0, 0]
    return torch.where(inside, torch.ones_like(distance), 1 - smoothstep(near, far, distance))

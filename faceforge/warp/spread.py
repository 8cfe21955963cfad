"""Values known at some points of a grid, continued to the others."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from faceforge.face3d.embedded.curves import smoothstep

_CELL = 12  # grid points to a side of the cells between which distances are measured


def continued(values: Tensor, weight: Tensor, by: int = 4) -> Tensor:
    """Values (..., C, h, w) where the weight (..., h, w) is 1, and a smooth continuation where it is 0.

    By is how much coarser the first continuation is; all further ones halve it again. Four points tell of a cell.
    """
    high, wide = weight.shape[-2:]
    weight = weight.unsqueeze(-3)
    if min(high, wide) <= 2:
        mean = (values * weight).sum((-2, -1), keepdim=True) / weight.sum((-2, -1), keepdim=True).clamp(min=1e-6)
        return values * weight + mean * (1 - weight)
    some = (..., slice(None, None, by // 2), slice(None, None, by // 2))
    stacked = torch.cat([values[some] * weight[some], weight[some]], -3)
    smooth = enlarged(_filled(avg_pool2d(stacked, 2, ceil_mode=True, count_include_pad=False)), (high, wide))
    return smooth + (values - smooth) * weight


def enlarged(values: Tensor, grid: tuple[int, int]) -> Tensor:
    """Values (..., C, h, w) of a coarser grid on a finer one."""
    whole = values.flatten(0, -4) if values.ndim > 3 else values[None]
    found = interpolate(whole, grid, mode="bilinear", align_corners=False)
    return found.view(*values.shape[:-2], *grid)


def continued_from(values: Tensor, row: Tensor, column: Tensor, grid: tuple[int, int], by: int) -> Tensor:
    """Values (C, N) at a few points of a grid, continued over its cells of `by` points a side (C, h, w)."""
    high, wide = (-(-size // by) for size in grid)
    weighted = torch.cat([values, torch.ones_like(values[:1])]) / by**2
    sums = torch.zeros(len(weighted), high * wide).index_add_(1, row // by * wide + column // by, weighted)
    return _filled(sums.view(-1, high, wide))


def _filled(cells: Tensor) -> Tensor:
    """Values (..., C, h, w) from sums over cells (..., C + 1, h, w), the last of weights: half a cell is enough."""
    share = cells[..., -1, :, :]
    return continued(cells[..., :-1, :, :] / share.unsqueeze(-3).clamp(min=1e-6), (2 * share).clamp(max=1), 2)


def grown(mask: Tensor, by: int = 1) -> Tensor:
    """A mask (h, w) and the points so few rows and columns from it."""
    for _ in range(2):
        wider = mask.clone()
        for step in range(1, by + 1):
            wider[step:] |= mask[:-step]
            wider[:-step] |= mask[step:]
        mask = wider.T
    return mask


def outline(inside: Tensor) -> Tensor:
    """Points of a mask (h, w) that touch its outside."""
    return inside & grown(~inside)


def nearness(inside: Tensor, near: float, far: float) -> Tensor:
    """1 inside a mask (h, w) and up to `near` grid points from it, falling to 0 at `far`."""
    away = 1 - smoothstep(near, far, distance(inside, (inside.shape[0], inside.shape[1])))
    return torch.where(inside, 1.0, away)


def distance(inside: Tensor, size: tuple[int, int]) -> Tensor:
    """How many grid points lie between a mask (h, w) and each point of the same grid at some size, to a cell or so."""
    high, wide = inside.shape
    rows, columns = max(1, high // _CELL), max(1, wide // _CELL)
    held = interpolate(inside[None, None].float(), (rows, columns), mode="area")[0, 0] > 0.5
    if not bool(held.any()):
        return torch.full(size, torch.inf)
    pitch = torch.tensor([high / rows, wide / columns])
    at = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"), -1).reshape(-1, 2)
    away = torch.cdist(at * pitch, at[outline(held).reshape(-1)] * pitch).amin(1).reshape(rows, columns)
    return enlarged((away * ~held)[None], size)[0]

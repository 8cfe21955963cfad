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
    """Values (..., C, h, w) of a coarser grid on a finer one, linearly; rows after columns take a third of the time."""
    *some, high, wide = values.shape
    lines = interpolate(values.reshape(1, -1, wide), grid[1], mode="linear").view(*some, high, grid[1])
    place = ((torch.arange(grid[0]) + 0.5) * (high / grid[0]) - 0.5).clamp(0, high - 1)
    above = place.long()
    below = (above + 1).clamp(max=high - 1)
    return torch.lerp(lines.index_select(-2, above), lines.index_select(-2, below), (place - above)[:, None])


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
    edge = outline(held)
    if not bool(edge.any()):
        return torch.full(size, 0.0 if bool(held.any()) else torch.inf)
    pitch = torch.tensor([high / rows, wide / columns])
    at = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"), -1).reshape(-1, 2)
    away = torch.cdist(at * pitch, at[edge.reshape(-1)] * pitch).amin(1).reshape(rows, columns)
    return enlarged((away * ~held)[None], size)[0]

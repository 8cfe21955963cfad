"""Shapes of one breath: smooth steps, bumps, and monotone curves through tables."""

import torch
from torch import Tensor


def smoothstep(low: float | Tensor, high: float | Tensor, x: Tensor) -> Tensor:
    """0 before low, 1 after high, smooth between; low may lie above high."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def bump(
    x: Tensor, y: Tensor, cx: float | Tensor, cy: float | Tensor, sx: float | Tensor, sy: float | Tensor
) -> Tensor:
    """A Gaussian hill of height 1; radii are where it falls to 1/e."""
    return torch.exp(-(((x - cx) / sx) ** 2) - ((y - cy) / sy) ** 2)


def band(x: Tensor, centre: float | Tensor, radius: float | Tensor) -> Tensor:
    """A Gaussian ridge of height 1 along one line."""
    return torch.exp(-(((x - centre) / radius) ** 2))


def through(knots: Tensor, values: Tensor, at: Tensor) -> Tensor:
    """A monotone cubic through (knots (K,), values (..., K)), evaluated at points (..., N); ends stay level outside.

    Fritsch and Butland's slopes: no overshoot, so lids and lips never cross.
    """
    step = knots.diff()
    rise = values.diff(dim=-1) / step
    before, after = rise[..., :-1], rise[..., 1:]
    wider, narrower = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    same = before * after > 0
    mean = (wider + narrower) / (wider / torch.where(same, before, 1.0) + narrower / torch.where(same, after, 1.0))
    inner = torch.where(same, mean, 0.0)
    slope = torch.cat([rise[..., :1], inner, rise[..., -1:]], -1)

    x = at.clamp(float(knots[0]), float(knots[-1]))
    cell = (torch.searchsorted(knots, x.contiguous(), right=True) - 1).clamp(0, len(knots) - 2)
    width = step[cell]
    t = (x - knots[cell]) / width
    shape = (*(values[..., 0] + cell[..., 0]).shape, cell.shape[-1])
    cell = cell.expand(shape)

    def pick(table: Tensor, offset: int) -> Tensor:
        return table.expand(*shape[:-1], table.shape[-1]).gather(-1, cell + offset)

    left, right = pick(values, 0), pick(values, 1)
    into, out_of = pick(slope, 0) * width, pick(slope, 1) * width
    back = 1 - t
    return left * back * back * (1 + 2 * t) + right * t * t * (3 - 2 * t) + t * back * (into * back - out_of * t)

"""Layers on a batch of pictures that have different numbers of them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

_T = TypeVar("_T")


def layered(picture: Tensor, layers: Sequence[Sequence[_T]], draw: Callable[[Tensor, list[_T]], None]) -> Tensor:
    """Every picture with its own layers, first to last; `draw` changes in place the pictures that have a next one."""
    order = sorted(range(len(layers)), key=lambda number: -len(layers[number]))
    if not order or not layers[order[0]]:
        return picture
    sorted_picture = picture[order]
    for depth in range(len(layers[order[0]])):
        reached = [layers[number][depth] for number in order if len(layers[number]) > depth]
        draw(sorted_picture[: len(reached)], reached)
    back = sorted(range(len(order)), key=lambda place: order[place])
    return sorted_picture[back]


def numbers(rows: Sequence[Sequence[float]], like: Tensor) -> list[Tensor]:
    """Numbers of several pictures, turned: one tensor (B, 1, 1) for each field."""
    return list(torch.tensor(rows, dtype=like.dtype, device=like.device)[..., None, None].unbind(1))


def smooth_step(values: Tensor, middle: Tensor | float, softness: Tensor | float) -> Tensor:
    """0 below the middle and 1 above it, smoothly over the softness on both sides."""
    t = ((values - middle) / (2 * softness) + 0.5).clamp(0.0, 1.0)
    return t * t * (3 - 2 * t)

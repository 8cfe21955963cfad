"""Where a trajectory begins: noise from each item's own seed, or a picture part of the way along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Start(NamedTuple):
    """Latents to begin with, the timesteps still to go, and how many were skipped."""

    latents: Tensor
    timesteps: Tensor
    skipped: int


def noise(shape: tuple[int, ...], generators: Sequence[torch.Generator]) -> Tensor:
    """Noise (items, *shape), each item from its own generator, the same on every device."""
    return torch.stack([torch.randn(shape, generator=generator) for generator in generators])


def from_noise(scheduler: Any, drawn: Tensor) -> Start:
    return Start(drawn * scheduler.init_noise_sigma, scheduler.timesteps, 0)


def from_picture(scheduler: Any, picture: Tensor, drawn: Tensor, at: float) -> Start:
    """Scaled latents of a picture, noised as far as the fraction `at` of the trajectory leaves; 1 is the picture."""
    steps: Tensor = scheduler.timesteps
    skipped = round(at * len(steps) / scheduler.order) * scheduler.order
    if skipped >= len(steps):
        return Start(picture, steps[:0], skipped)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(skipped)
    begin = steps[skipped : skipped + 1].repeat(len(picture))
    return Start(scheduler.add_noise(picture, drawn, begin), steps[skipped:], skipped)

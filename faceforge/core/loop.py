"""The denoising loop."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from faceforge.core.attach import State
from faceforge.core.backbone import Backbone
from faceforge.core.guidance import Guidance
from faceforge.core.merge import Strengths, merge
from faceforge.core.plugin import Plugin
from faceforge.core.rows import Call
from faceforge.core.start import Start
from faceforge.spec import EditSpec

Votes = Sequence[tuple[float, Tensor]]  # of the windows that saw one item: what each counts, and what it predicts


@dataclass(frozen=True)
class Step:
    """One finished step: its number (from 1) of how many, what was predicted, and the latents after it."""

    number: int
    total: int
    timestep: int
    prediction: Tensor
    latents: Tensor


@dataclass(frozen=True)
class Run:
    """Everything that stays the same during one denoising run of a batch."""

    backbone: Backbone
    calls: Sequence[Call]
    specs: Sequence[EditSpec]
    guidance: Guidance
    scales: Tensor
    moving: Plugin | None = None
    after_call: Callable[[], None] = lambda: None
    _merged: dict[int, tuple[Strengths, tuple[Tensor, State]]] = field(default_factory=dict)

    def predict(self, latents: Tensor, timestep: Tensor, fraction: float = 0.0) -> Tensor:
        """The guided prediction for latents (items, C, h, w) at a timestep, shared or one per item."""
        found: dict[str, dict[int, list[tuple[float, Tensor]]]] = {}
        for number, call in enumerate(self.calls):
            out = self.ask(number, call, latents, timestep, fraction)
            self.after_call()
            for row, weight, predicted in zip(call.rows, call.weights, out, strict=True):
                found.setdefault(row.branch, {}).setdefault(row.item, []).append((weight, predicted))
        names = [branch.name for branch in self.guidance.branches]
        return self.guidance.combine(_filled(found, names, len(latents)), self.scales)

    def ask(self, number: int, call: Call, latents: Tensor, timestep: Tensor, fraction: float) -> Tensor:
        """What the network says to the rows of one call."""
        context, state = self._state(number, call, fraction)
        times = timestep[call.items] if timestep.ndim else timestep
        with self.backbone.hooks.reading(state):
            out: Tensor = self.backbone.unet(
                latents[call.items], times, encoder_hidden_states=context.to(latents)
            ).sample
        return out

    def _state(self, number: int, call: Call, fraction: float) -> tuple[Tensor, State]:
        """A call's merged state, made again only where a schedule has moved on.

        Those of windows are not kept: together they would hold every frame several times.
        """
        strengths = {name: [self.specs[i].strength_at(name, fraction) for i in call.items] for name in call.names}
        if call.frames > 1:
            return merge(call, strengths, self.moving)
        if number not in self._merged or self._merged[number][0] != strengths:
            self._merged[number] = strengths, merge(call, strengths, self.moving)
        return self._merged[number][1]


@torch.no_grad()
def denoise(
    run: Run,
    scheduler: Any,
    start: Start,
    *,
    generators: list[torch.Generator],
    after_step: Callable[[Step], None] | None = None,
) -> Tensor:
    """Latents after all timesteps."""
    latents = start.latents
    total = len(start.timesteps) + start.skipped
    extra = {"generator": generators} if "generator" in inspect.signature(scheduler.step).parameters else {}
    for number, timestep in enumerate(start.timesteps, start=start.skipped + 1):
        fraction = (number - 1) / max(total - 1, 1)
        prediction = run.predict(scheduler.scale_model_input(latents, timestep), timestep, fraction)
        latents = scheduler.step(prediction, timestep, latents, **extra).prev_sample
        if after_step is not None:
            after_step(Step(number, total, int(timestep), prediction, latents))
    return latents


def _filled(found: Mapping[str, Mapping[int, Votes]], names: Sequence[str], items: int) -> dict[str, Tensor]:
    """Predictions of every branch for every item; where a branch did not run it would have said the conditioned one."""
    conditioned = found[names[0]]
    return {
        name: torch.stack([_mean(found.get(name, conditioned).get(item, conditioned[item])) for item in range(items)])
        for name in names
    }


def _mean(votes: Votes) -> Tensor:
    """What the windows that saw a frame predict of it, each counted by its weight."""
    if len(votes) == 1:
        return votes[0][1]
    total = torch.stack([weight * predicted for weight, predicted in votes]).sum(0)
    return total / sum(weight for weight, _ in votes)

"""One training step as one module: what accelerate wraps, so that every gradient is synchronised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from faceforge.core import lora
from faceforge.core.backbone import Backbone
from faceforge.core.guidance import Branch
from faceforge.core.merge import merge
from faceforge.core.plugin import Plugin
from faceforge.core.requests import Requests
from faceforge.core.rows import Encoder, calls, mover, rows_of
from faceforge.core.temporal import consecutive
from faceforge.core.types import Request


class Outcome(NamedTuple):
    """The loss of a batch, the network's prediction and what it should have been."""

    loss: Tensor
    prediction: Tensor
    target: Tensor


class Objective(nn.Module):
    """Noise in, prediction out, squared error; plus the losses plugins bring themselves.

    With probability `drop` a plugin's condition is replaced by its null, row by row and plugin by plugin. `min_snr`
    weights rows by their noise (Hang et al. 2023, arXiv 2303.09556), as if the clean latents' error counted up to it.
    Timesteps are drawn evenly; a `lean` above 1 leans to noisy ones, where what is known beforehand decides.
    """

    def __init__(
        self,
        backbone: Backbone,
        plugins: Sequence[Plugin],
        *,
        noise_scheduler: Any,
        drop: float = 0.0,
        min_snr: float | None = None,
        lean: float = 1.0,
        lora_scales: dict[str, float] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.unet = backbone.unet
        self.plugins = nn.ModuleDict({plugin.name: plugin for plugin in plugins})
        self.noise_scheduler = noise_scheduler
        self.drop = drop
        self.min_snr = min_snr
        self.lean = lean
        self.lora_scales = lora_scales or {p.name: p.lora.scale for p in plugins if p.lora is not None}

    def forward(
        self,
        requests: Sequence[Request],
        latents: Tensor,
        *,
        noise: Tensor | None = None,
        timesteps: Tensor | None = None,
        counts: Tensor | None = None,
        generator: torch.Generator | None = None,
        frames: int = 1,
    ) -> Outcome:
        """One step for clean, scaled latents (rows, C, h, w); noise and timesteps are drawn unless given.

        `counts` (rows, 1, h, w) says how much the error of each place counts.
        Rows are clips of so many `frames`, one after the other; those of one clip share timestep and branch.
        """
        rows = len(latents)
        if rows % frames:
            raise ValueError(f"{rows} rows are not whole clips of {frames} frames. Give a multiple.")
        if noise is None:
            noise = torch.randn(latents.shape, generator=generator).to(latents)
        if timesteps is None:
            last = int(self.noise_scheduler.config.num_train_timesteps)
            even = (torch.randint(0, last, (rows // frames,), generator=generator).double() + 0.5) / last
            drawn = (last * even ** (1 / self.lean)).long()
            timesteps = drawn.repeat_interleave(frames).to(latents.device)
        noisy = self.noise_scheduler.add_noise(latents, noise, timesteps)
        prediction = self._predict(requests, noisy, timesteps, generator, frames)
        target = self._target(latents, noise, timesteps)
        squared = F.mse_loss(prediction.float(), target.float(), reduction="none")
        errors = (squared if counts is None else squared * counts).flatten(1).mean(1)
        loss = (errors * self._weights(timesteps)).mean()
        for plugin in self._plugins():
            own = plugin.losses(Requests(requests, plugin.manifest, self.backbone, dose=plugin.dose), prediction)
            loss = loss if own is None else loss + own
        return Outcome(loss, prediction, target)

    def _predict(
        self,
        requests: Sequence[Request],
        noisy: Tensor,
        timesteps: Tensor,
        generator: torch.Generator | None,
        frames: int,
    ) -> Tensor:
        if self.unet.is_gradient_checkpointing:
            self.unet.enable_gradient_checkpointing(self.backbone.hooks.checkpointed)
        clips = [self._branch(generator) for _ in range(len(requests) // frames)]
        branches = [[branch] for branch in clips for _ in range(frames)]
        found: dict[int, Tensor] = {}
        plugins = self._plugins()
        with lora.activated(self.unet, self.lora_scales):
            rows = rows_of(Encoder(self.backbone), plugins, requests, branches)
            for call in calls(rows, windows=consecutive(len(requests), frames)):
                strengths = {name: [1.0] * len(call.rows) for name in call.names}
                context, state = merge(call, strengths, mover(plugins))
                with self.backbone.hooks.reading(state):
                    out = self.unet(noisy[call.items], timesteps[call.items], encoder_hidden_states=context).sample
                found |= dict(zip(call.items, out, strict=True))
        return torch.stack([found[item] for item in range(len(requests))])

    def _branch(self, generator: torch.Generator | None) -> Branch:
        draws = torch.rand(len(self.plugins), generator=generator).tolist()
        dropped = [name for name, draw in zip(self.plugins, draws, strict=True) if draw < self.drop]
        return Branch("training", frozenset(dropped))

    def _plugins(self) -> list[Plugin]:
        return [plugin for plugin in self.plugins.values() if isinstance(plugin, Plugin)]

    def _weights(self, timesteps: Tensor) -> Tensor:
        """What each row's error counts, (rows,)."""
        if self.min_snr is None:
            return torch.ones(len(timesteps), device=timesteps.device)
        kept = self.noise_scheduler.alphas_cumprod.to(timesteps.device)[timesteps]
        snr = kept / (1 - kept)
        per_kind = {"epsilon": snr, "v_prediction": snr + 1, "sample": torch.ones_like(snr)}
        weights: Tensor = snr.clamp(max=self.min_snr) / per_kind[self.noise_scheduler.config.prediction_type]
        return weights

    def _target(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        kind = self.noise_scheduler.config.prediction_type
        if kind == "v_prediction":
            target: Tensor = self.noise_scheduler.get_velocity(latents, noise, timesteps)
            return target
        return latents if kind == "sample" else noise

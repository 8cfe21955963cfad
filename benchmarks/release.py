"""The releases' arithmetic on stock diffusers parts, in our own words: the other side of every comparison.

What MagicFace and RigFace compute: the background beside the noise in a widened `conv_in`; identity tokens behind the
picture's, so that norm, queries, keys, values and attention run over twice the tokens and half of the result is thrown
away, anew in every step; the identity encoder on two equal rows; and two guidance rows, also where guidance is idle.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from torch import Tensor, nn

from benchmarks.setup import Latents
from faceforge import Forge

ROWS = 2  # one conditioned, one unconditioned, always both


class DoubledBlock(nn.Module):
    """A transformer block whose self-attention runs over picture and identity together and keeps the first half."""

    def __init__(self, block: BasicTransformerBlock) -> None:
        super().__init__()
        self.block = block
        self.identity: Tensor | None = None

    def forward(self, hidden_states: Tensor, *, encoder_hidden_states: Tensor, **_: Any) -> Tensor:
        block: Any = self.block
        assert self.identity is not None, "observe() comes first"
        both = torch.cat([hidden_states, self.identity], dim=1)
        both = block.attn1(block.norm1(both)) + both
        own = both.chunk(2, dim=1)[0]
        own = block.attn2(block.norm2(own), encoder_hidden_states=encoder_hidden_states) + own
        found: Tensor = block.ff(block.norm3(own)) + own
        return found


class Release:
    """Denoiser and identity encoder of a release on the very weight tensors of a Forge with MagicFace's plugins."""

    def __init__(self, forge: Forge) -> None:
        unet: Any = forge.backbone.unet
        plugins: Mapping[str, Any] = forge.plugins
        state = dict(unet.state_dict())
        stem = plugins["attributes"].stem.weight.detach()
        state["conv_in.weight"] = torch.cat([state["conv_in.weight"], stem], dim=1)
        state |= {f"class_embedding.{key}": each for key, each in plugins["magicface"].changes.state_dict().items()}
        config = {key: value for key, value in unet.config.items() if not key.startswith("_")}
        wider = {"in_channels": 8, "class_embed_type": "simple_projection", "projection_class_embeddings_input_dim": 12}
        with torch.device("meta"):
            self.denoiser = UNet2DConditionModel.from_config({**config, **wider}).eval()
        self.denoiser.load_state_dict(state, assign=True)
        self.denoiser.requires_grad_(False)
        self.identity: UNet2DConditionModel = plugins["identity"].unet
        self.blocks = {site: DoubledBlock(self.denoiser.get_submodule(site)) for site in forge.backbone.self_sites}
        for site, block in self.blocks.items():
            self.denoiser.set_submodule(site, block)
        self.scheduler: Any = forge.backbone.scheduler

    @torch.no_grad()
    def edit(self, given: Latents, aus: Tensor, *, steps: int, guidance: float) -> Tensor:
        """The final latents (1, 4, h, w) of one edit with these AU changes (1, 12)."""
        scheduler: Any = type(self.scheduler).from_config(self.scheduler.config)
        scheduler.set_timesteps(steps, device=given.noise.device)
        self.observe(given)
        latents: Tensor = given.noise * scheduler.init_noise_sigma
        for timestep in scheduler.timesteps:
            scaled = scheduler.scale_model_input(latents, timestep)
            conditioned, null = self.predict(scaled, timestep, given, aus).chunk(ROWS)
            latents = scheduler.step(null + guidance * (conditioned - null), timestep, latents).prev_sample
        return latents

    @torch.no_grad()
    def observe(self, given: Latents) -> None:
        """Show the identity encoder the source, and keep the tokens that enter each of its blocks."""

        def keep(block: DoubledBlock, _norm: nn.Module, args: tuple[Tensor]) -> None:
            block.identity = args[0]

        handles = [
            self.identity.get_submodule(f"{site}.norm1").register_forward_pre_hook(partial(keep, block))
            for site, block in self.blocks.items()
        ]
        self.identity(_twice(given.source), 0, encoder_hidden_states=_twice(given.text))
        for handle in handles:
            handle.remove()

    @torch.no_grad()
    def predict(self, latents: Tensor, timestep: Tensor, given: Latents, aus: Tensor) -> Tensor:
        """Both guidance rows (2, 4, h, w) of one step: the AU changes as asked, then none."""
        beside = torch.cat([_twice(latents), _twice(given.background)], dim=1)
        changes = torch.cat([aus, torch.zeros_like(aus)])
        found: Tensor = self.denoiser(
            beside, timestep, encoder_hidden_states=_twice(given.text), class_labels=changes
        ).sample
        return found


def _twice(row: Tensor) -> Tensor:
    return torch.cat([row] * ROWS)

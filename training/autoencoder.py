"""The objective of an autoencoder: pictures to latents and back."""

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from pydantic import NonNegativeFloat
from torch import Tensor, nn

from faceforge.store.checkpoint import save
from faceforge_training.assembling import forged
from faceforge_training.errors import BadRecipe
from faceforge_training.straight import bends, branchless, straighten

Half = Literal["encoder", "decoder"]


class VaeObjective(nn.Module):
    """The autoencoder of a backbone: pixels, their differences on several scales, and a little order in the latents.

    A `straight` one begins as a linear one, and only that is trained. Once models know its latents, its encoder must
    `train` no more; its decoder may.
    """

    def __init__(
        self,
        backbone: str,
        *,
        train: tuple[Half, ...] = ("encoder", "decoder"),
        edges: NonNegativeFloat = 1.0,
        kl: NonNegativeFloat = 1e-6,
        straight: bool = False,
    ) -> None:
        super().__init__()
        self.forge = forged(backbone, [], None)
        found = self.forge.backbone.vae
        if found is None:
            raise BadRecipe(f"objective.backbone={backbone!r} has no autoencoder to train. Name one that has.")
        self.vae, self.edges, self.kl = found, edges, kl
        self.straight = straight
        if straight:
            straighten(found)
        for name, half in (
            ("encoder", (found.encoder, found.quant_conv)),
            ("decoder", (found.decoder, found.post_quant_conv)),
        ):
            for module in half:
                module.requires_grad_(name in train)
        for parameter in bends(found) if straight else ():
            parameter.requires_grad_(False)
        # How far latents spread is known when the training ends: a running estimate, kept with the weights.
        self.register_buffer("spread", torch.tensor(1.0 / found.config.scaling_factor))
        self.spread: Tensor

    def forward(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Losses of `picture` (B, 3, H, W) in -1..1."""
        pictures = batch["picture"]
        with branchless(self.vae) if self.straight else nullcontext():
            posterior = self.vae.encode(pictures).latent_dist
            latents = posterior.sample()
            again = self.vae.decode(latents).sample
        with torch.no_grad():
            self.spread.lerp_(latents.float().std(), 0.01)
        return {
            "pixels": 10 * F.mse_loss(again, pictures),
            "edges": self.edges * edges(again, pictures),
            "kl": self.kl * posterior.kl().mean(),
        }

    def save(self, folder: Path, name: str) -> None:
        self.vae.register_to_config(scaling_factor=1.0 / float(self.spread))
        self.forge.name = name
        save(self.forge, folder, packed=True)


def edges(one: Tensor, other: Tensor, scales: int = 3) -> Tensor:
    """The mean difference of neighbouring pixels' differences, at full size and at halves of it."""
    total = one.new_zeros(())
    difference = one - other
    for _ in range(scales):
        across, down = difference.diff(dim=-1).abs().mean(), difference.diff(dim=-2).abs().mean()
        total = total + (across + down) / scales
        difference = F.avg_pool2d(difference, 2)
    return total

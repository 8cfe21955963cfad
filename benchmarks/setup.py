"""What both sides of a benchmark share: random weights in a published shape, a face, and its background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from PIL import Image
from torch import Tensor

from faceforge import Forge
from faceforge.core.attributes import AttributeController
from faceforge.core.backbone import Backbone
from faceforge.core.identity import IdentityEncoder
from faceforge.core.text import StoredText
from faceforge.jobs import Defaults, to_tensor
from faceforge.store.backbones import tiny, unipc
from faceforge_plugins.magicface import MagicFace

SD15: dict[str, Any] = {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}
TEXT_TOKENS = 77
PIXELS_PER_LATENT = 8
SEED = 424


class WithoutVae(Backbone):
    """Pictures are averaged down instead of encoded: a VAE costs both sides the same, and is none of this."""

    @property
    def factor(self) -> int:
        return PIXELS_PER_LATENT

    def encode_picture(self, pictures: Tensor) -> Tensor:
        small = torch.nn.functional.avg_pool2d(pictures, PIXELS_PER_LATENT)
        return torch.cat([small, small.mean(1, keepdim=True)], dim=1).to(self.device, self.dtype)


@dataclass(frozen=True)
class Scene:
    """One face in front of one background, square."""

    source: Image.Image
    background: Image.Image

    @classmethod
    def random(cls, size: int) -> Scene:
        pixels = np.random.default_rng(SEED).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
        return cls(*(Image.fromarray(each) for each in pixels))


@dataclass(frozen=True)
class Latents:
    """A scene as the denoiser sees it, and what else a Forge starts from: the text's tokens and the seed's noise."""

    source: Tensor
    background: Tensor
    text: Tensor
    noise: Tensor

    @classmethod
    def of(cls, scene: Scene, backbone: Backbone) -> Latents:
        source, background = (
            backbone.encode_picture(to_tensor(picture)[None]) for picture in (scene.source, scene.background)
        )
        noise = torch.randn(source.shape, generator=torch.Generator().manual_seed(SEED))
        return cls(source, background, backbone.text.embed("").to(source), noise.to(source))


def magicface(*, toy: bool = False, device: torch.device | str | None = None) -> Forge:
    """A Forge with MagicFace's plugins on random weights; on the device 'meta' it has shapes only."""
    config = tiny().unet.config if toy else SD15
    scheduler = unipc(DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"))
    torch.manual_seed(SEED)
    text = torch.randn(1, TEXT_TOKENS, config["cross_attention_dim"])
    with torch.device(device or torch.get_default_device()):
        unet = UNet2DConditionModel.from_config(config).eval().requires_grad_(False)
        backbone = WithoutVae(unet, scheduler, StoredText({"": text}), name="random")
        stem, changes = AttributeController(), MagicFace()
        forge = Forge(backbone, [IdentityEncoder(), stem, changes], defaults=Defaults(guidance=1.5))
    for layer in (stem.stem, changes.changes):
        layer.reset_parameters()  # zeros, where training starts, would hide what these layers do
    return forge

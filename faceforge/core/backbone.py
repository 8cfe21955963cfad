"""A backbone: the stock parts of a latent diffusion model, and the builders of the known ones."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from diffusers import AutoencoderKL, SchedulerMixin, UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from torch import Tensor

from faceforge.core.attach import Hooks
from faceforge.core.temporal import motion_sites
from faceforge.core.text import Text


@dataclass
class Backbone:
    """Stock parts. Without a vae pictures are latents; `sources` says where parts can be had instead of saved."""

    unet: UNet2DConditionModel
    scheduler: SchedulerMixin
    text: Text
    vae: AutoencoderKL | None = None
    name: str = "unnamed"
    sources: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)  # one run at a time per network

    @cached_property
    def hooks(self) -> Hooks:
        return Hooks(self.unet)

    @cached_property
    def sites(self) -> dict[str, BasicTransformerBlock]:
        """The transformer blocks by path; their paths are the sites that contributions address."""
        return {path: block for path, block in self.unet.named_modules() if isinstance(block, BasicTransformerBlock)}

    @cached_property
    def self_sites(self) -> dict[str, int]:
        """Sites with self-attention and their widths."""
        return {site: block.norm1.normalized_shape[0] for site, block in self.sites.items()}

    @cached_property
    def cross_sites(self) -> dict[str, int]:
        """Sites with cross-attention and their widths."""
        return {site: width for site, width in self.self_sites.items() if self.sites[site].attn2 is not None}

    @cached_property
    def temporal_sites(self) -> dict[str, int]:
        """Sites between which frames of a clip may read one another, and their widths."""
        return motion_sites(self.unet)

    @property
    def text_width(self) -> int:
        return int(self.unet.config.cross_attention_dim)

    @property
    def time_width(self) -> int:
        return int(self.unet.time_embedding.linear_2.out_features)

    @property
    def input_width(self) -> int:
        return int(self.unet.config.block_out_channels[0])

    @property
    def latent_channels(self) -> int:
        return int(self.unet.config.in_channels)

    @property
    def factor(self) -> int:
        """Pixels per latent, along one side."""
        return 1 if self.vae is None else 2 ** (len(self.vae.config.block_out_channels) - 1)

    @property
    def latent_scale(self) -> float:
        return 1.0 if self.vae is None else float(self.vae.config.scaling_factor)

    @property
    def size(self) -> int:
        """The native side of a picture in pixels."""
        return int(self.unet.config.sample_size) * self.factor

    @property
    def device(self) -> torch.device:
        device: torch.device = self.unet.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        dtype: torch.dtype = self.unet.dtype
        return dtype

    @cached_property
    def shape(self) -> dict[str, Any]:
        """What saved plugin weights depend on, in words."""
        return {
            "self_attention": self.self_sites,
            "cross_attention": list(self.cross_sites),
            "time": self.time_width,
            "text": self.text_width,
            "input": self.input_width,
            "latent": self.latent_channels,
        }

    @property
    def signature(self) -> str:
        """A short name of that shape; weights are bound to it."""
        seen = hashlib.sha256(json.dumps(self.shape, sort_keys=True).encode()).hexdigest()
        return f"unet-{self.input_width}x{len(self.self_sites)}-text{self.text_width}-{seen[:10]}"

    @torch.no_grad()
    def encode_picture(self, pictures: Tensor) -> Tensor:
        """Pictures (rows, 3, H, W) in -1..1 as latents (rows, 4, h, w): the posterior's mode, not scaled."""
        if self.vae is None:
            return pictures
        mode: Tensor = self.vae.encode(pictures.to(self.device, self.vae.dtype)).latent_dist.mode()
        return mode

    @torch.no_grad()
    def decode_latents(self, latents: Tensor) -> Tensor:
        """Scaled latents as pictures in -1..1, one at a time so that a batch needs no more memory than a single."""
        if self.vae is None:
            return latents
        ready = (latents / self.latent_scale).to(self.device, self.vae.dtype)
        return torch.cat([self.vae.decode(one).sample for one in torch.split(ready, 1)])

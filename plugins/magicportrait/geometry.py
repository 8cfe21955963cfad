"""Maps of a posed head beside the noise: depth, normals and a render, each through a small network of its own."""

from __future__ import annotations

from itertools import pairwise

import torch
from diffusers import Transformer2DModel
from torch import Tensor, nn
from torch.nn.functional import silu

from faceforge.plugin import (
    Backbone,
    Base,
    Contribution,
    Files,
    HookPoint,
    Manifest,
    Plugin,
    Published,
    Release,
    Requests,
    Weights,
    zeroed,
)

MAPS = ("depth", "normal", "render")
WIDTHS = (16, 32, 96, 256)  # of the release; a smaller backbone has smaller ones
HEADS = 8
GROUPS = 32


class Geometry(Plugin):
    """What the maps say is added up, is the same in every branch and step, and is also the first skip connection."""

    manifest = Manifest(
        name="geometry",
        version="1.0",
        summary="pose and expression as depth, normals and a render of a head",
        points=(HookPoint.INPUT,),
        needs=("pictures.depth", "pictures.normal", "pictures.render"),
        weights=Weights(
            source="mengtingwei/MagicPortrait",
            licence="Apache-2.0 as tagged by its authors; base CreativeML OpenRAIL-M",
            training_data="face videos; the authors thank CelebV-HQ, more is not published",
        ),
        releases={
            "magicportrait": Published(
                files={
                    "mengtingwei/MagicPortrait": (
                        "ckpts/*.pth",
                        "sd-vae-ft-mse/config.json",
                        "sd-vae-ft-mse/diffusion_pytorch_model.*",
                    )
                },
                base="stable-diffusion-v1-5/stable-diffusion-v1-5",
            )
        },
    )

    def __init__(self, *, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__(widths=tuple(widths))
        self.widths = tuple(widths)

    def build(self, backbone: Backbone) -> None:
        self.encoders = nn.ModuleDict({name: MapEncoder(self.widths, backbone.input_width) for name in MAPS})

    def encode(self, requests: Requests) -> Contribution:
        depth, normal, render = (self.features(name, requests.pictures(name)) for name in MAPS)
        return Contribution(input=depth + normal + render)

    def features(self, name: str, maps: Tensor) -> Tensor:
        """One kind of map (rows, 3, H, W) in -1..1, as the 8-bit levels in 0..1 that the network was trained to see.

        Its group norm magnifies the last bits a thousandfold, so they are the release's: exact levels, and colours
        innermost in memory, which decides how a convolution rounds.
        """
        levels = ((maps / 2 + 0.5) * 255).round() / 255
        ready = levels.to(next(self.parameters())).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.encoders[name](ready)
        return features

    @classmethod
    def convert(cls, files: Files, variant: str, base: Base) -> Release:
        """Backbone, identity, geometry and motion from the six published files and its own VAE."""
        from faceforge_plugins.magicportrait.release import convert

        release: Release = convert(files, base)
        return release


class MapEncoder(nn.Module):
    """A map (rows, 3, H, W) in 0..1 as features (rows, C, H/8, W/8): convolutions, and attention within the picture."""

    def __init__(self, widths: tuple[int, ...], out: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList()
        for narrow, wide in pairwise(widths):
            self.blocks.append(nn.Conv2d(narrow, narrow, 3, padding=1))
            self.blocks.append(nn.Conv2d(narrow, wide, 3, padding=1, stride=2))
        self.attention = Transformer2DModel(HEADS, widths[-1] // HEADS, widths[-1], norm_num_groups=GROUPS)
        self.conv_out = zeroed(nn.Conv2d(widths[-1], out, 3, padding=1))

    def forward(self, maps: Tensor) -> Tensor:
        found = silu(self.conv_in(maps))
        for block in self.blocks:
            found = silu(block(found))
        seen: Tensor = self.conv_out(self.attention(found, return_dict=False)[0])
        return seen

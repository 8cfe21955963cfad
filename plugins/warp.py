"""The warped photograph beside the noise: geometry has done what it can, and the network repairs the rest.

Two pictures, made from the photograph by FaceForge itself unless they are given: `warp`, the photograph with its own
pixels moved, and `unknown`, white where nothing of it could be moved there. With `carries` the network predicts what
the warp lacks, not the whole picture: it begins where geometry ends.
"""

import torch
from torch import nn
from torch.nn.functional import interpolate

from faceforge.plugin import Backbone, Contribution, HookPoint, Manifest, Plugin, Requests, zeroed


class Warp(Plugin):
    """Latents of the warp, and where not to believe them, through one convolution."""

    manifest = Manifest(
        name="warp",
        version="1.0",
        summary="pose, expression and light as the photograph's own pixels, moved by a fitted head",
        points=(HookPoint.INPUT, HookPoint.OUTPUT),
        needs=("pictures.warp", "pictures.unknown"),
    )

    def __init__(self, *, carries: bool = False) -> None:
        super().__init__(carries=carries)
        self.carries = carries

    def build(self, backbone: Backbone) -> None:
        self.stem = zeroed(nn.Conv2d(backbone.latent_channels + 1, backbone.input_width, 3, padding=1, bias=False))

    def encode(self, requests: Requests) -> Contribution:
        latents = requests.latents("warp", scaled=True)
        unknown = requests.pictures("unknown")[:, :1] / 2 + 0.5
        mask = interpolate(unknown, latents.shape[-2:], mode="area").to(latents)
        seen = self.stem(torch.cat([latents, mask], 1).to(self.stem.weight.dtype))
        return Contribution(input=seen, output=latents if self.carries else None)

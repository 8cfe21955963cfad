"""The attribute controller: condition pictures enter beside the noise, added to the output of conv_in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from faceforge.core.manifest import Manifest
from faceforge.core.plugin import Plugin, zeroed
from faceforge.core.points import HookPoint
from faceforge.core.types import Contribution

if TYPE_CHECKING:
    from faceforge.core.backbone import Backbone
    from faceforge.core.requests import Requests


class AttributeController(Plugin):
    """Latents of one named picture through a side convolution.

    A convolution over [noise | condition] channels equals the noise's own plus this one, so the four-channel
    stock `conv_in` stays, several controllers compose by addition, and each is computed once per edit.
    """

    manifest = Manifest(
        name="attributes",
        version="1.0",
        summary="pose, outline and background: condition pictures beside the noise",
        points=(HookPoint.INPUT,),
        needs=("pictures.background",),
    )
    built_in = True

    def __init__(self, *, picture: str = "background") -> None:
        super().__init__(picture=picture)
        self.picture = picture
        if picture != "background":
            changed = {"name": f"attributes-{picture}", "needs": (f"pictures.{picture}",)}
            self.manifest = self.manifest.model_copy(update=changed)

    def build(self, backbone: Backbone) -> None:
        self.stem = zeroed(nn.Conv2d(backbone.latent_channels, backbone.input_width, 3, padding=1, bias=False))

    def encode(self, requests: Requests) -> Contribution:
        latents = requests.latents(self.picture)
        return Contribution(input=self.stem(latents.to(self.stem.weight.dtype)))

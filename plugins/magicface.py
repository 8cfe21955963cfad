"""MagicFace (arXiv 2501.02260): signed changes of 12 action units, added to the time embedding.

The person comes from the built-in identity encoder, pose and background from the built-in attribute controller.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from faceforge.plugin import (
    AttributeController,
    Aus,
    Backbone,
    Base,
    Contribution,
    Files,
    HookPoint,
    IdentityEncoder,
    Ledger,
    Manifest,
    Plugin,
    Published,
    Release,
    Requests,
    Weights,
    empty_unet,
    filled,
    read_config,
    unipc,
    zeroed,
)

CHANGES = "au_aug_mlp"  # what the release calls the one layer it added


class MagicFace(Plugin):
    """AU changes through one linear layer; the null condition is 'change nothing'."""

    manifest = Manifest(
        name="magicface",
        version="1.0",
        summary="signed AU changes of a given person",
        points=(HookPoint.TIMESTEP,),
        aus=Aus("disfa12", kind="change", range=(-10.0, 10.0)),
        weights=Weights(
            source="mengtingwei/magicface",
            licence="Apache-2.0 as tagged by its authors; base CreativeML OpenRAIL-M",
            training_data="pairs of frames from Aff-Wild",
        ),
        releases={
            "magicface": Published(
                files={"mengtingwei/magicface": ("denoising_unet/*", "ID_enc/*")},
                base="stable-diffusion-v1-5/stable-diffusion-v1-5",
            )
        },
    )

    def build(self, backbone: Backbone) -> None:
        self.changes = zeroed(nn.Linear(12, backbone.time_width))

    def encode(self, requests: Requests) -> Contribution:
        return self._shift(requests.aus())

    def null(self, requests: Requests) -> Contribution:
        return self._shift(requests.no_aus())

    def _shift(self, changes: Tensor) -> Contribution:
        return Contribution(timestep=self.changes(changes.to(self.changes.weight)))

    @classmethod
    def convert(cls, files: Files, variant: str, base: Base) -> Release:
        """`denoising_unet/` becomes the backbone, the stem and the AU layer; `ID_enc/` the identity encoder."""
        weights = "diffusion_pytorch_model.safetensors"
        identity = files.path(f"ID_enc/{weights}")
        config = read_config(files.path("denoising_unet/config.json"))
        release = cls.from_tensors(
            Ledger.of(files.path(f"denoising_unet/{weights}")), Ledger.of(identity), config, base
        )
        release.plugins[0].reread = partial(_identity_weights, identity)
        return release

    @classmethod
    def from_tensors(cls, denoiser: Ledger, identity: Ledger, config: dict[str, Any], base: Base) -> Release:
        unet = empty_unet({**config, "in_channels": 4})
        widened = denoiser.take("conv_in.weight", (unet.conv_in.weight.shape[0], 8, 3, 3))
        time_width = unet.time_embedding.linear_2.out_features
        shift = {
            "changes.weight": denoiser.take(f"{CHANGES}.weight", (time_width, 12)),
            "changes.bias": denoiser.take(f"{CHANGES}.bias", (time_width,)),
        }
        filled(unet, {**denoiser.take_all(), "conv_in.weight": widened[:, :4].clone()}, "denoising_unet")
        backbone = base(unet=unet)
        backbone.scheduler = unipc(backbone.scheduler)

        person = IdentityEncoder().built_on(backbone, _inside(identity.take_all()))
        stem = AttributeController().built_on(backbone, {"stem.weight": widened[:, 4:].clone()})
        report = [
            denoiser.close("backbone (4 input channels), attributes (the other 4), magicface"),
            identity.close("identity"),
        ]
        defaults = {"prompt": "A close up of a person.", "guidance": 1.5, "steps": 50}
        return Release(backbone, [person, stem, cls().built_on(backbone, shift)], defaults, report)


def _inside(identity: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The released UNet's names as those of the plugin that holds it."""
    return {f"unet.{key}": tensor for key, tensor in identity.items()}


def _identity_weights(path: Path) -> dict[str, Tensor]:
    return _inside(Ledger.of(path).take_all())

"""Releases of two networks: a denoiser, and its twin that looks at the source. MagicFace's and RigFace's layout.

Their code is the same but for what the fields of `Paired` say. They stand side by side, so that files of the one that
were given as the other can be called by their name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from faceforge.core.attributes import AttributeController
from faceforge.core.identity import IdentityEncoder
from faceforge.core.plugin import Plugin, filled
from faceforge.errors import BadWeights
from faceforge.store.backbones import WEIGHTS, empty_unet, read_config, unipc
from faceforge.store.release import Base, Files, Ledger, Release

LATENT = 4  # channels of the noise, and of every picture beside it
ADDED = "au_aug_mlp"  # what both releases call the one layer they added, whatever enters it
PROMPT = "A close up of a person."


@dataclass(frozen=True)
class Paired:
    """Where a release keeps its networks, and what enters its denoiser beside noise and text."""

    name: str
    denoiser: str  # the published folder of each network
    identity: str
    pictures: tuple[str, ...]  # behind the noise, in the order of conv_in's channels
    numbers: int  # of the vector that the added layer puts on the time embedding
    layer: str  # what the plugin calls that layer
    guidance: float = 1.0
    makers: tuple[str, ...] = ()  # who makes each picture from a photograph, in the same order
    zeros: tuple[str, ...] = ()  # the vector that the plugin reads, where zeros of it are a neutral face

    @property
    def channels(self) -> int:
        """Of the widened conv_in."""
        return LATENT * (1 + len(self.pictures))

    def convert(self, files: Files, plugin: Plugin, base: Base) -> Release:
        """The release in these folders, with `plugin` for its added layer."""
        for other in KNOWN:
            if other is not self and files.has(other.denoiser) and not files.has(self.denoiser):
                raise self._mixed_up(other, f"a folder {other.denoiser!r}", f"{self.denoiser!r}")
        denoiser = files.network(self.denoiser)
        config, tensors = (files.path(f"{denoiser}/{name}") for name in ("config.json", WEIGHTS))
        identity = files.path(f"{files.network(self.identity)}/{WEIGHTS}")
        release = self.from_tensors(plugin, Ledger.of(tensors), Ledger.of(identity), read_config(config), base)
        release.plugins[0].reread = partial(_identity_weights, identity)
        return release

    def from_tensors(
        self, plugin: Plugin, denoiser: Ledger, identity: Ledger, config: Mapping[str, Any], base: Base
    ) -> Release:
        """Stock backbone, identity encoder, one controller per picture, and the plugin, with the release's weights."""
        self._check_kind(denoiser)
        unet = empty_unet({**config, "in_channels": LATENT})
        widened = denoiser.take("conv_in.weight", (unet.conv_in.weight.shape[0], self.channels, 3, 3))
        width = unet.time_embedding.linear_2.out_features
        added = {
            f"{self.layer}.weight": denoiser.take(f"{ADDED}.weight", (width, self.numbers)),
            f"{self.layer}.bias": denoiser.take(f"{ADDED}.bias", (width,)),
        }
        noise, *beside = torch.split(widened, LATENT, dim=1)
        filled(unet, {**denoiser.take_all(), "conv_in.weight": noise}, self.denoiser)
        backbone = base(unet=unet)
        backbone.scheduler = unipc(backbone.scheduler)

        person = IdentityEncoder().built_on(backbone, _inside(identity.take_all()))
        stems: list[Plugin] = [
            AttributeController(picture=picture).built_on(backbone, {"stem.weight": weight})
            for picture, weight in zip(self.pictures, beside, strict=True)
        ]
        shares = [f"backbone ({LATENT} input channels)", *(f"{stem.name} ({LATENT} more)" for stem in stems)]
        report = [denoiser.close(", ".join([*shares, plugin.name])), identity.close("identity")]
        defaults = {"prompt": PROMPT, "guidance": self.guidance, "steps": 50, **self._made()}
        return Release(backbone, [person, *stems, plugin.built_on(backbone, added)], defaults, report)

    def _made(self) -> dict[str, Any]:
        """The defaults by which a Forge edits whole photographs."""
        if not self.makers:
            return {}
        makes = dict(zip(self.pictures, self.makers, strict=True))
        return {"crop": "face", "makes": makes, "zeros": dict.fromkeys(self.zeros, self.numbers)}

    def _check_kind(self, denoiser: Ledger) -> None:
        channels, numbers = (denoiser.shape(key)[1:2] for key in ("conv_in.weight", f"{ADDED}.weight"))
        for other in KNOWN:
            if other is not self and (channels, numbers) == ((other.channels,), (other.numbers,)):
                raise self._mixed_up(other, other._signature, self._signature)

    @property
    def _signature(self) -> str:
        return f"{self.channels} input channels and a vector of {self.numbers}"

    def _mixed_up(self, other: Paired, found: str, expected: str) -> BadWeights:
        return BadWeights(
            f"These are files of {other.name!r} ({found}), expected {self.name!r} ({expected}). "
            f"Use them as {other.name!r}."
        )


MAGICFACE = Paired(
    name="magicface",
    denoiser="denoising_unet",
    identity="ID_enc",
    pictures=("background",),
    numbers=12,
    layer="changes",
    guidance=1.5,
    makers=("jaw-dots",),
)
RIGFACE = Paired(
    name="rigface",
    denoiser="pre_trained/unet_denoise",
    identity="pre_trained/unet_id",
    pictures=("background", "render"),
    numbers=64,
    layer="expression",
    makers=("grey-person", "rig-render"),
    zeros=("expression",),
)
KNOWN = (MAGICFACE, RIGFACE)


def _inside(identity: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The released UNet's names as those of the plugin that holds it."""
    return {f"unet.{key}": tensor for key, tensor in identity.items()}


def _identity_weights(path: Path) -> dict[str, Tensor]:
    return _inside(Ledger.of(path).take_all())

"""The published files: three of one denoiser, later ones before earlier ones, its twin, and three geometry encoders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from diffusers import AutoencoderKL, DDIMScheduler
from torch import Tensor

from faceforge.plugin import Backbone, BadWeights, Base, Files, IdentityEncoder, Ledger, Release, filled
from faceforge_plugins.magicportrait.geometry import MAPS, Geometry
from faceforge_plugins.magicportrait.motion import Motion

MOTION = "motion_module-47360.pth"
DENOISER = "denoising_unet.pth"
IDENTITY = "reference_unet.pth"
VAE = "sd-vae-ft-mse"
SCHEDULE = {  # zero terminal signal: at the first step nothing of the picture is left
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "linear",
    "steps_offset": 1,
    "clip_sample": False,
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "prediction_type": "v_prediction",
}
DEFAULTS = {"prompt": "A close up of a person.", "guidance": 3.5, "steps": 20}

RENAMED = {  # inside a motion module: theirs -> diffusers'
    ".attention_blocks.0.pos_encoder.": ".pos_embed.",
    ".attention_blocks.0.": ".attn1.",
    ".attention_blocks.1.": ".attn2.",
    ".norms.0.": ".norm1.",
    ".norms.1.": ".norm2.",
    ".ff_norm.": ".norm3.",
}
FIRST_PLACES = ".attention_blocks.0.pos_encoder.pe"
SECOND_PLACES = ".attention_blocks.1.pos_encoder.pe"  # diffusers reads the first for both
MODULE = re.compile(r"(?P<block>.+)\.motion_modules\.(?P<layer>\d+)\.temporal_transformer\.(?P<rest>.+)")
ATTENTION = "attentions.5."  # the only one of an encoder's seven that its code ever runs
STRIDED = ("blocks.1", "blocks.3", "blocks.5")
OUTPUTS = ("conv_norm_out.", "conv_out.")


class Ledgers(NamedTuple):
    """The files of a release, opened."""

    motion: Ledger
    denoiser: Ledger
    identity: Ledger
    geometry: Mapping[str, Ledger]


def convert(files: Files, base: Base) -> Release:
    """The release in these folders on a base's stock UNet, which only supplies what the files leave out."""
    identity = files.path(f"ckpts/{IDENTITY}")
    geometry = {name: opened(files.path(f"ckpts/guidance_encoder_{name}.pth")) for name in MAPS}
    motion, denoiser = (opened(files.path(f"ckpts/{name}")) for name in (MOTION, DENOISER))
    release = from_ledgers(Ledgers(motion, denoiser, opened(identity), geometry), base())
    backbone = release.backbone
    backbone.vae = AutoencoderKL.from_pretrained(files.path(f"{VAE}/config.json").parent, local_files_only=True).eval()
    backbone.sources.pop("vae", None)
    release.plugins[0].reread = partial(_identity_weights, identity, backbone)
    return release


def opened(path: Path) -> Ledger:
    return Ledger.of(path, "module.")


def from_ledgers(ledgers: Ledgers, backbone: Backbone) -> Release:
    """Backbone, identity, geometry and motion with the release's weights, and what each file gave."""
    moving, report = _denoiser(ledgers, backbone)
    backbone.scheduler = DDIMScheduler(**SCHEDULE)
    person = IdentityEncoder(normed=True, null="drop", scaled=True, half=True)
    person.built_on(backbone, _identity(ledgers.identity, backbone))
    report.append(ledgers.identity.close("identity"))
    maps: dict[str, Tensor] = {}
    for name, ledger in ledgers.geometry.items():
        widths = tuple(ledger.shape(f"{layer}.weight")[0] for layer in ("conv_in", *STRIDED))
        maps |= _encoder(name, ledger)
        report += ledger.ignore("their code never runs them", lambda key: key.startswith(("attentions.", "guidance_")))
        report.append(ledger.close("geometry"))
    return Release(backbone, [person, Geometry(widths=widths).built_on(backbone, maps), moving], DEFAULTS, report)


def _denoiser(ledgers: Ledgers, backbone: Backbone) -> tuple[Motion, list[str]]:
    """Fills the backbone and the motion modules; of tensors that several files hold, the last one counts."""
    dtype = backbone.dtype
    merged = {key: ("the stock UNet", tensor) for key, tensor in backbone.unet.state_dict().items()}
    held = {"the stock UNet": len(merged)}
    for ledger in (ledgers.motion, ledgers.denoiser):
        tensors = ledger.take_all()
        merged |= {key: (ledger.name, tensor) for key, tensor in tensors.items()}
        held[ledger.name] = len(tensors)
        ledger.close("")
    counted = Counter(source for source, _ in merged.values())
    tensors = {key: tensor for key, (_, tensor) in merged.items()}
    between = _motion(tensors, backbone)
    if not between:
        raise BadWeights(f"Neither {MOTION} nor {DENOISER} holds a motion module. Give the files of the release.")
    filled(backbone.unet, {key: each for key, each in tensors.items() if not MODULE.match(key)}, DENOISER)
    backbone.unet.to(dtype)
    report = [f"{name}: {counted[name]} of {total} tensors kept -> backbone, motion" for name, total in held.items()]
    return Motion().built_on(backbone, between), report


def _motion(tensors: Mapping[str, Tensor], backbone: Backbone) -> dict[str, Tensor]:
    """The motion modules among a denoiser's tensors, by the names of the plugin that holds them."""
    found = {}
    for key, part in ((key, part) for key in tensors if (part := MODULE.match(key))):
        if key.endswith(SECOND_PLACES):
            first = tensors.get(key.replace(SECOND_PLACES, FIRST_PLACES))
            if first is None or not (first.is_meta or torch.equal(first, tensors[key])):
                raise BadWeights(f"{key!r} is not what the first attention has; it is another model.")
            continue
        rest = part["rest"]
        for theirs, ours in RENAMED.items():
            rest = rest.replace(theirs, ours)
        site = f"{part['block']}.attentions.{part['layer']}"
        if site not in backbone.temporal_sites:
            site = f"{part['block']}.resnets.{part['layer']}"
        found[f"temporal.sites.{site.replace('.', '/')}.{rest}"] = tensors[key]
    return found


def _identity(ledger: Ledger, backbone: Backbone) -> dict[str, Tensor]:
    """The twin by the names of the plugin that holds it; its output layers, which nothing reads, are not published."""
    outputs = {key: each for key, each in backbone.unet.state_dict().items() if key.startswith(OUTPUTS)}
    tensors = {**{key: torch.zeros_like(each) for key, each in outputs.items()}, **ledger.take_all()}
    return {f"unet.{key}": tensor for key, tensor in tensors.items()}


def _identity_weights(path: Path, backbone: Backbone) -> dict[str, Tensor]:
    return _identity(opened(path), backbone)


def _encoder(name: str, ledger: Ledger) -> dict[str, Tensor]:
    """What runs of one map's encoder."""
    live = ledger.take_all(lambda key: key.startswith(("conv_", "blocks.", ATTENTION)))
    return {f"encoders.{name}.{key.replace(ATTENTION, 'attention.')}": tensor for key, tensor in live.items()}

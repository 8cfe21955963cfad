"""Objectives of diffusion models: the denoiser with its plugins, and the autoencoder below it.

Both train a whole model, a saved folder or a builder by name, and save it as one that `faceforge.load` opens.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler
from pydantic import Field, NonNegativeFloat
from torch import Tensor, nn

from faceforge.aus import ORDERS
from faceforge.core.backbone import Backbone
from faceforge.core.objective import Objective
from faceforge.core.plugin import Plugin
from faceforge.core.types import Request
from faceforge.errors import nearest
from faceforge.forge import Forge
from faceforge.jobs import Defaults
from faceforge.models import load_forge
from faceforge.spec import EditSpec
from faceforge.store.backbones import mini, sd15, sd21, tiny
from faceforge.store.checkpoint import save
from faceforge.store.registry import plugin_class
from faceforge_training.errors import BadRecipe

BUILDERS: Mapping[str, Callable[[], Backbone]] = {"tiny": tiny, "mini": mini, "sd15": sd15, "sd21": sd21}
UNITS = ORDERS["disfa12"]

Wanted = list[dict[str, Any]]  # plugins: what each is called where plugins are listed, and its options
Prediction = Literal["epsilon", "v_prediction", "sample"]
Drop = Annotated[float, Field(ge=0, le=1)]


class DenoiseObjective(nn.Module):
    """A backbone with plugins, of which the parts named by `train` learn: unet, text, plugins, or a plugin's name.

    A LoRA is a plugin: `lora`, or one that brings its own.
    """

    def __init__(
        self,
        backbone: str,
        plugins: Wanted | None = None,
        *,
        train: list[str],
        prediction: Prediction = "epsilon",
        min_snr: NonNegativeFloat = 0.0,
        zero_terminal_snr: bool = False,
        drop: Drop = 0.0,
        checkpointing: bool = False,
        defaults: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        _refuse_untaught_ends(prediction, min_snr, zero_terminal_snr)
        self.forge = forged(backbone, plugins or [], Defaults(**defaults) if defaults else None)
        parts = self.forge.backbone
        parts.scheduler = scheduled(parts.scheduler, prediction, zero_terminal_snr=zero_terminal_snr)
        self.step = Objective(
            parts,
            list(self.forge.plugins.values()),
            noise_scheduler=DDIMScheduler.from_config(parts.scheduler.config),
            drop=drop,
            min_snr=min_snr or None,
        )
        self.vae, self.text = parts.vae, getattr(parts.text, "model", None)  # to be trained, moved and kept with it
        choose(self.forge, train)
        if checkpointing:
            parts.unet.enable_gradient_checkpointing()

    def forward(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """The loss of a batch as `requests_of` and `latents_of` read it."""
        outcome = self.step(requests_of(batch), latents_of(batch, self.forge.backbone))
        return {"denoise": outcome.loss}

    def save(self, folder: Path, name: str) -> None:
        """A Forge in half precision."""
        self.forge.name = name
        save(self.forge, folder, packed=True)


class VaeObjective(nn.Module):
    """The autoencoder of a backbone: pixels, their differences on several scales, and a little order in the latents."""

    def __init__(self, backbone: str, *, edges: NonNegativeFloat = 1.0, kl: NonNegativeFloat = 1e-6) -> None:
        super().__init__()
        self.forge = forged(backbone, [], None)
        found = self.forge.backbone.vae
        if found is None:
            raise BadRecipe(f"objective.backbone={backbone!r} has no autoencoder to train. Name one that has.")
        self.vae, self.edges, self.kl = found, edges, kl
        # How far latents spread is known when the training ends: a running estimate, kept with the weights.
        self.register_buffer("spread", torch.tensor(1.0 / found.config.scaling_factor))
        self.spread: Tensor

    def forward(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Losses of `picture` (B, 3, H, W) in -1..1."""
        pictures = batch["picture"]
        posterior = self.vae.encode(pictures).latent_dist
        latents = posterior.sample()
        with torch.no_grad():
            self.spread.lerp_(latents.float().std(), 0.01)
        again = self.vae.decode(latents).sample
        return {
            "pixels": F.l1_loss(again, pictures),
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


def forged(backbone: str, plugins: Wanted, defaults: Defaults | None) -> Forge:
    """A model with exactly these plugins: those that it has keep their weights, others are new."""
    found = Forge(BUILDERS[backbone]()) if backbone in BUILDERS else load_forge(backbone)
    own = {name: found.detach(name) for name in list(found.plugins) if name != "text"}
    made = [_plugin(wanted, own) for wanted in plugins]
    return Forge(found.backbone, made, defaults=defaults or found.defaults)


def _plugin(wanted: Mapping[str, Any], own: Mapping[str, Plugin]) -> Plugin:
    options = {name: value for name, value in wanted.items() if name != "name"}
    if "name" not in wanted:
        raise BadRecipe(f"objective.plugins: {dict(wanted)!r} has no name. Write it like {{ name = 'identity' }}.")
    kind = plugin_class(wanted["name"])
    able = [name for name, each in signature(kind).parameters.items() if each.kind is each.KEYWORD_ONLY]
    for name in options:
        if name not in able:
            raise BadRecipe(f"objective.plugins: {wanted['name']!r} has no option {name!r}. {nearest(name, able)}")
    made = kind(**options)
    known = own.get(made.name)
    if known is not None and known.options != made.options:
        raise BadRecipe(f"objective.plugins: the model has {made.name!r} with {known.options!r}, not {made.options!r}.")
    return made if known is None else known


def scheduled(scheduler: Any, prediction: Prediction, *, zero_terminal_snr: bool) -> Any:
    """The same sampler for a network that predicts something else, or that starts from pure noise."""
    changed: dict[str, Any] = {"prediction_type": prediction, "rescale_betas_zero_snr": zero_terminal_snr}
    if zero_terminal_snr:
        changed["timestep_spacing"] = "trailing"  # so that sampling does begin there
    return type(scheduler).from_config(scheduler.config, **changed)


def choose(forge: Forge, train: Sequence[str]) -> None:
    """Let the named parts learn and freeze all others; what plugins froze themselves stays frozen."""
    plugins = {name: plugin for name, plugin in forge.plugins.items() if name != "text"}
    able = {name: [p for p in plugin.parameters() if p.requires_grad] for name, plugin in plugins.items()}
    low_rank = {id(each) for parameters in able.values() for each in parameters}
    backbone, text = forge.backbone, getattr(forge.backbone.text, "model", None)
    parts = {
        "unet": [p for p in backbone.unet.parameters() if id(p) not in low_rank],
        "text": [] if text is None else list(text.parameters()),
        "plugins": [each for parameters in able.values() for each in parameters],
        **able,
    }
    for name in train:
        if name not in parts or not parts[name]:
            raise BadRecipe(
                f"objective.train: nothing called {name!r} can learn. {nearest(name, [n for n in parts if parts[n]])}"
            )
    modules = (backbone.unet, backbone.vae, text, *forge.plugins.values())
    for module in modules:
        if module is not None:
            module.requires_grad_(False)
    for name in train:
        for parameter in parts[name]:
            parameter.requires_grad_(True)


def requests_of(batch: Mapping[str, Any]) -> list[Request]:
    """A batch's rows: `prompts`, `aus` and `measured` (B, 12), and by prefix `picture.`, `latent.` and `vector.`."""
    named = {kind: _named(batch, f"{kind}.") for kind in ("picture", "latent", "vector")}
    found = []
    for row, prompt in enumerate(batch["prompts"]):
        aus = dict(zip(UNITS, batch["aus"][row].tolist(), strict=True)) if "aus" in batch else {}
        measured = dict(zip(UNITS, batch["measured"][row].tolist(), strict=True)) if "measured" in batch else None
        spec = EditSpec(prompt=prompt, negative_prompt="", aus=aus)
        pictures, latents, vectors = ({name: each[row] for name, each in named[kind].items()} for kind in named)
        found.append(Request(spec, pictures, vectors, measured, latents))
    return found


def latents_of(batch: Mapping[str, Any], backbone: Backbone) -> Tensor:
    """The scaled latents to be denoised: `latents`, not scaled, or those of `picture`."""
    found: Tensor = batch["latents"] if "latents" in batch else backbone.encode_picture(batch["picture"])
    return found.float() * backbone.latent_scale


def _named(batch: Mapping[str, Any], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): each for name, each in batch.items() if name.startswith(prefix)}


def _refuse_untaught_ends(prediction: str, min_snr: float, zero_terminal_snr: bool) -> None:
    if zero_terminal_snr and prediction == "epsilon":
        raise BadRecipe(
            "objective.zero_terminal_snr=true: in pure noise an epsilon says nothing of the picture. "
            'Set objective.prediction to "v_prediction" or "sample".'
        )
    if zero_terminal_snr and min_snr:
        raise BadRecipe(
            f"objective.min_snr={min_snr:g} gives pure noise the weight 0, so that the first step of every picture "
            f"would never be learned. Leave it out with zero_terminal_snr."
        )

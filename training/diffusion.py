"""The objective of diffusion models: a denoiser and its plugins, saved as a model that `faceforge.load` opens."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch.nn.functional as F
from diffusers import DDIMScheduler
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor, nn

from faceforge.aus import ORDERS
from faceforge.core.backbone import Backbone
from faceforge.core.types import Request
from faceforge.jobs import Defaults
from faceforge.objective import Objective
from faceforge.plugin import zeroed
from faceforge.spec import EditSpec
from faceforge.store.checkpoint import save
from faceforge_training.assembling import Wanted, choose, forged
from faceforge_training.errors import BadRecipe

UNITS = ORDERS["disfa12"]

Prediction = Literal["epsilon", "v_prediction", "sample"]
Drop = Annotated[float, Field(ge=0, le=1)]


class DenoiseObjective(nn.Module):
    """A backbone with plugins, of which the parts named by `train` learn: unet, text, plugins, or a plugin's name.

    A LoRA is a plugin: `lora`, or one that brings its own. `anew` says that the network is to predict something else
    than it did: its last layer begins at zero.
    """

    def __init__(
        self,
        backbone: str,
        plugins: Wanted | None = None,
        *,
        train: list[str],
        prediction: Prediction = "epsilon",
        min_snr: NonNegativeFloat = 0.0,
        lean: PositiveFloat = 1.0,
        zero_terminal_snr: bool = False,
        drop: Drop = 0.0,
        anew: bool = False,
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
            lean=lean,
        )
        self.vae, self.text = parts.vae, getattr(parts.text, "model", None)  # to be trained, moved and kept with it
        if anew:
            zeroed(parts.unet.conv_out)
        choose(self.forge, train)
        if checkpointing:
            parts.unet.enable_gradient_checkpointing()

    def forward(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """The loss of a batch as `requests_of` and `latents_of` read it; `counts` (B, 1, H, W) weighs its places."""
        latents = latents_of(batch, self.forge.backbone)
        counts = F.interpolate(batch["counts"], latents.shape[-2:], mode="area") if "counts" in batch else None
        outcome = self.step(requests_of(batch), latents, counts=counts)
        return {"denoise": outcome.loss}

    def save(self, folder: Path, name: str) -> None:
        """A Forge in half precision."""
        self.forge.name = name
        save(self.forge, folder, packed=True)


def scheduled(scheduler: Any, prediction: Prediction, *, zero_terminal_snr: bool) -> Any:
    """The same sampler for a network that predicts something else, or that starts from pure noise."""
    changed: dict[str, Any] = {"prediction_type": prediction, "rescale_betas_zero_snr": zero_terminal_snr}
    if zero_terminal_snr:
        changed["timestep_spacing"] = "trailing"  # so that sampling does begin there
    return type(scheduler).from_config(scheduler.config, **changed)


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

"""Where a run of a Forge begins: its scheduler, its noise, and the pictures it may start from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from faceforge.core.backbone import Backbone
from faceforge.core.start import Start, from_noise, from_picture
from faceforge.errors import BadSpec
from faceforge.jobs import Job, Ready
from faceforge.spec import EditSpec


def scheduler_for(backbone: Backbone, spec: EditSpec) -> Any:
    """A scheduler of its own for one run."""
    scheduler: Any = type(backbone.scheduler).from_config(backbone.scheduler.config)
    scheduler.set_timesteps(spec.steps, device=backbone.device)
    if int(scheduler.timesteps.max()) >= scheduler.config.num_train_timesteps:
        raise BadSpec(f"steps={spec.steps} is more than {type(scheduler).__name__} can take here. Ask for fewer.")
    return scheduler


def latent_shape(backbone: Backbone, spec: EditSpec) -> tuple[int, int, int]:
    """Channels, height and width of what is denoised for a completed spec."""
    width, height = spec.width_and_height or (backbone.size, backbone.size)
    return backbone.latent_channels, height // backbone.factor, width // backbone.factor


def with_given(backbone: Backbone, drawn: Tensor, jobs: Sequence[Job]) -> Tensor:
    """Noise (items, C, h, w) on the device, with the latents of those jobs that bring their own."""
    for number, job in enumerate(jobs):
        if job.latents is not None:
            drawn[number] = _given(job.latents, tuple(drawn.shape[1:]))
    return drawn.to(backbone.device, backbone.dtype)


def start_of(spec: EditSpec, scheduler: Any, drawn: Tensor, pictures: Sequence[Tensor]) -> Start:
    """Noise, or the latents of the rows' pictures if they start from any."""
    if not spec.start_at:
        return from_noise(scheduler, drawn)
    return from_picture(scheduler, torch.cat(list(pictures)).to(drawn), drawn, spec.start_at)


def start_picture(backbone: Backbone, row: Ready) -> Tensor:
    """Scaled latents (1, C, h, w) of the picture that a row starts from."""
    name = row.spec.start or "source"
    pictures = row.request.pictures
    if name not in pictures:
        given = ", ".join(pictures) or "none"
        raise BadSpec(f"start={name!r} is not one of the pictures given ({given}). Give it, or leave start_at out.")
    return backbone.encode_picture(pictures[name][None]) * backbone.latent_scale


def _given(latents: Tensor, shape: tuple[int, ...]) -> Tensor:
    found = torch.as_tensor(latents)
    found = found[0] if found.ndim == 4 and len(found) == 1 else found
    if tuple(found.shape) != shape:
        raise BadSpec(f"latents have shape {tuple(found.shape)}, expected {shape}. Set `size` to match them.")
    return found

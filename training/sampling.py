"""Pictures that a model in training makes of known edits, and how close they come to the truth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from faceforge.core.backbone import Backbone
from faceforge.core.loop import denoise
from faceforge.core.manifest import Manifest
from faceforge.core.requests import Requests
from faceforge.core.start import from_noise, from_picture, noise
from faceforge.forge import Forge
from faceforge.io.pictures import write_picture
from faceforge.jobs import to_image
from faceforge_training.diffusion import requests_of
from faceforge_training.editing import Edits
from faceforge_training.known import Known

_AT_ONCE = 8
_WARP = Manifest(name="start", version="1.0", needs=("pictures.warp",))
_FEW = 12  # pixels that a photograph cannot know: fewer tell nothing


@torch.no_grad()
def sampled(forge: Forge, known: Known, steps: int, start_at: float = 0.0) -> Tensor:
    """What a model makes of known edits, (N, 3, n, n) in -1..1; `start_at` of the way along it starts from the warp."""
    rows = Edits(known, _AT_ONCE, 0)
    parts = torch.arange(len(known)).split(_AT_ONCE)
    return torch.cat([made_of(forge, rows.rows(part), steps, start_at) for part in parts])


@torch.no_grad()
def made_of(forge: Forge, batch: Mapping[str, Any], steps: int, start_at: float = 0.0) -> Tensor:
    backbone = forge.backbone
    requests = requests_of({name: _on(each, backbone) for name, each in batch.items()})
    scheduler: Any = type(backbone.scheduler).from_config(backbone.scheduler.config)
    scheduler.set_timesteps(steps, device=backbone.device)
    side = backbone.size // backbone.factor
    generators = [torch.Generator().manual_seed(number) for number in range(len(requests))]
    drawn = noise((backbone.latent_channels, side, side), generators).to(backbone.device, backbone.dtype)
    start = from_noise(scheduler, drawn)
    if start_at:
        warp = Requests(requests, _WARP, backbone).latents("warp", scaled=True)
        start = from_picture(scheduler, warp, drawn, start_at)
    with forge.prepared(requests) as run:
        latents = denoise(run, scheduler, start, generators=generators)
    return backbone.decode_latents(latents).float().cpu().clamp(-1, 1)


def psnr(one: Tensor, other: Tensor, where: Tensor) -> Tensor:
    """In dB over the chosen pixels of each picture (N,); NaN where hardly any are chosen."""
    errors = ((one - other) / 2).square().mean(1) * where
    count = where.sum((1, 2))
    found = -10 * torch.log10((errors.sum((1, 2)) / count.clamp(min=1)).clamp(min=1e-8))
    return torch.where(count < _FEW, torch.nan, found)


def repaired(made: Tensor, warp: Tensor, unknown: Tensor) -> Tensor:
    """The warp with the model's own where a photograph cannot know (N, 1, h, w), softly, nearly as users get it."""
    return torch.lerp(warp, made, torch.maximum(unknown, avg_pool2d(unknown, 3, 1, 1)))


def composed(made: Tensor, warp: Tensor, again: Tensor, unknown: Tensor) -> Tensor:
    """The warp with what the model changed of it, and the model's own where a photograph cannot know (N, 1, h, w).

    What the autoencoder loses of the warp (`again`) it loses of the edit too: in their difference it cancels.
    """
    return (warp + made - again).clamp(-1, 1).lerp(made, unknown)


@torch.no_grad()
def again(backbone: Backbone, pictures: Tensor) -> Tensor:
    parts = [backbone.encode_picture(part) * backbone.latent_scale for part in pictures.split(_AT_ONCE)]
    return torch.cat([backbone.decode_latents(part).float().cpu().clamp(-1, 1) for part in parts])


def sheet(rows: Sequence[Sequence[Tensor]], path: Path) -> None:
    """Pictures (3, n, n) in -1..1 side by side, rows below each other, in one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    widest = max(len(row) for row in rows)
    full = [[*row, *[torch.zeros_like(row[0])] * (widest - len(row))] for row in rows]
    write_picture(to_image(torch.cat([torch.cat(list(row), 2) for row in full], 1)), path)


def _on(value: Any, backbone: Backbone) -> Any:
    return value.to(backbone.device) if isinstance(value, Tensor) else value

"""Clips: frames that are denoised together, read one by one, and decoded one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from faceforge.core.loop import Step, denoise
from faceforge.core.rows import mover
from faceforge.core.start import noise
from faceforge.core.types import Request
from faceforge.errors import BadSpec
from faceforge.jobs import Job, ready, to_image, wished
from faceforge.result import Result, provenance
from faceforge.spec import EditSpec
from faceforge.windows import Windows

if TYPE_CHECKING:
    from faceforge.forge import Forge

SHARED = ("seed", "size", "steps", "start", "start_at")  # what the frames of one clip agree in


def animate(
    forge: Forge, jobs: Sequence[Job], windows: Windows, after_step: Callable[[Step], None]
) -> Iterator[Result]:
    """One result per job, each decoded only when it is asked for."""
    specs = [wished(job, forge.backbone, forge.plugins, forge.defaults) for job in jobs]
    _check(forge, specs, windows)
    began = time.perf_counter()
    reader = _Reader(forge, jobs, windows)
    with forge.backbone.lock, torch.no_grad():
        forge.remember()
        with forge.prepared(reader.requests(), specs=specs, windows=windows.over(len(jobs))) as run:
            encoded = time.perf_counter()
            generator = torch.Generator().manual_seed(specs[0].seed)
            scheduler = forge.scheduler(specs[0])
            start = forge.start(specs[0], scheduler, _drawn(forge, jobs, specs[0], generator), reader.begins)
            generators = [generator] * len(jobs)
            latents = denoise(run, scheduler, start, generators=generators, after_step=after_step)
    spent = {"encode": encoded - began, "denoise": time.perf_counter() - encoded}
    seconds = {name: value / len(jobs) for name, value in spent.items()}
    for number, spec in enumerate(specs):
        yield _result(forge, reader, number, spec, latents[number], seconds)


class _Reader:
    """Opens the pictures of one frame after the other, and keeps only what its result will say."""

    def __init__(self, forge: Forge, jobs: Sequence[Job], windows: Windows) -> None:
        self.forge = forge
        self.jobs = jobs
        self.windows = windows
        self.histories: list[dict[str, Any]] = []
        self.notes: list[tuple[str, ...]] = []
        self.begins: list[Tensor] = []  # latents of the pictures that frames start from, where they start from any

    def requests(self) -> Iterator[Request]:
        forge = self.forge
        for number, job in enumerate(self.jobs):
            row = ready(job, forge.backbone, forge.plugins, forge.defaults)
            place = {"frame": number, "frames": len(self.jobs), "windows": self.windows.model_dump()}
            self.histories.append({**provenance(forge, row), "clip": place})
            self.notes.append(row.notes)
            if row.spec.start_at:
                self.begins.append(forge.start_picture(row))
            yield row.request


def _result(
    forge: Forge, reader: _Reader, number: int, spec: EditSpec, latents: Tensor, seconds: dict[str, float]
) -> Result:
    began = time.perf_counter()
    image = None
    if forge.backbone.vae is not None:
        with forge.backbone.lock:
            image = to_image(forge.backbone.decode_latents(latents[None])[0])
    spent = {**seconds, "decode": time.perf_counter() - began}
    return Result(image, spec, latents.clone(), spent, reader.histories[number], reader.notes[number])


def _drawn(forge: Forge, jobs: Sequence[Job], spec: EditSpec, generator: torch.Generator) -> Tensor:
    """Noise (frames, C, h, w): of the whole clip from one seed, but a frame may bring its own."""
    channels, height, width = forge.latent_shape(spec)
    drawn = noise((channels, len(jobs), height, width), [generator])[0].transpose(0, 1)
    return forge.with_given(drawn, jobs)


def _check(forge: Forge, specs: Sequence[EditSpec], windows: Windows) -> None:
    for number, spec in enumerate(specs):
        for name in SHARED:
            first, own = getattr(specs[0], name), getattr(spec, name)
            if own != first:
                raise BadSpec(f"Frame {number} has {name}={own!r}, frame 0 {first!r}. Frames of a clip agree in it.")
    moving = mover(forge.plugins.values())
    longest = len(specs) if moving is None or moving.temporal is None else moving.temporal.longest
    if min(windows.length, len(specs)) > longest:
        raise BadSpec(
            f"Windows of {windows.length} frames are longer than the {longest} that {moving.name if moving else ''!r} "
            f"can tell apart. Give windows={{'length': {longest}}}."
        )

"""Clips: frames that are denoised together, read one by one, and decoded one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from faceforge import memory
from faceforge.core.loop import Run, Step, denoise
from faceforge.core.rows import calls, mover
from faceforge.core.start import noise
from faceforge.core.temporal import Window, consecutive
from faceforge.core.types import Request
from faceforge.errors import BadSpec, Cancelled
from faceforge.jobs import Job, ready, to_image, wished
from faceforge.result import Result, provenance
from faceforge.spec import EditSpec
from faceforge.starting import latent_shape, scheduler_for, start_of, start_picture, with_given
from faceforge.windows import Windows

if TYPE_CHECKING:
    from faceforge.forge import Forge

SHARED = ("seed", "size", "steps", "start", "start_at")  # what the frames of one clip agree in


@dataclass(frozen=True)
class Watch:
    """Who hears of a clip's progress, and may stop it after any call of the network."""

    progress: Callable[[Step], None] | None = None
    share_done: Callable[[float], None] | None = None
    cancelled: Callable[[], bool] | None = None

    def over(self, run: Run, steps: int) -> Run:
        """The run that tells of every call it makes."""
        done, total = 0, max(steps * len(run.calls), 1)

        def after_call() -> None:
            nonlocal done
            done += 1
            if self.share_done is not None:
                self.share_done(done / total)
            if self.cancelled is not None and self.cancelled():
                raise Cancelled(f"Stopped after {done} of {total} parts, as asked; nothing was written.")

        return replace(run, after_call=after_call)


def animate(forge: Forge, jobs: Sequence[Job], windows: Windows, watch: Watch) -> Iterator[Result]:
    """One result per job, each decoded only when it is asked for."""
    clip = _Clip(forge, jobs, windows, [wished(job, forge.backbone, forge.plugins, forge.defaults) for job in jobs])
    clip.check()
    with forge.backbone.lock, torch.no_grad():
        latents = clip.denoised(watch)
    for number in range(len(jobs)):
        yield clip.result(number, latents[number])


@dataclass
class _Clip:
    """One clip on its way; of the pictures of a frame it keeps only what its result will say of them."""

    forge: Forge
    jobs: Sequence[Job]
    windows: Windows
    specs: Sequence[EditSpec]
    histories: list[dict[str, Any]] = field(default_factory=list)
    notes: list[tuple[str, ...]] = field(default_factory=list)
    begins: list[Tensor] = field(default_factory=list)  # latents of the pictures that frames start from, if any
    seconds: Mapping[str, float] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse what cannot be one clip before anything is opened."""
        if not self.jobs:
            raise BadSpec("A clip has no frames. Give one job for each.")
        for number, spec in enumerate(self.specs):
            for name in SHARED:
                first, own = getattr(self.specs[0], name), getattr(spec, name)
                if own != first:
                    raise BadSpec(f"Frame {number} has {name}={own!r}, frame 0 {first!r}. Give all frames the same.")
        moving = mover(self.forge.plugins.values())
        if moving is None or moving.temporal is None:
            return
        longest = moving.temporal.longest
        if min(self.windows.length, len(self.jobs)) > longest:
            raise BadSpec(
                f"Windows of {self.windows.length} frames are longer than the {longest} that {moving.name!r} "
                f"can tell apart. Give Windows(length={longest})."
            )

    def denoised(self, watch: Watch) -> Tensor:
        """Latents (frames, C, h, w) after the last step."""
        forge, spec, cut = self.forge, self.specs[0], self.cut()
        began = time.perf_counter()
        forge.remember()
        with forge.prepared(self.requests(), specs=self.specs, windows=cut) as run:
            encoded = time.perf_counter()
            generator = torch.Generator().manual_seed(spec.seed)
            scheduler = scheduler_for(forge.backbone, spec)
            start = start_of(spec, scheduler, self.drawn(generator), self.begins)
            run = watch.over(self.widened(run, cut, start.latents), len(start.timesteps))
            generators = [generator] * len(self.jobs)
            latents = denoise(run, scheduler, start, generators=generators, after_step=watch.progress)
        spent = {"encode": encoded - began, "denoise": time.perf_counter() - encoded}
        self.seconds = {name: value / len(self.jobs) for name, value in spent.items()}
        return latents

    def cut(self) -> list[Window]:
        """The windows of this clip; they need no overlap where frames do not read one another."""
        if mover(self.forge.plugins.values()) is None:
            return consecutive(len(self.jobs), self.windows.length)
        return self.windows.over(len(self.jobs))

    def requests(self) -> Iterator[Request]:
        """Opens the pictures of one frame after the other."""
        forge, first = self.forge, None
        for number, job in enumerate(self.jobs):
            row = ready(job, forge.backbone, forge.plugins, forge.defaults)
            first = first or row.together
            if row.together != first:
                raise BadSpec(
                    f"Frame {number} brings other pictures or vectors than frame 0. Give all frames the same."
                )
            place = {"frame": number, "frames": len(self.jobs), "windows": self.windows.model_dump()}
            self.histories.append({**provenance(forge, row), "clip": place})
            self.notes.append(row.notes)
            if row.spec.start_at:
                self.begins.append(start_picture(forge.backbone, row))
            yield row.request

    def drawn(self, generator: torch.Generator) -> Tensor:
        """Noise (frames, C, h, w): of the whole clip from one seed, but a frame may bring its own."""
        channels, height, width = latent_shape(self.forge.backbone, self.specs[0])
        of_clip = noise((channels, len(self.jobs), height, width), [generator])[0]
        return with_given(self.forge.backbone, of_clip.transpose(0, 1), self.jobs)

    def widened(self, run: Run, cut: Sequence[Window], latents: Tensor) -> Run:
        """The same run with as many windows in one call as fit into memory, where nobody has set a number."""
        if self.forge.rows_per_call or len(cut) == 1:
            return run

        def one() -> Tensor:
            return run.ask(0, run.calls[0], latents, torch.tensor(0, device=latents.device), 0.0)

        at_once = memory.fit_side_by_side(self.forge.device, one)
        if at_once == 1:
            return run
        rows = (row for call in run.calls for row in call.rows)
        return replace(run, calls=calls(rows, at_once * len(cut[0].items), cut))

    def result(self, number: int, latents: Tensor) -> Result:
        """A frame's picture, made now."""
        began = time.perf_counter()
        image = None
        if self.forge.backbone.vae is not None:
            with self.forge.backbone.lock:
                image = to_image(self.forge.backbone.decode_latents(latents[None])[0])
        seconds = {**self.seconds, "decode": time.perf_counter() - began}
        return Result(image, self.specs[number], latents.clone(), seconds, self.histories[number], self.notes[number])

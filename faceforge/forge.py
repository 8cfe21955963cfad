"""The front door: a backbone with plugins that edits faces, makes new ones, and is saved and loaded as one thing."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from faceforge import clips, memory
from faceforge.aligning import Aligner, joined, plan
from faceforge.core import lora
from faceforge.core.backbone import Backbone
from faceforge.core.cache import Cache
from faceforge.core.guidance import ClassifierFree, Guidance
from faceforge.core.loop import Run, Step, denoise
from faceforge.core.plugin import Plugin
from faceforge.core.points import Law
from faceforge.core.rows import Encoder, calls, mover, of_a_clip, rows_of
from faceforge.core.start import noise
from faceforge.core.temporal import Window
from faceforge.core.text import TextPrompt
from faceforge.core.types import Request
from faceforge.editor import Editor
from faceforge.errors import BadPlugin, BadSpec, Cancelled, PluginConflict, nearest
from faceforge.face.finding import Finder
from faceforge.jobs import Defaults, Job, Ready, batches, ready, to_image
from faceforge.result import Result, provenance
from faceforge.spec import EditSpec
from faceforge.starting import latent_shape, scheduler_for, start_of, start_picture, with_given
from faceforge.windows import RELEASED, Windows

FRAMES_AT_ONCE = 8  # of a clip, that plugins encode together


class Forge(Editor):
    """A backbone, its plugins and its defaults. One edit runs at a time; a lock keeps threads apart."""

    def __init__(
        self,
        backbone: Backbone,
        plugins: Iterable[Plugin] = (),
        *,
        defaults: Defaults | None = None,
        name: str = "",
        parity: bool = False,
        lora_scales: Mapping[str, float] | None = None,
        finder: str | Finder | None = None,
    ) -> None:
        self.backbone = backbone
        self.defaults = defaults or Defaults()
        self.name = name or backbone.name
        self.parity = parity
        self.cache = Cache()
        self.rows_per_call: int | None = None
        self.notice = ""
        self.plugins: dict[str, Plugin] = {}
        self.own_lora_scales = dict(lora_scales or {})
        self.aligner = Aligner(finder)
        self._compiled = False
        self._forgetful = False
        self._visitors: list[Any] = []
        for plugin in (TextPrompt(), *plugins):
            self.attach(plugin)

    # Plugins

    def attach(self, plugin: Plugin) -> Plugin:
        """Add a plugin; its layers are built now if they have not been."""
        with self.backbone.lock:
            self._refuse_conflicts(plugin)
            if not plugin.signature:
                plugin.built_on(self.backbone)
            if plugin.lora is not None:
                if self._compiled:
                    raise BadPlugin(f"{plugin.name!r} changes weights; attach it before optimize(compile=True).")
                self.backbone.hooks.remove()  # peft puts its layers under the hooks, so the hooks go in after it
                lora.inject(self.backbone.unet, plugin.name, plugin.lora)
            self.plugins[plugin.name] = plugin.eval()
            return plugin

    def detach(self, name: str) -> Plugin:
        """Take a plugin off; the network computes again exactly what it did without it."""
        with self.backbone.lock:
            if name not in self.plugins or name == "text":
                attached = [each for each in self.plugins if each != "text"]
                raise BadPlugin(f"No plugin {name!r} can be detached. {nearest(name, attached)}")
            plugin = self.plugins.pop(name)
            if plugin.lora is not None:
                self.backbone.hooks.remove()
                lora.remove(self.backbone.unet, name)
            return plugin

    @property
    def device(self) -> torch.device:
        return self.backbone.device

    @property
    def guidance(self) -> Guidance:
        for plugin in self.plugins.values():
            if plugin.guidance is not None:
                return plugin.guidance
        return ClassifierFree(from_one=self.parity)

    def lora_scales(self, spec: EditSpec) -> dict[str, float]:
        """The factor of each plugin's LoRA for this spec: as loaded, times the plugin's strength."""
        found = {}
        for name, plugin in self.plugins.items():
            if plugin.lora is None:
                continue
            natural = plugin.lora.parity_scale if self.parity else plugin.lora.scale
            factor = self.own_lora_scales.get(name, natural)
            strength = spec.strength.get(name, 1.0)
            if isinstance(strength, tuple):
                if factor:
                    raise BadSpec(
                        f"The LoRA of {name!r} cannot follow a strength schedule. "
                        f"Give one number, or load without it: lora_scales={{{name!r}: 0}}, --lora-scale {name}=0."
                    )
                strength = 1.0
            found[name] = factor * strength
        return found

    # Pictures

    def edit_many(
        self,
        jobs: Iterable[Job],
        *,
        batch_size: int = 4,
        progress: Callable[[Step], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Result]:
        """Results in the order of the jobs; neighbours of equal size and steps share a batch.

        Where condition pictures are missing that FaceForge can make, the photograph's face is cut out, edited, and
        pasted back; where all are given, the pictures are taken as they are.
        """

        def after_step(step: Step) -> None:
            if progress is not None:
                progress(step)
            if cancelled is not None and cancelled():
                raise Cancelled(f"Stopped after step {step.number} of {step.total}, as asked; nothing was written.")

        faces: list[tuple[Ready, Result]] = []
        for batch in batches((row for job in jobs for row in self._rows(job)), batch_size, self._together):
            with self.backbone.lock, torch.no_grad():
                results = self._run(batch, after_step)
            for row, result in zip(batch, results, strict=True):
                faces.append((row, result))
                if row.placed is None or not row.placed.remaining:
                    yield joined(faces)
                    faces = []

    def animate(
        self,
        jobs: Iterable[Job],
        *,
        windows: Windows | None = None,
        progress: Callable[[Step], None] | None = None,
        share_done: Callable[[float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Result]:
        """The frames of one clip, one job each, denoised together and decoded one after the other.

        They agree in size, steps and seed. Every frame brings the pictures that plugins read; nothing is cut out.
        `share_done` hears after every window how much of the denoising is done, from 0 to 1.
        """
        default = RELEASED if self.parity else self.defaults.windows
        watch = clips.Watch(progress, share_done, cancelled)
        return clips.animate(self, list(jobs), windows or default, watch)

    def clear(self) -> None:
        self.cache.clear()

    # Speed and memory

    def optimize(
        self,
        *,
        dtype: torch.dtype | None = None,
        channels_last: bool = True,
        compile: bool = False,
        xformers: bool = False,
    ) -> Forge:
        """Trade start-up time or precision for speed; hooks go in before anything is compiled."""
        if dtype is not None:
            self.to(dtype=dtype)
        unet = self.backbone.unet
        if channels_last:
            unet.to(memory_format=torch.channels_last)
        if xformers:
            if importlib.util.find_spec("xformers") is None:
                raise BadPlugin('xformers is not installed. Install it: pip install "faceforge[xformers]".')
            unet.enable_xformers_memory_efficient_attention()
        self.backbone.hooks.install()
        if compile:
            unet.compile()
            self._compiled = True
        return self

    def low_memory(self) -> Forge:
        """Hold less at once and take longer: one row per call, a tiled VAE, plugins out of memory once encoded."""
        self.rows_per_call = 1
        backbone = self.backbone
        if backbone.vae is not None:
            backbone.vae.enable_tiling()
        parts = [backbone.vae, getattr(backbone.text, "model", None), *self.plugins.values()]
        self._visitors = memory.visitors(parts, backbone.device)
        self._forgetful = True
        return self

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Forge:
        """The whole Forge on another device or in another precision."""
        backbone = self.backbone
        modules = [backbone.unet, backbone.vae, getattr(backbone.text, "model", None), *self.plugins.values()]
        for module in modules:
            if module is not None:
                module.to(device=device, dtype=dtype)
        return self

    def save(self, folder: str | Path) -> Path:
        """Everything `load` needs, in a folder: model.json, backbone/ and plugins/NAME/."""
        from faceforge.store.checkpoint import save

        return save(self, Path(folder))

    # How a batch is made

    @contextmanager
    def prepared(
        self,
        requests: Iterable[Request],
        *,
        specs: Sequence[EditSpec] | None = None,
        windows: Sequence[Window] | None = None,
    ) -> Iterator[Run]:
        """Plugins encoded and lined up for these requests, ready to predict; holds the lock meanwhile.

        With `windows` they are frames of one clip; its requests may be made one after the other if `specs` are given.
        """
        if specs is None:
            requests = list(requests)
            specs = [request.spec for request in requests]
        scales = self.lora_scales(specs[0])
        guidance = self.guidance
        factors = [self.defaults.guidance if spec.guidance is None else spec.guidance for spec in specs]
        with self.backbone.lock, lora.activated(self.backbone.unet, scales):
            encoder = Encoder(self.backbone, self.cache, scales, parity=self.parity, waiting=windows is not None)
            used, branches = self._used(specs), [guidance.needed(factor) for factor in factors]
            if windows is None:
                made = calls(rows_of(encoder, used, requests, branches), self.rows_per_call)
            else:
                rows = of_a_clip(rows_of(encoder, used, requests, branches, at_once=FRAMES_AT_ONCE))
                made = calls(rows, self.rows_per_call or len(windows[0].items), windows)
            self._forget()
            yield Run(self.backbone, made, specs, guidance, torch.tensor(factors), mover(used))

    def _rows(self, job: Job) -> Iterator[Ready]:
        wanted = plan(job, self.plugins, self.defaults)
        row = ready(job, self.backbone, self.plugins, self.defaults, all_aus=wanted.shows_the_wish)
        yield from self.aligner.rows(row, wanted, self.defaults.crop) if wanted.made else (row,)

    def _run(self, batch: Sequence[Ready], after_step: Callable[[Step], None]) -> list[Result]:
        began = time.perf_counter()
        backbone, spec = self.backbone, batch[0].spec
        self.remember()
        histories = [provenance(self, row) for row in batch]
        scheduler = scheduler_for(backbone, spec)
        generators = [torch.Generator().manual_seed(row.spec.seed) for row in batch]
        drawn = with_given(backbone, noise(latent_shape(backbone, spec), generators), [row.job for row in batch])
        pictures = [start_picture(backbone, row) for row in batch if spec.start_at]
        start = start_of(spec, scheduler, drawn, pictures)
        with self.prepared([row.request for row in batch]) as run:
            encoded = time.perf_counter()
            latents = denoise(run, scheduler, start, generators=generators, after_step=after_step)
        denoised = time.perf_counter()
        images: Sequence[Image.Image | None] = [None] * len(batch)
        if backbone.vae is not None:
            images = [to_image(each) for each in backbone.decode_latents(latents)]
        self._forget()
        spent = {"encode": encoded - began, "denoise": denoised - encoded, "decode": time.perf_counter() - denoised}
        seconds = {name: value / len(batch) for name, value in spent.items()}
        return [
            Result(image, row.spec, latent.clone(), seconds, history, row.notes, source=_source(row))
            for image, row, latent, history in zip(images, batch, latents, histories, strict=True)
        ]

    def _together(self, row: Ready) -> object:
        return row.together, tuple(self.lora_scales(row.spec).items())

    def _used(self, specs: Sequence[EditSpec]) -> list[Plugin]:
        """Plugins that any row reads; strength zero everywhere is the same as not being there."""
        return [p for p in self.plugins.values() if any(spec.strength.get(p.name, 1.0) != 0 for spec in specs)]

    def _forget(self) -> None:
        if self._forgetful:
            for visitor in self._visitors:
                visitor.offload()
            for plugin in self.plugins.values():
                if plugin.temporal is None:  # what is between frames runs in every step
                    memory.forget(plugin)

    def remember(self) -> None:
        """Read the weights of plugins again that were left out of memory."""
        if self._forgetful:
            for plugin in self.plugins.values():
                memory.remember(plugin, self.backbone.device, self.backbone.dtype)

    def _refuse_conflicts(self, new: Plugin) -> None:
        if new.name in self.plugins:
            raise PluginConflict(f"A plugin {new.name!r} is attached already. Detach it first: detach({new.name!r}).")
        if new.signature and new.signature != self.backbone.signature:
            raise BadPlugin(
                f"{new.name!r} was made for {new.signature}, not for {self.backbone.signature}. Build it anew."
            )
        for old in self.plugins.values():
            for point in set(old.manifest.points) & set(new.manifest.points):
                if point.law is Law.ONE_OWNER:
                    raise PluginConflict(
                        f"{new.name!r} and {old.name!r} both own {point.name}. Detach one first: detach({old.name!r})."
                    )


def _source(row: Ready) -> Image.Image | None:
    return row.pictures["source"].image if "source" in row.pictures else None

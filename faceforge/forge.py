"""The front door: a backbone with plugins that edits faces, makes new ones, and is saved and loaded as one thing."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from PIL import Image
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from faceforge.core import lora
from faceforge.core.backbone import Backbone
from faceforge.core.cache import Cache
from faceforge.core.guidance import Branch, ClassifierFree, Guidance
from faceforge.core.loop import Run, Step, denoise
from faceforge.core.plugin import Plugin
from faceforge.core.points import HookPoint
from faceforge.core.requests import as_wanted, check_aus
from faceforge.core.rows import Encoder, calls, rows_of
from faceforge.core.text import TextPrompt
from faceforge.core.types import Request
from faceforge.errors import BadPlugin, BadSpec, Cancelled, PluginConflict, nearest
from faceforge.io.pictures import Picture, fit, read_picture
from faceforge.result import Result, provenance
from faceforge.spec import EditSpec

PictureLike = str | Path | bytes | Image.Image | Picture | np.ndarray[Any, Any]


class Defaults(BaseModel):
    """What a model does where the spec is silent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str = ""
    negative_prompt: str | None = None
    guidance: float = 1.0
    steps: int = 20


@dataclass(frozen=True)
class Job:
    """One edit to make: a source picture (or none), a spec, and what else the plugins read."""

    image: PictureLike | None = None
    spec: EditSpec = field(default_factory=EditSpec)
    pictures: Mapping[str, PictureLike] = field(default_factory=dict)
    vectors: Mapping[str, ArrayLike | Tensor] = field(default_factory=dict)
    measured: Mapping[str, float] | None = None
    latents: Tensor | None = None

    @classmethod
    def of(cls, image: PictureLike | None, spec: EditSpec | None, fields: Mapping[str, Any]) -> Job:
        """A job from keyword arguments: those of a job go to it, all others to its spec."""
        own = {name: value for name, value in fields.items() if name in cls.__dataclass_fields__}
        rest = {name: value for name, value in fields.items() if name not in own}
        wish = spec or EditSpec()
        return cls(image, wish.with_(**rest) if rest else wish, **own)


@dataclass(frozen=True)
class _Ready:
    """A job with everything looked up: pictures as tensors, defaults filled in."""

    job: Job
    spec: EditSpec
    request: Request
    pictures: Mapping[str, Picture]
    notes: tuple[str, ...]

    @property
    def together(self) -> tuple[object, ...]:
        """Jobs that agree in this run as one batch."""
        given = {**self.request.pictures, **{f"vector {name}": each for name, each in self.request.vectors.items()}}
        shapes = {name: tuple(tensor.shape) for name, tensor in given.items()}
        return self.spec.size, self.spec.steps, self.spec.start, self.spec.start_at, tuple(sorted(shapes.items()))


class Forge:
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
        self._lock = threading.RLock()
        self._compiled = False
        for plugin in (TextPrompt(), *plugins):
            self.attach(plugin)

    # Plugins

    def attach(self, plugin: Plugin) -> Plugin:
        """Add a plugin; its layers are built now if they have not been."""
        with self._lock:
            self._refuse_conflicts(plugin)
            if not plugin.signature:
                plugin.built_on(self.backbone)
            if plugin.lora is not None:
                self.backbone.hooks.remove()  # peft puts its layers under the hooks, so the hooks go in after it
                lora.inject(self.backbone.unet, plugin.name, plugin.lora)
            self.plugins[plugin.name] = plugin.eval()
            return plugin

    def detach(self, name: str) -> Plugin:
        """Take a plugin off; the network computes again exactly what it did without it."""
        with self._lock:
            if name not in self.plugins or name == "text":
                attached = [each for each in self.plugins if each != "text"]
                raise BadPlugin(f"No plugin {name!r} can be detached. {nearest(name, attached)}")
            plugin = self.plugins.pop(name)
            if plugin.lora is not None:
                self.backbone.hooks.remove()
                lora.remove(self.backbone.unet, name)
            return plugin

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
                        f"Give one number, or load it with lora_scale=0."
                    )
                strength = 1.0
            found[name] = factor * strength
        return found

    # Pictures

    def edit(self, image: PictureLike, spec: EditSpec | None = None, **fields: Any) -> Result:
        """One edited face. Fields of the spec may be given by name: `forge.edit("ada.png", aus={"AU12": 2}, seed=7)`.

        Further names: pictures, vectors, measured, latents (see Job), progress(Step) and cancelled() -> bool.
        """
        watch = {name: fields.pop(name) for name in ("progress", "cancelled") if name in fields}
        return next(self.edit_many([Job.of(image, spec, fields)], **watch))

    def generate(self, spec: EditSpec | None = None, **fields: Any) -> Result:
        """A new face from text and action units, without a source; takes the same names as `edit`."""
        watch = {name: fields.pop(name) for name in ("progress", "cancelled") if name in fields}
        return next(self.edit_many([Job.of(None, spec, fields)], **watch))

    def sweep(self, image: PictureLike | None, *, au: str, values: Iterable[float], **fields: Any) -> Iterator[Result]:
        """One face at several intensities of one action unit; the face itself is read once."""
        watch = {name: fields.pop(name) for name in ("progress", "cancelled", "batch_size") if name in fields}
        job = Job.of(None if image is None else _opened(image), None, fields)
        specs = [job.spec.with_(aus={**job.spec.aus, au: value}) for value in values]
        return self.edit_many([replace(job, spec=spec) for spec in specs], **watch)

    def edit_many(
        self,
        jobs: Iterable[Job],
        *,
        batch_size: int = 4,
        progress: Callable[[Step], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Result]:
        """Results in the order of the jobs; neighbours of equal size and steps share a batch."""

        def after_step(step: Step) -> None:
            if progress is not None:
                progress(step)
            if cancelled is not None and cancelled():
                raise Cancelled(f"Stopped after step {step.number} of {step.total}, as asked; nothing was written.")

        for batch in _batches((self._ready(job) for job in jobs), batch_size, self._together):
            with self._lock, torch.no_grad():
                results = self._run(batch, after_step)
            yield from results

    # Speed

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
            unet.enable_xformers_memory_efficient_attention()
        self.backbone.hooks.install()
        if compile:
            unet.compile()
            self._compiled = True
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
        from faceforge.core.checkpoint import save

        return save(self, Path(folder))

    # How a batch is made

    @contextmanager
    def prepared(self, requests: Sequence[Request]) -> Iterator[Run]:
        """Plugins encoded and lined up for these requests, ready to predict; holds the lock meanwhile."""
        specs = [request.spec for request in requests]
        scales = self.lora_scales(specs[0])
        guidance = self.guidance
        branches = [self._branches(guidance, spec) for spec in specs]
        with self._lock, lora.activated(self.backbone.unet, scales):
            encoder = Encoder(self.backbone, self.cache, scales)
            rows = rows_of(encoder, self._used(specs), requests, branches)
            factors = torch.tensor([self._guidance_of(spec) for spec in specs])
            yield Run(self.backbone, calls(rows, self.rows_per_call), specs, guidance, factors)

    def _run(self, batch: Sequence[_Ready], after_step: Callable[[Step], None]) -> list[Result]:
        started = time.perf_counter()
        backbone, first = self.backbone, batch[0].spec
        scheduler: Any = type(backbone.scheduler).from_config(backbone.scheduler.config)
        scheduler.set_timesteps(first.steps or self.defaults.steps, device=backbone.device)
        generators = [torch.Generator().manual_seed(ready.spec.seed) for ready in batch]
        latents, timesteps, skipped = self._start(batch, scheduler, generators)
        with self.prepared([ready.request for ready in batch]) as run:
            encoded = time.perf_counter()
            latents = denoise(
                run,
                scheduler,
                timesteps,
                latents,
                generators=generators,
                skipped=skipped,
                after_step=after_step,
            )
        denoised = time.perf_counter()
        images: Sequence[Image.Image | None] = [None] * len(batch)
        if backbone.vae is not None:
            images = [to_image(each) for each in backbone.decode_latents(latents)]
        seconds = {
            "encode": encoded - started,
            "denoise": denoised - encoded,
            "decode": time.perf_counter() - denoised,
        }
        each_seconds = {name: value / len(batch) for name, value in seconds.items()}
        return [
            Result(
                image=image,
                spec=ready.spec,
                latents=latent.clone(),
                seconds=each_seconds,
                provenance=provenance(self, ready.spec, ready.pictures),
                notes=ready.notes,
            )
            for image, ready, latent in zip(images, batch, latents, strict=True)
        ]

    def _start(
        self, batch: Sequence[_Ready], scheduler: Any, generators: list[torch.Generator]
    ) -> tuple[Tensor, Tensor, int]:
        backbone = self.backbone
        width, height = _size(batch[0].spec)
        shape = (1, backbone.latent_channels, height // backbone.factor, width // backbone.factor)
        noise = torch.cat(
            [
                torch.randn(shape, generator=generator) if ready.job.latents is None else _given(ready.job, shape)
                for ready, generator in zip(batch, generators, strict=True)
            ]
        ).to(backbone.device, backbone.dtype)
        timesteps: Tensor = scheduler.timesteps
        if not batch[0].spec.start_at:
            return noise * scheduler.init_noise_sigma, timesteps, 0
        name = batch[0].spec.start or "source"
        start = torch.cat([self._start_picture(ready, name) for ready in batch]).to(noise)
        skipped = round(batch[0].spec.start_at * len(timesteps) / scheduler.order) * scheduler.order
        if skipped >= len(timesteps):
            return start, timesteps[:0], skipped
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(skipped)
        begin = timesteps[skipped : skipped + 1].repeat(len(batch))
        return scheduler.add_noise(start, noise, begin), timesteps[skipped:], skipped

    def _start_picture(self, ready: _Ready, name: str) -> Tensor:
        if name not in ready.request.pictures:
            given = ", ".join(ready.request.pictures) or "none"
            raise BadSpec(f"start={name!r} is not one of the pictures given ({given}). Give it, or leave start_at out.")
        return self.backbone.encode_picture(ready.request.pictures[name][None]) * self.backbone.latent_scale

    def _ready(self, job: Job) -> _Ready:
        spec = self._completed(job.spec)
        given = dict(job.pictures) if job.image is None else {"source": job.image, **job.pictures}
        pictures = {name: _opened(each) for name, each in given.items()}
        tensors = {name: to_tensor(fit(each.image, *_size(spec))) for name, each in pictures.items()}
        vectors = {name: torch.as_tensor(value, dtype=torch.float32) for name, value in job.vectors.items()}
        for name, vector in vectors.items():
            if not torch.isfinite(vector).all():
                raise BadSpec(f"The vector {name!r} holds numbers that are not finite. Compute it again.")
        request = Request(spec, tensors, vectors, job.measured)
        return _Ready(job, spec, request, pictures, tuple(self._notes(request)))

    def _completed(self, spec: EditSpec) -> EditSpec:
        """The spec with the model's defaults filled in and every name checked against what is loaded."""
        self._check_names("strength", spec.strength, [name for name in self.plugins if name != "text"])
        controllable = {name: plugin.manifest.controls for name, plugin in self.plugins.items()}
        self._check_names("controls", spec.controls, [name for name, own in controllable.items() if own])
        for name, values in spec.controls.items():
            self._check_names(f"controls.{name}", values, list(controllable[name]))
            for key, value in values.items():
                controllable[name][key].checked(f"{name}.{key}", value)
        check_aus(spec.aus, [p.manifest.aus for p in self.plugins.values() if p.manifest.aus], _hint(spec.aus))
        width, height = spec.width_and_height or (self.backbone.size, self.backbone.size)
        if width % self.backbone.factor or height % self.backbone.factor:
            raise BadSpec(
                f"size={width}x{height} does not fit: both sides must be multiples of {self.backbone.factor}."
            )
        own = self.defaults
        filled = {
            "prompt": own.prompt if spec.prompt is None else spec.prompt,
            "negative_prompt": own.negative_prompt if spec.negative_prompt is None else spec.negative_prompt,
            "guidance": own.guidance if spec.guidance is None else spec.guidance,
            "steps": own.steps if spec.steps is None else spec.steps,
            "size": (width, height),
        }
        return spec.with_(**filled)

    def _check_names(self, what: str, given: Iterable[str], known: list[str]) -> None:
        for name in given:
            if name not in known:
                raise BadSpec(f"{what} names {name!r}, which is not loaded here. {nearest(name, known)}")

    def _notes(self, request: Request) -> Iterator[str]:
        for plugin in self.plugins.values():
            if plugin.manifest.aus is not None:
                for note in as_wanted(plugin.manifest.aus, request, plugin.dose)[1]:
                    yield f"{plugin.name}: {note}"

    def _together(self, ready: _Ready) -> tuple[object, ...]:
        return (*ready.together, tuple(self.lora_scales(ready.spec).items()))

    def _used(self, specs: Sequence[EditSpec]) -> list[Plugin]:
        """Plugins that any row reads; strength zero everywhere is the same as not being there."""
        return [p for p in self.plugins.values() if any(spec.strength.get(p.name, 1.0) != 0 for spec in specs)]

    def _guidance_of(self, spec: EditSpec) -> float:
        return self.defaults.guidance if spec.guidance is None else spec.guidance

    def _branches(self, guidance: Guidance, spec: EditSpec) -> Sequence[Branch]:
        return guidance.needed(self._guidance_of(spec))

    def _refuse_conflicts(self, new: Plugin) -> None:
        if new.name in self.plugins:
            raise PluginConflict(f"A plugin {new.name!r} is attached already. Detach it first: detach({new.name!r}).")
        if new.signature and new.signature != self.backbone.signature:
            raise BadPlugin(
                f"{new.name!r} was made for {new.signature}, not for {self.backbone.signature}. Build it anew."
            )
        if new.lora is not None and self._compiled:
            raise BadPlugin(f"{new.name!r} changes weights; attach it before optimize(compile=True).")
        for old in self.plugins.values():
            for point in (HookPoint.GUIDANCE, HookPoint.CONTEXT):
                if point in old.manifest.points and point in new.manifest.points:
                    raise PluginConflict(
                        f"{new.name!r} and {old.name!r} both own {point.name}. Detach one first: detach({old.name!r})."
                    )


def to_tensor(image: Image.Image) -> Tensor:
    """A picture as (3, H, W) in -1..1."""
    pixels = torch.from_numpy(np.array(image.convert("RGB"), dtype=np.float32))
    return (pixels.permute(2, 0, 1) / 255.0) * 2.0 - 1.0


def to_image(pixels: Tensor) -> Image.Image:
    """A tensor (3, H, W) in -1..1 as a picture; what is not a number becomes mid-grey with a warning."""
    if not torch.isfinite(pixels).all():
        warnings.warn("The model produced numbers that are not finite; try another dtype or scheduler.", stacklevel=2)
    bytes_ = (torch.nan_to_num(pixels.float()) / 2 + 0.5).clamp(0, 1).mul(255).round().to(torch.uint8)
    return Image.fromarray(bytes_.permute(1, 2, 0).cpu().numpy())


def _opened(image: PictureLike) -> Picture:
    return image if isinstance(image, Picture) else read_picture(image)


def _size(spec: EditSpec) -> tuple[int, int]:
    size = spec.width_and_height
    assert size is not None, "a completed spec has a size"
    return size


def _given(job: Job, shape: tuple[int, ...]) -> Tensor:
    latents = torch.as_tensor(job.latents)
    latents = latents[None] if latents.ndim == 3 else latents
    if tuple(latents.shape) != shape:
        raise BadSpec(f"latents have shape {tuple(latents.shape)}, expected {shape}. Set `size` to match them.")
    return latents


def _hint(wanted: Mapping[str, float]) -> str:
    from faceforge.core.registry import listings

    for listing in listings():
        able = listing.manifest.aus.codes if listing.manifest and listing.manifest.aus else ()
        if all(code in able for code in wanted):
            return f"The plugin {listing.name!r} can: load it."
    return ""


def _batches(items: Iterable[_Ready], size: int, key: Callable[[_Ready], tuple[object, ...]]) -> Iterator[list[_Ready]]:
    batch: list[_Ready] = []
    for item in items:
        if batch and (len(batch) >= size or key(item) != key(batch[0])):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch

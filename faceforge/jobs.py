"""Jobs: what a caller asks for, checked against what is loaded and turned into rows of work."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from PIL import Image
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from faceforge import aus
from faceforge.core.manifest import Aus
from faceforge.core.requests import as_wanted
from faceforge.core.types import Request
from faceforge.errors import BadSpec, nearest
from faceforge.face.crops import Crop
from faceforge.face.masks import Mask
from faceforge.io.pictures import Picture, fit, read_picture
from faceforge.spec import EditSpec
from faceforge.store.registry import listings
from faceforge.windows import Windows

if TYPE_CHECKING:
    from faceforge.core.backbone import Backbone
    from faceforge.core.plugin import Plugin

REFERENCES = ("expression", "light")  # further photographs that an edit may take these from
_GENERATIVE = ("prompt", "negative_prompt", "steps", "guidance", "size", "start", "start_at", "strength", "controls")

PictureLike = str | Path | bytes | Image.Image | Picture | np.ndarray[Any, Any]


class Defaults(BaseModel):
    """What a model does where the spec is silent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str = ""
    negative_prompt: str | None = None
    guidance: float = 1.0
    steps: int = 20
    windows: Windows = Windows()  # how a clip is cut that is longer than the network sees at once
    crop: str = ""  # what of a photograph it was trained on, where conditions are made for it: a name in CROPS
    makes: dict[str, str] = {}  # picture or vector -> the maker that FaceForge fills it with where nobody gives it
    zeros: dict[str, int] = {}  # vectors of which so many zeros stand for a neutral face
    repairs: bool = False  # a photograph's warp: only what the photograph cannot know is the model's


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


@dataclass(frozen=True, eq=False)
class Placed:
    """Where a face was cut out of a photograph, and what was made for its edit."""

    crop: Crop
    mask: Mask  # of the crop: what of the edit goes back
    remaining: int  # further faces of the same job
    made: Mapping[str, str]  # condition -> who made it
    finder: str
    seconds: Mapping[str, float]
    base: Picture | None = None  # what is repaired: the photograph with its own pixels moved; None: itself is edited
    unknown: Mask | None = None  # (H, W) of the base: where the edit itself goes, and nothing elsewhere


@dataclass(frozen=True)
class Ready:
    """A job with everything looked up: pictures as tensors, defaults filled in, clipped numbers noted."""

    job: Job
    spec: EditSpec
    request: Request
    pictures: Mapping[str, Picture]
    notes: tuple[str, ...]
    placed: Placed | None = None

    @property
    def size(self) -> tuple[int, int]:
        return _size(self.spec)

    @property
    def together(self) -> tuple[object, ...]:
        """Jobs that agree in this run as one batch."""
        given = {**self.request.pictures, **{f"vector {name}": each for name, each in self.request.vectors.items()}}
        shapes = sorted((name, tuple(tensor.shape)) for name, tensor in given.items())
        return self.spec.size, self.spec.steps, self.spec.start, self.spec.start_at, tuple(shapes)


def generative(job: Job) -> list[str]:
    """What of a job only a generator can do, in words."""
    asked = [name for name in _GENERATIVE if name in job.spec.model_fields_set]
    asked += [f"picture {name!r}" for name in job.pictures if name not in REFERENCES]
    return asked + [f"vector {name!r}" for name in job.vectors]


def as_draft(job: Job) -> Job:
    """The same without what only a generator can do."""
    kept = {name: value for name, value in job.spec.model_dump(exclude_unset=True).items() if name not in _GENERATIVE}
    references = {name: each for name, each in job.pictures.items() if name in REFERENCES}
    return Job(job.image, EditSpec(**kept), references)


def ready(
    job: Job, backbone: Backbone, plugins: Mapping[str, Plugin], defaults: Defaults, *, all_aus: bool = False
) -> Ready:
    """The job as a row of work, or a refusal that names what does not fit; `all_aus` where a made picture shows any."""
    given = dict(job.pictures) if job.image is None else {"source": job.image, **job.pictures}
    spec = wished(job, backbone, plugins, defaults, all_aus=all_aus)
    pictures = {name: opened(each) for name, each in given.items()}
    tensors = {name: to_tensor(fit(each.image, *_size(spec))) for name, each in pictures.items()}
    vectors = {name: torch.as_tensor(value, dtype=torch.float32) for name, value in job.vectors.items()}
    for name, vector in vectors.items():
        if not torch.isfinite(vector).all():
            raise BadSpec(f"The vector {name!r} holds numbers that are not finite. Compute it again.")
    request = Request(spec, tensors, vectors, job.measured)
    idle = _idle(job, plugins)
    left_out = [f"{name}: has nothing to say without a source picture, and is left out" for name in idle]
    return Ready(job, spec, request, pictures, (*left_out, *_notes(request, plugins)))


def wished(
    job: Job, backbone: Backbone, plugins: Mapping[str, Plugin], defaults: Defaults, *, all_aus: bool = False
) -> EditSpec:
    """The completed spec of a job, before any of its pictures is opened."""
    idle = dict.fromkeys(_idle(job, plugins), 0.0)
    spec = job.spec.with_(strength={**job.spec.strength, **idle}) if idle else job.spec
    return completed(spec, backbone, plugins, defaults, all_aus=all_aus)


def completed(
    spec: EditSpec, backbone: Backbone, plugins: Mapping[str, Plugin], defaults: Defaults, *, all_aus: bool = False
) -> EditSpec:
    """The spec with the model's defaults filled in and every name checked against what is loaded."""
    _check_names("strength", spec.strength, [name for name in plugins if name != "text"])
    controls = {name: plugin.manifest.controls for name, plugin in plugins.items() if plugin.manifest.controls}
    _check_names("controls", spec.controls, controls)
    for name, values in spec.controls.items():
        _check_names(f"controls.{name}", values, controls[name])
        for key, value in values.items():
            controls[name][key].checked(f"{name}.{key}", value)
    if not all_aus:
        able = [plugin.manifest.aus for plugin in plugins.values() if plugin.manifest.aus]
        _check_aus(spec.aus, able)
    width, height = spec.width_and_height or (backbone.size, backbone.size)
    if width % backbone.factor or height % backbone.factor:
        raise BadSpec(f"size={width}x{height} does not fit: sides must be multiples of {backbone.factor}.")
    return spec.with_(
        prompt=defaults.prompt if spec.prompt is None else spec.prompt,
        negative_prompt=defaults.negative_prompt if spec.negative_prompt is None else spec.negative_prompt,
        guidance=defaults.guidance if spec.guidance is None else spec.guidance,
        steps=defaults.steps if spec.steps is None else spec.steps,
        size=(width, height),
    )


def batches(items: Iterable[Ready], size: int, key: Callable[[Ready], object]) -> Iterator[list[Ready]]:
    """Neighbours with equal keys, at most `size` at a time, in order."""
    batch: list[Ready] = []
    for item in items:
        if batch and (len(batch) >= size or key(item) != key(batch[0])):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def opened(image: PictureLike) -> Picture:
    return image if isinstance(image, Picture) else read_picture(image)


def to_tensor(image: Image.Image) -> Tensor:
    """A picture as (3, H, W) in -1..1."""
    pixels = torch.from_numpy(np.array(image.convert("RGB"), dtype=np.float32))
    return (pixels.permute(2, 0, 1) / 255.0) * 2.0 - 1.0


def to_image(pixels: Tensor) -> Image.Image:
    """A tensor (3, H, W) in -1..1 as a picture; what is not a number becomes mid-grey with a warning."""
    if not torch.isfinite(pixels).all():
        warnings.warn("The model produced numbers that are not finite; try another dtype or scheduler.", stacklevel=2)
    levels = (torch.nan_to_num(pixels.float()) / 2 + 0.5).clamp(0, 1).mul(255).round().to(torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).cpu().numpy())


def _size(spec: EditSpec) -> tuple[int, int]:
    size = spec.width_and_height
    assert size is not None, "a completed spec has a size"
    return size


def _check_names(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            raise BadSpec(f"{what} names {name!r}, which is not loaded here. {nearest(name, known)}")


def _check_aus(wanted_aus: Mapping[str, float], able: Sequence[Aus]) -> None:
    """Refuse an action unit that no loaded plugin can do."""
    known = {code for wanted in able for code in wanted.codes}
    for code, value in wanted_aus.items():
        if value and code not in known:
            name = aus.UNITS[aus.unsided(code)].name
            can = f" Loaded plugins do {', '.join(sorted(known, key=_number))}." if known else ""
            raise BadSpec(f"{code} ({name}): no loaded plugin can do it.{can} {_able(wanted_aus)}".rstrip())


def _number(code: str) -> int:
    return int("".join(letter for letter in code if letter.isdigit()))


def _idle(job: Job, plugins: Mapping[str, Plugin]) -> list[str]:
    """Plugins that read a source, where there is none and nobody insisted on them by giving a strength."""
    if job.image is not None or "source" in job.pictures:
        return []
    needing = [name for name, plugin in plugins.items() if "pictures.source" in plugin.manifest.needs]
    return [name for name in needing if name not in job.spec.strength]


def _notes(request: Request, plugins: Mapping[str, Plugin]) -> Iterator[str]:
    for name, plugin in plugins.items():
        if plugin.manifest.aus is not None:
            for note in as_wanted(plugin.manifest.aus, request, plugin.dose)[1]:
                yield f"{name}: {note}"


def _able(wanted: Mapping[str, float]) -> str:
    """An installed plugin that could do what no loaded one can."""
    for listing in listings():
        able = listing.manifest.aus.codes if listing.manifest and listing.manifest.aus else ()
        if wanted and all(code in able for code in wanted):
            return f"The plugin {listing.name!r} can: load it."
    return ""

"""A whole photograph for a model that knows crops: what it lacks is made, and what it edits is pasted back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from faceforge.conditions import MAKERS, VECTORS, Scene
from faceforge.core.plugin import Plugin
from faceforge.errors import BadSpec, NoFace, nearest
from faceforge.face.crops import SIDE, Crop, close_crop, face_crop
from faceforge.face.finding import Finder
from faceforge.face.found import Face
from faceforge.face.masks import Mask, composite
from faceforge.face.paste import change, paste_change, paste_over
from faceforge.io.depth import shown
from faceforge.jobs import REFERENCES, Defaults, Job, Placed, Ready, to_tensor
from faceforge.reading import Photograph, Reader, Reading
from faceforge.result import Result
from faceforge.spec import EditSpec

Value = TypeVar("Value")

CROPS: Mapping[str, Callable[[Face], Crop]] = {"face": face_crop, "close": close_crop}
_EVERYWHERE = {"warp": "warp", "unknown": "unknown"}  # what any model may be given
_SHOWING = ("warp", "rig-render")  # makers of pictures that show the wish: pose, gaze, light, every action unit
_POSE = ("yaw_deg", "pitch_deg", "roll_deg")
_GEOMETRY = (*_POSE, "gaze_yaw_deg", "gaze_pitch_deg", "light")
_GROWN, _SOFT, _FADE = 0.02, 0.012, 0.06  # of the crop's side: a person's mask, its edge, the crop's own border


@dataclass(frozen=True)
class Plan:
    """Which conditions of a job are made, by whom, and which vectors are zeros of a length."""

    made: Mapping[str, str] = field(default_factory=dict)
    zeros: Mapping[str, int] = field(default_factory=dict)
    repairs: bool = False  # only what the made warp does not know

    @property
    def shows_the_wish(self) -> bool:
        """Whether a made picture carries all of the spec, whatever the plugins read of it."""
        return any(maker in _SHOWING for maker in self.made.values())


def plan(job: Job, plugins: Mapping[str, Plugin], defaults: Defaults) -> Plan:
    """What has to be made for a job; nothing where the caller brought all that the plugins need."""
    used = [plugin for name, plugin in plugins.items() if job.spec.strength.get(name, 1.0) != 0]
    needs = {name: None for plugin in used for name in plugin.manifest.needs}
    if defaults.repairs:
        needs |= dict.fromkeys(f"pictures.{name}" for name in _EVERYWHERE)
    if job.spec.start_at and job.spec.start:
        needs[f"pictures.{job.spec.start}"] = None
    makes, found = {**_EVERYWHERE, **defaults.makes}, Plan()
    if job.image is not None or "source" in job.pictures:
        pictures = [each.removeprefix("pictures.") for each in needs if each.startswith("pictures.")]
        made = {name: makes[name] for name in pictures if name in makes and name not in job.pictures}
        vectors = [each.removeprefix("vectors.") for each in needs if each.startswith("vectors.")]
        made |= {name: makes[name] for name in vectors if makes.get(name) in VECTORS and name not in job.vectors}
        lacking = [name for name in defaults.zeros if f"vectors.{name}" in needs and name not in job.vectors]
        zeros = {name: defaults.zeros[name] for name in lacking} if made else {}
        found = Plan(made, zeros, defaults.repairs and made.keys() >= _EVERYWHERE.keys())
    _refuse_what_nobody_reads(job, found, used)
    _refuse_zeros_for_a_wish(job, found)
    return found


class Aligner:
    """Finds the faces of photographs, makes conditions for them, and remembers the last few photographs."""

    def __init__(self, finder: str | Finder | None = None) -> None:
        self.reader = Reader(finder)

    def rows(self, row: Ready, wanted: Plan, crop: str) -> Iterator[Ready]:
        """A row of work for each face that the spec names."""
        photograph = self.reader.read(row.pictures["source"])
        if not photograph.faces:
            raise NoFace(
                f"No face was found in this picture, and {' and '.join(wanted.made)} would be made from one. Give a "
                f"photograph of a face from the front, or what is missing: --picture {next(iter(wanted.made))}=FILE."
            )
        readings = photograph.readings(row.spec.face)
        for number, reading in enumerate(readings):
            began = time.perf_counter()
            scene = self._scene(row, photograph, reading, _known(crop or "face", CROPS, "crop"))
            request = replace(
                row.request,
                pictures=self._pictures(row, scene, wanted),
                vectors=self._vectors(row, scene, wanted),
            )
            placed = Placed(
                crop=scene.crop,
                mask=_mask(scene, whole=scene.turned or row.spec.light is not None or "light" in row.pictures),
                remaining=len(readings) - 1 - number,
                made={**wanted.made, **dict.fromkeys(wanted.zeros, "zeros")},
                finder=reading.face.backend,
                seconds={**photograph.seconds, "conditions": time.perf_counter() - began},
                base=scene.moved if wanted.repairs else None,
                unknown=scene.warped.unknown.numpy() if wanted.repairs else None,
            )
            notes = (*row.notes, *photograph.notes(row.spec.face), *_notes(scene, wanted))
            yield replace(row, request=request, placed=placed, notes=tuple(dict.fromkeys(notes)))

    def _scene(self, row: Ready, photograph: Photograph, reading: Reading, crop: Callable[[Face], Crop]) -> Scene:
        references = {name: row.pictures[name] for name in REFERENCES if name in row.pictures}
        target = self.reader.target(row.spec, reading, references)
        turned = any(getattr(row.spec, name) for name in _POSE)
        return Scene(photograph, reading, on_size(crop(reading.face), row.size), target, turned)

    def _pictures(self, row: Ready, scene: Scene, wanted: Plan) -> dict[str, Tensor]:
        """Given pictures of the photograph's own size are cut with it, others are the crop's already."""
        found, photograph = dict(row.request.pictures), row.pictures["source"].image
        for name, picture in row.pictures.items():
            if name not in REFERENCES and picture.image.size == photograph.size:
                found[name] = to_tensor(scene.crop.cut(picture.image))
        drawn = {name: maker for name, maker in wanted.made.items() if maker not in VECTORS}
        makers = {name: _known(maker, MAKERS, "maker of conditions") for name, maker in drawn.items()}
        return found | {name: to_tensor(make(scene)) for name, make in makers.items()}

    def _vectors(self, row: Ready, scene: Scene, wanted: Plan) -> dict[str, Tensor]:
        made = {name: VECTORS[maker](scene) for name, maker in wanted.made.items() if maker in VECTORS}
        return {**row.request.vectors, **{name: torch.zeros(size) for name, size in wanted.zeros.items()}, **made}


def joined(faces: Sequence[tuple[Ready, Result]]) -> Result:
    """One result of the edits of a photograph's faces: each pasted back, everything around them as it was."""
    last, result = faces[-1]
    if last.placed is None:
        return result
    seconds = dict(last.placed.seconds)
    for _, each in faces:
        seconds |= {name: seconds.get(name, 0.0) + value for name, value in each.seconds.items()}
    began = time.perf_counter()
    source = last.pictures["source"]
    pixels = source.pixels
    for row, each in faces:
        if each.image is not None and row.placed is not None:
            crop, mask, base, unknown = row.placed.crop, row.placed.mask, row.placed.base, row.placed.unknown
            if base is None or unknown is None:
                pixels = paste_change(pixels, change(source.image, each.image, crop, mask), crop, mask)
            else:
                moved = np.where((base.pixels != source.pixels).any(2, keepdims=True), base.pixels, pixels)
                pixels = paste_over(moved, each.image, crop, mask, unknown)
    notes = tuple(dict.fromkeys(note for _, each in faces for note in each.notes))
    image = None if result.image is None else shown(pixels)
    seconds["paste"] = time.perf_counter() - began
    return replace(result, image=image, own=None if source.own is None else pixels, seconds=seconds, notes=notes)


def on_size(crop: Crop, size: tuple[int, int]) -> Crop:
    """A crop of 512 px as one of (width, height), around the same middle; along the longer side it shows more."""
    scale = min(size) / SIDE
    shift = [(side - scale * SIDE) / 2 for side in size]
    return Crop(np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1]]) @ crop.matrix, size)


def _mask(scene: Scene, *, whole: bool) -> Mask:
    """Where the edit replaces the photograph: the face, or all of a person who turns or stands in another light."""
    size = scene.crop.size
    face = composite(scene.landmarks, size)
    if not whole:
        return face
    side = min(size)
    grown = Image.fromarray((scene.person_after * 255).astype(np.uint8)).filter(
        ImageFilter.MaxFilter(2 * max(1, round(_GROWN * side)) + 1)
    )
    soft = np.asarray(grown.filter(ImageFilter.GaussianBlur(_SOFT * side)), np.float32) / 255
    across, down = (np.minimum(np.arange(each), np.arange(each)[::-1]) / (_FADE * side) for each in size)
    border = np.clip(np.minimum(across[None], down[:, None]), 0, 1).astype(np.float32)
    return np.maximum(face, soft) * border


def _refuse_what_nobody_reads(job: Job, found: Plan, used: Sequence[Plugin]) -> None:
    """Pose, gaze, light and references need a picture that shows them; a face's number needs somebody who looks."""
    if found.shows_the_wish:
        return
    empty = EditSpec()
    read = {field for plugin in used for field in plugin.manifest.fields}
    asked = [name for name in _GEOMETRY if getattr(job.spec, name) != getattr(empty, name)]
    asked += [f"picture {name!r}" for name in REFERENCES if name in job.pictures and f"pictures.{name}" not in read]
    if asked:
        raise BadSpec(
            f"{asked[0]} would have no effect: no picture is made here that could show it. The warp can (--model "
            f"warp), so can rigface from a photograph, and any model with the plugin 'warp'; or leave it out."
        )
    if job.spec.face != 1 and not found.made:
        raise BadSpec(
            f"face={job.spec.face!r} would have no effect: no face is looked for here, the whole picture is edited. "
            f"Leave it out, or give a crop of that face."
        )


def _refuse_zeros_for_a_wish(job: Job, found: Plan) -> None:
    """Zeros say 'neutral': beside a render that smiles they would contradict it."""
    moved = [code for code, value in job.spec.aus.items() if value] + [
        "picture 'expression'" for name in job.pictures if name == "expression"
    ]
    if not (found.zeros and moved):
        return
    name = next(iter(found.zeros))
    raise BadSpec(
        f"{moved[0]} needs the vector {name!r} as well, {found.zeros[name]} numbers of a licensed face model that "
        f"FaceForge cannot compute. Give --vector {name}=FILE, or set the strength of the plugin that reads it to 0: "
        f"the made render alone then carries the expression."
    )


def _notes(scene: Scene, wanted: Plan) -> Iterator[str]:
    yield from scene.wanted.notes
    for name, size in wanted.zeros.items():
        yield (
            f"The vector {name!r} was not given: {size} zeros, a neutral face, stand in for it. "
            f"A face with another expression may relax."
        )


def _known(name: str, among: Mapping[str, Value], what: str) -> Value:
    if name not in among:
        raise BadSpec(f"There is no {what} {name!r}, which this model's defaults name. {nearest(name, among)}")
    return among[name]

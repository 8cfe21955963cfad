"""What FaceForge reads in a photograph, once: its faces, and the head fitted to each."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from faceforge.face.finding import Finder, choose, find_faces, named_finder
from faceforge.face.found import Face
from faceforge.face.quality import advice
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.fitted import HeadFit
from faceforge.face3d.fitting import fit
from faceforge.io.depth import edited, has_alpha, looks, shown
from faceforge.io.pictures import Picture
from faceforge.spec import EditSpec
from faceforge.warp.plate import Plate
from faceforge.warp.target import Target, by_side, target

_KEPT = 4  # photographs whose reading is remembered


@dataclass(frozen=True, eq=False)
class Reading:
    """One face of a photograph: where it is, the head that explains it, and what the user should know."""

    face: Face
    fit: HeadFit
    advice: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.advice, *self.fit.notes)


@dataclass
class Photograph:
    """A picture and its faces; heads are fitted when they are asked for, and kept."""

    picture: Picture
    faces: list[Face]
    seconds: dict[str, float] = field(default_factory=dict)
    _readings: dict[int, Reading] = field(default_factory=dict)
    _plates: dict[int, Plate] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict)

    @cached_property
    def pixels(self) -> Tensor:
        """What the picture looks like (3, H, W), in its own kind: a large one in floats would fill the memory."""
        return torch.from_numpy(np.array(looks(self.picture.pixels))).permute(2, 0, 1)

    @cached_property
    def alpha(self) -> Tensor | None:
        """How opaque each pixel is (1, H, W), in the picture's own kind; None where all of it is there."""
        own = self.picture.own
        return torch.from_numpy(own[..., -1].copy())[None] if own is not None and has_alpha(own) else None

    def edited(self, seen: Tensor, alpha: Tensor | None) -> Picture:
        """The picture with another look (3, H, W) and opacity (1, H, W), in its own channels and depth."""
        levels, own = seen.permute(1, 2, 0).numpy(), self.picture.own
        if own is None:
            return replace(self.picture, image=shown(levels))
        changed = edited(own, levels, None if alpha is None else alpha[0].numpy())
        return replace(self.picture, image=shown(changed), own=changed)

    def readings(self, which: int | Literal["all"]) -> list[Reading]:
        """The chosen face, or all of them."""
        return [self._reading(each) for each in choose(self.faces, which)]

    def notes(self, which: int | Literal["all"]) -> tuple[str, ...]:
        """What the user should know before the chosen face is edited."""
        found = [note for each in self.readings(which) for note in each.notes]
        if which != "all" and len(self.faces) > 1:
            found.append(
                f"{len(self.faces)} faces were found, and number {which} by size is edited. "
                f"Choose others with --face 1 to {len(self.faces)}, or --face all."
            )
        return tuple(dict.fromkeys(found))

    def plate(self, reading: Reading) -> Plate:
        """The photograph with that head, ready to be warped."""
        key = id(reading)
        if key not in self._plates:
            self._plates[key] = Plate(self.pixels, reading.fit)
        return self._plates[key]

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is made of the photograph whatever the wish: made when it is first asked for, and kept."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _reading(self, face: Face) -> Reading:
        key = id(face)
        if key not in self._readings:
            began = time.perf_counter()
            others = [each for each in self.faces if each is not face]
            told = advice(self.picture.image, face, others=others)
            self._readings[key] = Reading(face, fit(np.asarray(self.picture.image), face), told)
            self.seconds["fit"] = self.seconds.get("fit", 0.0) + time.perf_counter() - began
        return self._readings[key]


class Reader:
    """Reads photographs and remembers the last few, so that a slider never waits for what it has seen before."""

    def __init__(self, finder: str | Finder | None = None) -> None:
        self._wanted = finder
        self._kept: OrderedDict[str, Photograph] = OrderedDict()
        self._lock = Lock()

    @cached_property
    def finder(self) -> Finder:
        """Who finds faces; loaded with the first photograph."""
        wanted = self._wanted
        return named_finder(wanted) if wanted is None or isinstance(wanted, str) else wanted

    def read(self, picture: Picture) -> Photograph:
        """The photograph with its faces found; a picture without a face is refused."""
        with self._lock:
            if picture.sha256 in self._kept:
                self._kept.move_to_end(picture.sha256)
                return self._kept[picture.sha256]
        began = time.perf_counter()
        faces = find_faces(picture.image, backend=self.finder)
        found = Photograph(picture, faces, {"find": time.perf_counter() - began})
        with self._lock:
            self._kept[picture.sha256] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def target(
        self, spec: EditSpec, reading: Reading, pictures: Mapping[str, Picture], head: EmbeddedHead | None = None
    ) -> Target:
        """Where a wish takes a head; `expression` and `light` may be those of the largest face of other photographs."""
        light = None
        if "expression" in pictures:
            shown = by_side(self._first(pictures["expression"]).fit.aus)
            own = by_side(reading.fit.aus)
            change = {code: shown.get(code, 0.0) - own.get(code, 0.0) for code in {**shown, **own}}
            wanted = by_side(spec.aus)
            spec = spec.with_(
                aus={code: change.get(code, 0.0) + wanted.get(code, 0.0) for code in {**change, **wanted}}
            )
        if "light" in pictures:
            light = self._first(pictures["light"]).fit.light[0]
        return target(reading.fit, spec, head or EmbeddedHead(), light=light)

    def _first(self, picture: Picture) -> Reading:
        return self.read(picture).readings(1)[0]

"""One face through a video: found in every frame, its head followed from the last one, cuts noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceforge.errors import BadHead, BadPicture
from faceforge.face.finding import Finder, find_faces
from faceforge.face.found import Face
from faceforge.face3d.fitting import fit, follow
from faceforge.face3d.fitting.search import POOR
from faceforge.io.video import Frame
from faceforge.motion.heads import Head

Box = tuple[float, float, float, float]

_SMALL = 24  # pixels to a side of the pictures that tell a cut
_ANOTHER = 0.15  # of white: no camera or head changes a picture by so much from frame to frame
_JUMP, _GROWTH = 0.75, 1.6  # of a face's size, and of its ratio: none moves or grows so from frame to frame


@dataclass(frozen=True, eq=False)
class Sight:
    """What one frame shows: how many faces, and the head of the one that is followed, if it is there."""

    time: float
    duration: float
    shot: int  # how many cuts come before
    faces: int
    box: Box | None
    head: Head | None

    def plain(self) -> dict[str, Any]:
        """As JSON, to the last digit."""
        return {**vars(self), "head": None if self.head is None else self.head.plain()}

    @classmethod
    def of_plain(cls, told: Mapping[str, Any]) -> Sight:
        """The sight of `plain`."""
        box, head = told["box"], told["head"]
        return cls(
            told["time"], told["duration"], told["shot"], told["faces"],
            None if box is None else tuple(box), None if head is None else Head.of_plain(head),
        )  # fmt: skip


class Tracker:
    """Follows one face; frames come in order, each either looked at or, if that was done before, remembered."""

    def __init__(self, finder: Finder, which: int = 1) -> None:
        self._finder, self._which = finder, which
        self._small: NDArray[np.float32] | None = None
        self._last: Sight | None = None
        self._box: Box | None = None  # where the face was last, in this shot
        self._head: Head | None = None

    def look(self, frame: Frame) -> Sight:
        """What a frame shows, after the ones before."""
        faces = find_faces(frame.pixels, backend=self._finder)
        small = _small(frame.pixels)
        cut = self._small is not None and float(np.abs(small - self._small).mean()) > _ANOTHER
        face = self._chosen(faces, None if cut else self._box)
        cut = cut or (face is not None and self._just_seen() and _jumped(self._box, face.box))
        shot = 0 if self._last is None else self._last.shot + cut
        head = None if face is None else self._fitted(frame.pixels, face, None if cut else self._head)
        found = Sight(frame.time, frame.duration, shot, len(faces), None if face is None else face.box, head)
        self._remember(found, small)
        return found

    def remember(self, frame: Frame, sight: Sight) -> None:
        """A frame that was looked at before."""
        self._remember(sight, _small(frame.pixels))

    def _remember(self, sight: Sight, small: NDArray[np.float32]) -> None:
        if self._last is not None and sight.shot != self._last.shot:
            self._box = self._head = None
        self._last, self._small = sight, small
        self._box, self._head = sight.box or self._box, sight.head or self._head

    def _just_seen(self) -> bool:
        return self._last is not None and self._last.box is not None

    def _chosen(self, faces: list[Face], box: Box | None) -> Face | None:
        """The face nearest to where it was; at the start of a shot the one of a number, the largest being 1."""
        if not faces:
            return None
        if box is None:
            return faces[min(self._which, len(faces)) - 1]
        return min(faces, key=lambda face: _apart(box, face.box))

    def _fitted(self, pixels: NDArray[np.uint8], face: Face, last: Head | None) -> Head | None:
        """The head of a face; none where it is too small, half outside, or otherwise no face to fit."""
        try:
            if last is None:
                return Head.of(fit(pixels, face))
            found = follow(pixels, face, last.fit((face.size[0], face.size[1])))
            if found.error > POOR:
                anew = fit(pixels, face)
                found = anew if anew.error < found.error else found
            return Head.of(found)
        except (BadHead, BadPicture):
            return None


def until_end(sights: list[Sight]) -> float:
    """When the last frame is no longer shown."""
    return sights[-1].time + sights[-1].duration


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    shrunk = Image.fromarray(pixels).resize((_SMALL, _SMALL), Image.Resampling.BOX)
    found: NDArray[np.float32] = np.asarray(shrunk, np.float32) / np.float32(255)
    return found


def _middle(box: Box) -> NDArray[np.float64]:
    return np.array([box[0] + box[2], box[1] + box[3]]) / 2


def _side(box: Box) -> float:
    return float(np.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 1.0)))


def _apart(one: Box, other: Box) -> float:
    return float(np.hypot(*(_middle(one) - _middle(other))))


def _jumped(before: Box | None, after: Box) -> bool:
    """Whether this cannot be the same face a moment later."""
    if before is None:
        return False
    growth = _side(after) / _side(before)
    return _apart(before, after) > _JUMP * _side(before) or not 1 / _GROWTH < growth < _GROWTH

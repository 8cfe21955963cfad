"""From finished frames to a video: their times, the sound, what stands beside them, and what is said at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceforge.io.filming import filming
from faceforge.io.video import Video
from faceforge.motion.turns import Numbers
from faceforge.video.work import Progress, Work

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Filmed:
    """A video that was made, and what the user should know of it."""

    path: Path
    frames: int
    provenance: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def film(
    work: Work,
    path: Path,
    times: tuple[Numbers, Numbers],
    *,
    provenance: Mapping[str, Any],
    sound: Video | None = None,
    beside: Iterable[Pixels] | None = None,
    progress: Progress | None = None,
) -> Filmed:
    """The kept frames as a video; `times` are when each begins and how long it lasts, `beside` stands left of it."""
    starts, lasts = times
    shown = _frames(work, len(starts), beside)
    first = next(shown)
    with filming(path, (first.shape[0], first.shape[1]), provenance=provenance, sound=sound) as opened:
        for number, (start, last) in enumerate(zip(starts, lasts, strict=True)):
            opened.add(first if number == 0 else next(shown), float(start), float(last))
            if progress is not None:
                progress("writing", number + 1, len(starts))
    return Filmed(path, len(starts), provenance, opened.notes)


def _frames(work: Work, count: int, beside: Iterable[Pixels] | None) -> Iterator[Pixels]:
    if beside is None:
        yield from (work.kept(number) for number in range(count))
        return
    for number, other in zip(range(count), beside, strict=False):
        yield side_by_side(other, work.kept(number))


def side_by_side(left: Pixels, right: Pixels) -> Pixels:
    """Two pictures next to each other, the left one scaled to the height of the right one."""
    height, width = right.shape[0], round(left.shape[1] * right.shape[0] / left.shape[0])
    if left.shape[:2] != (height, width):
        left = np.asarray(Image.fromarray(left).resize((width, height), Image.Resampling.LANCZOS))
    return np.concatenate([left, right], 1)


class Notes:
    """Notes on frames, each told once with how often it came up."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, int]] = {}

    def add(self, notes: Iterable[str]) -> None:
        """The notes of one more frame; those that begin alike are of one kind, such as the limits of a unit."""
        for note in notes:
            first, count = self._told.get(note.split(" ", 1)[0], (note, 0))
            self._told[note.split(" ", 1)[0]] = (first, count + 1)

    def told(self) -> tuple[str, ...]:
        return tuple(
            note if count == 1 else f"{note} (so or alike in {count} frames)" for note, count in self._told.values()
        )

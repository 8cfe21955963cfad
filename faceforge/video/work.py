"""The folder beside an output in which finished frames wait, so that a killed command goes on where it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceforge.errors import BadMotion, BadPicture, BadSpec, BadVideo
from faceforge.face.finding import Finder
from faceforge.io.files import replacing
from faceforge.io.filming import check_film
from faceforge.io.journal import Journal
from faceforge.io.resuming import alone, claim, compare, refusing, sweep
from faceforge.io.video import Video
from faceforge.motion.tracking import Sight, Tracker

CARD = "wish.json"
_SIGHTS = "heads.jsonl"
_WHAT = "clip in the making"
_REFUSED = (BadMotion, BadPicture, BadSpec, BadVideo)

Progress = Callable[[str, int, int], None]  # what is done, how many frames of it, of how many


@dataclass(frozen=True)
class Work:
    """Frames that are finished, as PNG, and what was seen in those of a video."""

    root: Path

    def has(self, number: int) -> bool:
        return self._frame(number).is_file()

    def keep(self, number: int, pixels: NDArray[np.uint8]) -> None:
        """A finished frame (H, W, 3)."""
        with replacing(self._frame(number)) as temporary:
            Image.fromarray(pixels).save(temporary, "PNG", compress_level=1)

    def kept(self, number: int) -> NDArray[np.uint8]:
        """A frame that was kept."""
        with Image.open(self._frame(number)) as image:
            return np.asarray(image.convert("RGB"))

    def watch(self, video: Video, finder: Finder, which: int, progress: Progress | None) -> list[Sight]:
        """What every frame of a video shows; each is written down as it is seen, and not looked at twice."""
        seen = {"video": video.sha256, "finder": finder.name, "face": which}
        journal = Journal(self.root / _SIGHTS, seen, _WHAT)
        tracker, sights = Tracker(finder, which), [Sight.of_plain(line) for line in journal.lines]
        for frame in video.frames():
            if frame.number < len(sights):
                tracker.remember(frame, sights[frame.number])
            else:
                sights.append(tracker.look(frame))
                journal.add(sights[-1].plain())
            if progress is not None:
                progress("reading", frame.number + 1, max(video.count, frame.number + 1))
        return sights

    def _frame(self, number: int) -> Path:
        return self.root / f"{number:06}.png"


@contextmanager
def working(output: Path, wish: Mapping[str, Any]) -> Iterator[Work]:
    """The folder of an output, for one wish alone; it goes when all is done, or refused, and stays after a crash."""
    check_film(output)
    root = output.with_name(f"{output.name}.frames")
    with refusing(root, what=_WHAT):
        if not claim(root, CARD, lambda: json.dumps(dict(wish), indent=2), what=_WHAT):
            compare(root / CARD, json.loads(json.dumps(dict(wish))), lambda told: told, what=_WHAT)
        with alone(root):
            sweep(root)
            try:
                yield Work(root)
            except _REFUSED:  # asked again, the same would be refused again
                shutil.rmtree(root)
                raise
            shutil.rmtree(root)

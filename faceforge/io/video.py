"""Frames out of video files: one at a time, upright, each at the time at which it is shown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import BadVideo, MissingPackage
from faceforge.io.files import existing_file, sha256
from faceforge.io.pictures import check_size
from faceforge.io.provenance import of_comment, provenance_in

if TYPE_CHECKING:
    from fractions import Fraction

_MISSING = 0.9  # of the length that is announced; a file that ends before is cut off
_NO_RATE = 25.0
_CLOCK = re.compile(r"(\d+):(\d+):(\d+\.?\d*)")  # as Matroska writes lengths


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a video: upright RGB (H, W, 3) in bytes, shown from `time` on for `duration` seconds."""

    number: int
    time: float
    duration: float
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Video:
    """A video file that can be read; its frames are decoded anew whenever they are asked for."""

    path: Path
    size: tuple[int, int]  # (height, width) upright, of square pixels
    rate: float  # frames per second, on average
    seconds: float  # as its header says; 0 where it says nothing
    sound: str  # the codec of its sound; empty where it has none
    tag: str  # what FaceForge wrote into it; empty where it did not

    @cached_property
    def sha256(self) -> str:
        return sha256(self.path)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def provenance(self) -> dict[str, Any]:
        """Where a video that FaceForge wrote comes from; any other is refused."""
        return provenance_in(self.tag or None, self.path)

    @property
    def count(self) -> int:
        """How many frames it has, to within a few; 0 where nobody knows before it is read."""
        return round(self.seconds * self.rate)

    def frames(self) -> Iterator[Frame]:
        """Every frame in the order in which they are shown; a file that breaks off is refused where it does."""
        with _opened(self.path) as (container, stream):
            last: Frame | None = None
            for number, picture in enumerate(container.decode(stream)):
                found = self._frame(number, picture, last)
                if last is not None:
                    yield replace(last, duration=found.time - last.time)
                last = found
            assert last is not None, "a video without frames was refused"
            yield last
            begins = float((stream.start_time or 0) * stream.time_base)
            self._check_end(last.number + 1, last.time + last.duration - begins)

    def _frame(self, number: int, picture: Any, last: Frame | None) -> Frame:
        if picture.is_corrupt:
            where = 0.0 if last is None else last.time
            raise BadVideo(f"{str(self.path)!r} is damaged at {where:.2f} s, after {number} frames. Export it again.")
        time = None if picture.pts is None else float(picture.pts * picture.time_base)
        if time is None or (last is not None and time <= last.time):
            time = 0.0 if last is None else last.time + 1 / self.rate  # some files say nothing, or go back
        lasts = float((picture.duration or 0) * picture.time_base) if picture.time_base else 0.0
        return Frame(number, time, lasts or 1 / self.rate, upright(picture, self.size))

    def _check_end(self, count: int, length: float) -> None:
        if length < _MISSING * self.seconds - 1 / self.rate:
            raise BadVideo(
                f"{str(self.path)!r} is cut off: it ends after {length:.2f} of {self.seconds:.2f} s "
                f"({count} frames). Copy or export it again."
            )


def read_video(path: str | Path) -> Video:
    """What a video file holds; one without a picture that can be decoded is refused."""
    file = existing_file(path, BadVideo)
    with _opened(file) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise BadVideo(f"{str(path)!r} has no frames. Export it again.")
        size = _upright_size(first, stream.sample_aspect_ratio)
        check_size(size[1], size[0], str(path))
        rate = stream.average_rate or stream.guessed_rate
        return Video(
            file,
            size,
            float(rate) if rate else _NO_RATE,
            _length(container, stream),
            container.streams.audio[0].codec_context.name if container.streams.audio else "",
            of_comment({key.lower(): told for key, told in container.metadata.items()}.get("comment", "")),
        )


def library() -> Any:
    """PyAV."""
    try:
        import av
    except ImportError:
        raise MissingPackage(
            "Videos are read and written with PyAV, which is not installed: pip install 'faceforge[video]'"
        ) from None
    av.logging.set_level(None)  # what is wrong is said in our own words
    return av


def upright(picture: Any, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A decoded frame as RGB (H, W, 3), turned as its file says and with square pixels."""
    turns = round(picture.rotation / 90) % 4
    height, width = size[::-1] if turns % 2 else size
    shown = picture.reformat(width=width, height=height, format="rgb24", dst_color_range="JPEG").to_ndarray()
    return np.ascontiguousarray(np.rot90(shown, turns))


def _upright_size(picture: Any, aspect: Fraction | None) -> tuple[int, int]:
    width = round(picture.width * float(aspect)) if aspect else picture.width
    turned = round(picture.rotation / 90) % 2
    return (width, picture.height) if turned else (picture.height, width)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The container and its first stream of moving pictures."""
    av = library()
    if not path.stat().st_size:
        raise BadVideo(f"{str(path)!r} is empty. Copy or export it again.")
    try:
        with av.open(str(path)) as container:
            streams = [each for each in container.streams.video if not _is_cover(each, av)]
            if not streams:
                sound = "only sound" if container.streams.audio else "no pictures"
                raise BadVideo(f"{str(path)!r} holds {sound}. Give a video in which a face is seen.")
            yield container, streams[0]
    except av.FFmpegError as reason:
        told = reason.strerror or str(reason)
        raise BadVideo(f"{str(path)!r} cannot be read as a video ({told}). Export it again, as MP4.") from reason


def _length(container: Any, stream: Any) -> float:
    """How many seconds the pictures last; 0 where the file does not say it of them, but only of all it holds."""
    told = _CLOCK.fullmatch({key.lower(): value for key, value in stream.metadata.items()}.get("duration", ""))
    if told is not None:
        return 3600 * int(told[1]) + 60 * int(told[2]) + float(told[3])
    if container.streams.audio and "mov" not in container.format.name:
        return 0.0  # where nothing is said of the stream, the library takes the length of the whole
    return float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1_000_000


def _is_cover(stream: Any, av: Any) -> bool:
    """Whether it is the picture on a record's sleeve."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def evenly(count: int, rate: float) -> list[float]:
    """The times of frames at a constant rate.

    >>> evenly(3, 25)
    [0.0, 0.04, 0.08]
    """
    if not (math.isfinite(rate) and 0 < rate <= 1000):
        raise BadVideo(f"{rate!r} frames per second are none. Give a number above 0, such as 25.")
    return [number / rate for number in range(count)]

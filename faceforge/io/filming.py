"""Frames into video files: whole under their name or not there, each frame at its own time, the sound copied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import BadVideo, CannotWrite
from faceforge.io.files import replacing
from faceforge.io.provenance import tagged
from faceforge.io.video import Video, library

WRITABLE = (".mp4", ".mov", ".mkv")
_TICK = Fraction(1, 90_000)  # in which every usual frame rate is a whole number
_CODEC = "libx264"
_QUALITY = {"crf": "16", "preset": "medium"}
_HD = 720  # lines from which on players expect the colours of BT.709
_BT709, _BT601 = (1, "ITU709"), (6, "ITU601")


def check_film(path: str | Path) -> None:
    """Refuse an output that is no video, before the work is done."""
    if Path(path).suffix.lower() not in WRITABLE:
        raise CannotWrite(f"Cannot write {str(path)!r}: a video's name ends in {', '.join(WRITABLE)}.")


class Film:
    """A video being written; frames come in the order of their times."""

    def __init__(self, container: Any, size: tuple[int, int], sound: _Sound | None) -> None:
        self._av, self._container, self._sound, self._size = library(), container, sound, size
        self._stream = container.add_stream(_CODEC, options=dict(_QUALITY))
        self._stream.height, self._stream.width = size
        # Halved colour needs even sides.
        self._stream.pix_fmt = "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
        code, self._colours = _BT709 if size[0] >= _HD else _BT601
        context = self._stream.codec_context
        context.colorspace, context.color_range = code, 1
        self._stream.time_base = context.time_base = _TICK
        self._lasts: dict[int, int] = {}
        self.notes: tuple[str, ...] = ()

    def add(self, pixels: NDArray[np.uint8], time: float, duration: float) -> None:
        """One more frame (H, W, 3), shown from `time` on for `duration` seconds."""
        if pixels.shape[:2] != self._size:
            wide, high = pixels.shape[1], pixels.shape[0]
            raise BadVideo(f"A frame of {wide}x{high} does not fit into a video of {self._size[1]}x{self._size[0]}.")
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(
            format=self._stream.pix_fmt,
            dst_colorspace=self._colours,
            src_color_range="JPEG",
            dst_color_range="MPEG",
        )
        frame.pts, frame.time_base = round(time / _TICK), _TICK
        self._lasts[frame.pts] = round((time + duration) / _TICK) - frame.pts
        if self._sound is not None:
            self._sound.copy_until(time)
        self._mux(self._stream.encode(frame))

    def close(self) -> None:
        """Writes what is still on its way."""
        self._mux(self._stream.encode(None))
        if self._sound is not None:
            self._sound.copy_until(None)

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self._lasts.pop(packet.pts, packet.duration)
            self._container.mux(packet)


class _Sound:
    """The sound of another file, copied packet by packet as it is."""

    def __init__(self, source: Any, container: Any) -> None:
        found = source.streams.audio[0]
        self._container, self._stream = container, container.add_stream_from_template(found)
        self._packets = (packet for packet in source.demux(found) if packet.dts is not None)
        self._next = next(self._packets, None)

    def copy_until(self, time: float | None) -> None:
        """All packets that are heard by then, so that sound and pictures lie side by side in the file."""
        while self._next is not None and (time is None or self._next.dts * self._next.time_base <= time):
            self._next.stream = self._stream
            self._container.mux(self._next)
            self._next = next(self._packets, None)


@contextmanager
def filming(
    path: str | Path,
    size: tuple[int, int],
    *,
    provenance: Mapping[str, Any] | None = None,
    sound: Video | None = None,
) -> Iterator[Film]:
    """A video of (height, width) that takes its name when the block ends, with the sound of another one."""
    check_film(path)
    av = library()
    with replacing(path) as temporary, _system_errors(av), ExitStack() as opened:
        first = (
            {} if Path(path).suffix.lower() == ".mkv" else {"movflags": "faststart"}
        )  # so that it plays while it loads
        container = opened.enter_context(av.open(str(temporary), "w", options=first))
        container.metadata.update({} if provenance is None else tagged(provenance))
        copied = None
        if sound is not None and sound.sound:
            source = opened.enter_context(av.open(str(sound.path)))
            if sound.sound in container.supported_codecs:
                copied = _Sound(source, container)
        film = Film(container, size, copied)
        if copied is None and sound is not None and sound.sound:
            film.notes = (
                f"The sound of {sound.name!r} is {sound.sound}, which does not fit into {Path(path).suffix}, and was "
                f"left out. Write .mkv to keep it.",
            )
        yield film
        film.close()


@contextmanager
def _system_errors(av: Any) -> Iterator[None]:
    """What the system refused the library, as Python tells it."""
    try:
        yield
    except OSError:
        raise
    except av.FFmpegError as reason:
        raise OSError(reason.errno, reason.strerror) from reason

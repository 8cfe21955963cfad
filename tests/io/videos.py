"""Small videos for tests, written by the library itself, so that reading is not checked by our own writing."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

COLOURS = ((250, 10, 10), (10, 250, 10), (10, 10, 250), (240, 240, 240), (20, 20, 20), (130, 40, 200))


def pictures(count: int, size: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    """Frames of one colour each, (H, W, 3), with a white corner at the top left."""
    found = []
    for number in range(count):
        frame = np.broadcast_to(np.array(COLOURS[number % len(COLOURS)], np.uint8), (*size, 3)).copy()
        frame[: size[0] // 4, : size[1] // 4] = 255
        found.append(frame)
    return found


def wrote(
    path: Path,
    frames: Sequence[np.ndarray],
    times: Sequence[float] | None = None,
    *,
    fps: int = 25,
    turned: int = 0,
    sound: str = "",
    hums: float | None = None,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
) -> Path:
    """A video; frames are shown at `times` (seconds), or `fps` in a second; `sound` names a codec, heard for `hums`."""
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=fps, options={"crf": "10"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if turned:
            stream.set_display_rotation(turned)
        audio = container.add_stream(sound, rate=48000) if sound else None
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = round(1000 * (times[number] if times else number / fps))
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio is not None:
            _hum(container, audio, hums or len(frames) / fps)
    return path


def only_sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        _hum(container, container.add_stream("aac", rate=48000), 0.5)
    return path


def packets(path: Path) -> list[bytes]:
    """The sound of a file as it lies in it."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]


def _hum(container: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    wave = (8000 * np.sin(np.arange(round(48000 * seconds)) / 20)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = 48000, 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))

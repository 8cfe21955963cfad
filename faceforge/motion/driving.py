"""Motion from a video: what its face does, smoothed, with what had to be guessed told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import NoFace
from faceforge.face.finding import Finder, named_finder
from faceforge.io.video import Video, read_video
from faceforge.motion.heads import Postures
from faceforge.motion.motion import Motion
from faceforge.motion.smoothing import filled
from faceforge.motion.tracking import Sight, Tracker, until_end

SMOOTHING = 0.08  # seconds: shaking is a third of what it was, and a blink loses a twentieth of a unit
_MOST_SPANS = 4  # that a note lists


def read_motion(
    path: str | Path,
    *,
    finder: str | Finder | None = None,
    face: int = 1,
    smoothing: float = SMOOTHING,
    progress: Callable[[int, int], None] | None = None,
) -> Motion:
    """The absolute motion of a face in a video, the largest being 1; `progress` hears of frames done and all."""
    video = read_video(path)
    tracker = Tracker(named_finder(finder) if finder is None or isinstance(finder, str) else finder, face)
    sights = []
    for frame in video.frames():
        sights.append(tracker.look(frame))
        if progress is not None:
            progress(len(sights), max(video.count, len(sights)))
    return motion_of(sights, source_of(video), smoothing)


def source_of(video: Video) -> dict[str, Any]:
    """Where a motion comes from."""
    return {"kind": "video", "name": video.name, "sha256": video.sha256}


def motion_of(sights: Sequence[Sight], source: Mapping[str, Any], smoothing: float = SMOOTHING) -> Motion:
    """The motion that was seen; frames without a face lie between those around them."""
    seen = np.array([sight.head is not None for sight in sights])
    if not seen.any():
        raise NoFace(
            f"No face was found in any of {len(sights)} frames of {source.get('name', 'the video')!r}. "
            "Give a video in which a face is seen from the front and not too small."
        )
    times, shots = np.array([sight.time for sight in sights]), np.array([sight.shot for sight in sights])
    # The size of the picture does not matter for how a head is turned.
    found = Postures.of([sight.head.fit((256, 256)) for sight in sights if sight.head is not None])
    whole: dict[str, Any] = {}
    for name in ("aus", "pose_deg", "gaze_deg"):
        known = getattr(found, name)
        values = np.zeros((len(sights), known.shape[1]))
        values[seen] = known
        whole[name] = filled(times, values, seen, shots)
    motion = Motion(
        times=times, end=until_end(list(sights)), codes=found.codes, relative=False, seen=seen, shots=shots,
        source={**source, "smoothing": smoothing}, notes=tuple(notes_on(sights)), **whole,
    )  # fmt: skip
    return motion.smoothed(smoothing)


def notes_on(sights: Sequence[Sight]) -> list[str]:
    """What the user should know of a video: faces that are missing or too many, and cuts."""
    times = np.array([sight.time for sight in sights])
    lost = np.array([sight.head is None for sight in sights])
    several = np.array([sight.faces > 1 for sight in sights])
    cuts = [index for index in range(1, len(sights)) if sights[index].shot != sights[index - 1].shot]
    found = []
    if lost.any():
        found.append(f"No face was found in {lost.sum()} of {len(sights)} frames ({spans(times, lost)}).")
    if several.any():
        found.append(
            f"Several faces were found in {several.sum()} of {len(sights)} frames ({spans(times, several)}); "
            "one is followed, chosen by size at the start."
        )
    if cuts:
        at = ", ".join(f"{times[cut]:.2f} s" for cut in cuts[:_MOST_SPANS])
        more = ", ..." if len(cuts) > _MOST_SPANS else ""
        found.append(f"There are cuts at {at}{more}: what follows is a shot of its own, read anew.")
    return found


def spans(times: NDArray[np.float64], where: NDArray[np.bool_]) -> str:
    """The times of frames in words.

    >>> spans(np.array([0.0, 0.1, 0.2, 0.3]), np.array([True, True, False, True]))
    '0.00-0.10 s, 0.30 s'
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], where, [False]]).astype(int)))
    told = [
        f"{times[first]:.2f} s" if last == first + 1 else f"{times[first]:.2f}-{times[last - 1]:.2f} s"
        for first, last in edges.reshape(-1, 2)
    ]
    return ", ".join(told[:_MOST_SPANS] + (["..."] if len(told) > _MOST_SPANS else []))

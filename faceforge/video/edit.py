"""One wish for every frame of a video: the face is followed, its head smoothed over time, and each frame warped."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from faceforge.errors import BadSpec, NoFace
from faceforge.face3d.fitting.unknowns import COUNT, JAW, LIDS, MOVES
from faceforge.io.video import Frame, Video, read_video
from faceforge.jobs import Job
from faceforge.motion.driving import SMOOTHING, notes_on, source_of
from faceforge.motion.heads import Head
from faceforge.motion.smoothing import filled, smoothed
from faceforge.motion.tracking import Sight
from faceforge.spec import EditSpec
from faceforge.video.filmed import Filmed, Notes, Pixels, film
from faceforge.video.work import Progress, Work, working
from faceforge.warp.plate import Plate
from faceforge.warp.target import target
from faceforge.warp.warp import warp
from faceforge.warper import Warper, provenance, refuse_what_needs_a_generator

_BRIDGED = 0.25  # seconds without a face over which its head is guessed from both sides


def edit_clip(
    source: str | Path,
    spec: EditSpec,
    output: str | Path,
    *,
    smoothing: float = SMOOTHING,
    compare: bool = False,
    warper: Warper | None = None,
    progress: Progress | None = None,
) -> Filmed:
    """The video with one wish granted in every frame; frames without a face stay as they are.

    Frames wait in a folder beside the output: when the same is asked again after a crash, it goes on with the same.
    """
    video, path, editor = read_video(source), Path(output), warper or Warper()
    refuse_what_needs_a_generator(Job(None, spec))
    if spec.face == "all":
        raise BadSpec("A clip is edited one face at a time. Name it by number, then edit the result for the next.")
    with working(path, _card(video, spec, smoothing)) as work:
        sights = work.watch(video, editor.reader.finder, spec.face, progress)
        notes = _draw(work, video, steady(sights, smoothing), spec, editor, progress)
        clip = {**source_of(video), "frames": len(sights), "smoothing": smoothing}
        history = {**provenance(spec, {"source": video}, [editor.reader.finder.name]), "clip": clip}
        times = np.array([sight.time for sight in sights]), np.array([sight.duration for sight in sights])
        made = film(
            work, path, times, provenance=history, sound=video,
            beside=(frame.pixels for frame in video.frames()) if compare else None, progress=progress,
        )  # fmt: skip
    return Filmed(path, made.frames, history, (*notes_on(sights), *notes, *made.notes))


def steady(sights: Sequence[Sight], seconds: float) -> list[Head | None]:
    """The heads without shaking, short gaps bridged; None where there is no face."""
    seen = np.array([sight.head is not None for sight in sights])
    if not seen.any():
        raise NoFace(f"No face was found in any of {len(sights)} frames. Give a video in which a face is seen.")
    times, shots = np.array([sight.time for sight in sights]), np.array([sight.shot for sight in sights])
    numbers = np.zeros((len(sights), COUNT))
    numbers[seen] = [sight.head.numbers for sight in sights if sight.head is not None]
    numbers = smoothed(times, filled(times, numbers, seen, shots), shots, seconds)
    numbers[:, MOVES], numbers[:, LIDS] = np.clip(numbers[:, MOVES], 0, 1), np.clip(numbers[:, LIDS], 0, 1)
    numbers[:, JAW] = np.clip(numbers[:, JAW], 0, None)
    heads: list[Head | None] = []
    for index in range(len(sights)):
        near = _near(index, times, shots, seen)
        head = None if near is None else sights[near].head
        heads.append(None if head is None else head.moved(numbers[index]))
    return heads


def _near(index: int, times: Any, shots: Any, seen: Any) -> int | None:
    """The nearest frame of the same shot that shows the face, if it is near enough on both sides."""
    if seen[index]:
        return index
    known = np.flatnonzero(seen & (shots == shots[index]))
    before, after = known[known < index], known[known > index]
    if not len(before) or not len(after) or times[after[0]] - times[before[-1]] > _BRIDGED:
        return None
    return int(before[-1])


def _draw(
    work: Work, video: Video, heads: Sequence[Head | None], spec: EditSpec, editor: Warper, progress: Progress | None
) -> tuple[str, ...]:
    notes = Notes()
    for frame in video.frames():
        if not work.has(frame.number):
            pixels, told = _edited(frame, heads[frame.number], spec, editor)
            work.keep(frame.number, pixels)
            notes.add(told)
        if progress is not None:
            progress("drawing", frame.number + 1, len(heads))
    return notes.told()


def _edited(frame: Frame, head: Head | None, spec: EditSpec, editor: Warper) -> tuple[Pixels, tuple[str, ...]]:
    if head is None:
        return frame.pixels, ()
    fit = head.fit((frame.pixels.shape[0], frame.pixels.shape[1]))
    plate = Plate(torch.from_numpy(frame.pixels).permute(2, 0, 1), fit, editor.head)
    wanted = target(fit, spec, editor.head)
    return np.ascontiguousarray(warp(plate, wanted).picture.permute(1, 2, 0).numpy()), wanted.notes


def _card(video: Video, spec: EditSpec, smoothing: float) -> dict[str, Any]:
    """What frames in a folder depend on."""
    return {
        "video": video.sha256,
        "spec": spec.model_dump(mode="json", exclude_defaults=True),
        "smoothing": smoothing,
        "version": version("faceforge"),
    }

"""Reenactment: a portrait that moves as a motion says, warped frame by frame from its own pixels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from faceforge.errors import BadMotion
from faceforge.face3d.fitted import HeadFit
from faceforge.io.pictures import Picture, read_picture
from faceforge.io.video import Video, read_video
from faceforge.jobs import Job
from faceforge.motion.driving import SMOOTHING, motion_of, source_of
from faceforge.motion.files import SUFFIXES
from faceforge.motion.heads import motion_of_face
from faceforge.motion.motion import Motion, Strengths
from faceforge.spec import EditSpec
from faceforge.video.filmed import Filmed, Notes, Pixels, film
from faceforge.video.work import Progress, Work, working
from faceforge.warper import Warper, refuse_what_needs_a_generator

if TYPE_CHECKING:
    from faceforge.jobs import PictureLike

_REFERENCES = ("first", "neutral", "none")


@dataclass(frozen=True)
class Playing:
    """How a motion is played: what it is relative to, how much of each part, and over how long it is smoothed.

    Relative to the driver's first, or calmest, frame a portrait keeps its own face and does what the driver does;
    relative to none it comes to look as the driver does.
    """

    reference: Literal["first", "neutral", "none"] = "first"
    strengths: Strengths = field(default_factory=Strengths)
    smoothing: float = SMOOTHING

    def __post_init__(self) -> None:
        if self.reference not in _REFERENCES:
            raise BadMotion(f"Motion cannot be relative to {self.reference!r}. Give one of {', '.join(_REFERENCES)}.")
        if not 0 <= self.smoothing <= 1:
            raise BadMotion(f"A motion cannot be smoothed over {self.smoothing!r} s. Give 0 to 1.")

    def played(self, motion: Motion, face: HeadFit) -> Motion:
        """The changes that a face is asked for."""
        if not motion.relative:
            own = self.reference == "none"
            motion = motion.against(motion_of_face(face)) if own else motion.relative_to(self.reference)  # type: ignore[arg-type]
        return motion.scaled(self.strengths)


def reenact(
    portrait: PictureLike,
    driver: Motion | str | Path,
    output: str | Path,
    *,
    playing: Playing | None = None,
    spec: EditSpec | None = None,
    compare: bool = False,
    keep_motion: Path | None = None,
    warper: Warper | None = None,
    progress: Progress | None = None,
) -> Filmed:
    """A clip of a portrait that moves as a driver does: a video, a motion file, or a `Motion`.

    `spec` is a wish for every frame, `compare` puts the driver beside it, `keep_motion` names an .npz for the
    motion. Frames wait in a folder beside the output:
    when the same is asked again after a crash, it goes on with the same frames.
    """
    playing, wish, editor = playing or Playing(), spec or EditSpec(), warper or Warper()
    picture, path = read_picture(portrait) if not isinstance(portrait, Picture) else portrait, Path(output)
    refuse_what_needs_a_generator(Job(picture, wish))
    given, video = _opened(driver)
    fit = editor.reader.read(picture).readings(wish.face)[0].fit
    with working(path, _card(picture, given or video, playing, wish)) as work:
        motion = given or _watched(work, video, editor, playing, progress)
        if keep_motion is not None:
            motion.save(keep_motion)
        specs = playing.played(motion, fit).specs(wish)
        history, notes = _draw(work, editor, picture, specs, progress)
        provenance = _provenance(history, wish, motion, playing)
        made = film(
            work, path, (motion.times, motion.durations), provenance=provenance, sound=video,
            beside=_beside(picture, video) if compare else None, progress=progress,
        )  # fmt: skip
    return Filmed(path, made.frames, provenance, (*motion.notes, *notes, *made.notes))


def _opened(driver: Motion | str | Path) -> tuple[Motion | None, Video | None]:
    """A motion that is given or kept in a file, or the video to read it from."""
    if isinstance(driver, Motion):
        return driver, None
    if Path(driver).suffix.lower() in SUFFIXES:
        return Motion.load(driver), None
    return None, read_video(driver)


def _watched(work: Work, video: Video | None, editor: Warper, playing: Playing, progress: Progress | None) -> Motion:
    assert video is not None, "without a motion there is a video"
    sights = work.watch(video, editor.reader.finder, 1, progress)
    return motion_of(sights, source_of(video), playing.smoothing)


def _draw(
    work: Work, editor: Warper, picture: Picture, specs: list[EditSpec], progress: Progress | None
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Every frame that is not there yet; the first always, as it says where all of them come from."""
    todo = [number for number in range(len(specs)) if number == 0 or not work.has(number)]
    history: Mapping[str, Any] = {}
    notes = Notes()
    for number, result in zip(todo, editor.edit_many([Job(picture, specs[number]) for number in todo]), strict=True):
        assert result.image is not None, "the warp always makes a picture"
        work.keep(number, np.asarray(result.image))
        history = history or result.provenance
        notes.add(result.notes)
        if progress is not None:
            progress("drawing", number + 1, len(specs))
    return history, notes.told()


def _beside(picture: Picture, video: Video | None) -> Iterator[Pixels]:
    """The driver's frames, or where there are none the portrait as it was."""
    if video is not None:
        return (frame.pixels for frame in video.frames())
    return itertools.repeat(np.asarray(picture.image))


def _card(picture: Picture, driver: Motion | Video | None, playing: Playing, wish: EditSpec) -> dict[str, Any]:
    """What frames in a folder depend on."""
    assert driver is not None, "there is a motion or a video"
    return {
        "portrait": picture.sha256,
        "driver": driver.sha256,
        "playing": asdict(playing),
        "spec": wish.model_dump(mode="json", exclude_defaults=True),
        "version": version("faceforge"),
    }


def _provenance(history: Mapping[str, Any], wish: EditSpec, motion: Motion, playing: Playing) -> dict[str, Any]:
    return {
        **history,
        "spec": wish.model_dump(mode="json", exclude_defaults=True),
        "motion": {**motion.source, "frames": len(motion), "numbers": motion.sha256, **asdict(playing)},
    }

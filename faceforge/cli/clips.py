"""Clips on the command line: reenactment, and one wish for a whole video."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from faceforge.cli.asked import Asked
from faceforge.cli.fields import spec_fields
from faceforge.cli.outputs import check_target
from faceforge.cli.terminal import Frames, hush, note
from faceforge.errors import BadSpec
from faceforge.spec import EditSpec

if TYPE_CHECKING:
    from faceforge import Motion
    from faceforge.video.filmed import Filmed

# What `edit` may be asked of a video, by the names of its options.
_OF_CLIPS = ("au", "preset", "yaw", "pitch", "roll", "gaze", "light", "face", "draft", "finder", "seed", "verbose")


@dataclass(frozen=True)
class Drive:
    """The one thing that drives a portrait."""

    video: Path | None
    timeline: str | None
    motion: Path | None

    def opened(self, fps: float) -> Motion | Path:
        """A motion, or the video it will be read from."""
        from faceforge import Motion

        if self.timeline is not None:
            return Motion.of_timeline(self.timeline, fps)
        if self.motion is not None:
            return Motion.load(self.motion, fps)
        assert self.video is not None, "one of the three is given"
        return self.video


def make_reenactment(
    portrait: Path, drive: Drive, *, output: Path, compare: bool, save_motion: Path | None, fps: float,
    relative_to: Any, smoothing: float | None, light: Any, face: Any, finder: str | None, **shares: float,
) -> None:  # fmt: skip
    """Read what drives, make the clip, say where it is."""
    hush()
    from faceforge import reenact
    from faceforge.loading import load
    from faceforge.motion import Strengths
    from faceforge.video.reenact import Playing

    check_film_target(output, (portrait, drive.video, drive.motion))
    chosen = {name: value for name, value in (("light", light), ("face", face)) if value is not None}
    own = {} if smoothing is None else {"smoothing": smoothing}
    playing = Playing(relative_to, Strengths(**shares), **own)
    with Frames() as frames:
        made = reenact(
            portrait, drive.opened(fps), output, playing=playing, spec=EditSpec(**chosen), compare=compare,
            keep_motion=save_motion, warper=load(finder=finder), progress=frames.heard,
        )  # fmt: skip
    _tell(made)
    if save_motion is not None:
        click.echo(save_motion)


def edit_video(asked: Asked, video: Path, output: Path, *, sidecar: bool) -> None:
    """One wish for every frame."""
    refused = [name for name, value in vars(asked).items() if value and name not in _OF_CLIPS]
    if refused and not (refused == ["model"] and asked.model == "warp"):
        name = {"repeat": "from", "settings": "set", "pictures": "picture"}.get(refused[0], refused[0])
        raise BadSpec(f"--{name.replace('_', '-')} does nothing for a video, whose own pixels are moved. Leave it out.")
    hush()
    from faceforge.io.provenance import write_sidecar
    from faceforge.loading import load
    from faceforge.video.edit import edit_clip

    check_film_target(output, (video,))
    spec = EditSpec(**spec_fields(asked))
    with Frames() as frames:
        made = edit_clip(video, spec, output, warper=load(finder=asked.finder), progress=frames.heard)
    if sidecar:
        write_sidecar(output, made.provenance)
    _tell(made)
    click.echo(spec.describe())


def check_film_target(output: Path, sources: Iterable[Path | None]) -> None:
    """Refuse an output that cannot be a video, or would replace a source, before any work is done for it."""
    from faceforge.io.filming import check_film

    check_film(output)
    check_target(output, sources)


def _tell(made: Filmed) -> None:
    for text in made.notes:
        note(text)
    click.echo(made.path)
    click.echo(f"{made.frames} frames")

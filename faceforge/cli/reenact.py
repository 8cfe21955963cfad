"""`faceforge reenact`: a portrait that moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from faceforge.cli.options import CHANGE, MODEL, OUTPUT
from faceforge.cli.sections import Command, option
from faceforge.cli.values import light, read_by, which_face

DRIVE, PLAY = "What drives it", "How it is played"
_FILE = click.Path(path_type=Path)


def _share(name: str, about: str) -> Callable[[Any], Any]:
    return option(
        f"--{name}",
        type=float,
        metavar="NUMBER",
        default=1.0,
        show_default=True,
        section=PLAY,
        help=f"How much {about}.",
    )


@click.command(cls=Command)
@click.argument("portrait", type=_FILE)
@click.argument("driving", required=False, type=_FILE)
@option(
    "--timeline", metavar="TEXT", section=DRIVE, help="Without a video: 'AU12: 0s=0, 1.5s=3, 4s=0; yaw: 0s=0, 4s=10'."
)
@option(
    "--motion",
    type=_FILE,
    metavar="FILE",
    section=DRIVE,
    help="A motion: .npz, a .csv of OpenFace, LibreFace or py-feat, or a .json list of edit specs.",
)
@option(
    "--fps",
    type=float,
    metavar="NUMBER",
    default=25.0,
    show_default=True,
    section=DRIVE,
    help="Where no video says it.",
)
@option(
    "--relative-to",
    type=click.Choice(["first", "neutral", "none"]),
    default="first",
    show_default=True,
    section=PLAY,
    help="The driver's frame that means no change; with none, the portrait comes to look as the driver does.",
)
@_share("expression", "of the expression")
@_share("pose", "of the head's turns")
@_share("gaze", "of the eyes' turns")
@_share("jaw", "of the jaw's opening")
@option(
    "--smoothing",
    type=float,
    metavar="SECONDS",
    section=PLAY,
    help="How fast shaking of a driving video is taken out; 0 keeps it.  [default: 0.08]",
)
@option(
    "--light", metavar="NAME|RIGHT[,UP]", section=CHANGE, callback=read_by(light), help="A light for the whole clip."
)
@option(
    "--face",
    metavar="NUMBER",
    section=CHANGE,
    callback=read_by(which_face),
    help="Which face of the portrait, the largest being 1.  [default: 1]",
)
@option("--finder", metavar="NAME", section=MODEL, help="Who finds faces: mediapipe, embedded.  [default: the best]")
@option(
    "-o", "--output", required=True, type=_FILE, metavar="FILE", section=OUTPUT, help="The video: .mp4, .mov, .mkv."
)
@option("--compare", is_flag=True, section=OUTPUT, help="Put the driving video, or the portrait, beside it.")
@option(
    "--save-motion",
    type=_FILE,
    metavar="FILE.npz",
    section=OUTPUT,
    help="Keep the motion, to be edited and used again.",
)
def command(portrait: Path, driving: Path | None, timeline: str | None, motion: Path | None, **given: object) -> None:
    """Make the face in PORTRAIT move as the one in DRIVING does.

    \b
    Examples:
      faceforge reenact ada.png talking.mp4 -o ada-talking.mp4 --compare
      faceforge reenact ada.png talking.mp4 --pose 0.5 --relative-to neutral --save-motion talking.npz -o out.mp4
      faceforge reenact ada.png --motion talking.npz --expression 1.3 -o louder.mp4
      faceforge reenact ada.png --timeline "AU12: 0s=0, 1.5s=3, 4s=0; yaw: 0s=0, 4s=10" -o smiling.mp4

    The photograph's own pixels are moved, nothing is generated. A killed command goes on where it was: give it again.
    """
    from faceforge.cli.clips import Drive, make_reenactment

    if sum(each is not None for each in (driving, timeline, motion)) != 1:
        raise click.UsageError("Name one thing that drives the portrait: a video, --timeline or --motion.")
    make_reenactment(portrait, Drive(driving, timeline, motion), **given)  # type: ignore[arg-type]

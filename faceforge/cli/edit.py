"""`faceforge edit`: one face, one wish, one picture."""

from __future__ import annotations

from pathlib import Path

import click

from faceforge.cli.asked import Asked
from faceforge.cli.options import PictureCommand, shared, single_output

FILMS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi")


@click.command(cls=PictureCommand)
@click.argument("image", required=False, type=click.Path(path_type=Path))
@shared
@single_output
def command(image: Path | None, output: Path, sidecar: bool, asked: Asked) -> None:
    """Change the face in IMAGE, or in every frame of a video; without one, in the sample portrait.

    \b
    Examples:
      faceforge edit --au AU12=2 --au AU6=1 -o smile.png
      faceforge edit ada.jpg --preset duchenne-smile=0.8 --yaw 10 --light window -o ada-smiling.jpg
      faceforge edit ada.jpg --model magicface --au AU4=3 -o ada-frowning.png
      faceforge edit talking.mp4 --au AU12=2 -o talking-smiling.mp4

    AU12=2 means two FACS units more of lip corner puller; negative numbers mean less. Without --model the photograph's
    own pixels are moved and nothing is generated. `faceforge plugins info NAME` lists the units that a plugin knows.
    """
    from faceforge.cli.making import make_one

    if image is not None and image.suffix.lower() in FILMS:
        from faceforge.cli.clips import edit_video

        edit_video(asked, image, output, sidecar=sidecar)
        return
    make_one(asked, image, output, sidecar=sidecar, sample=True)

"""`faceforge edit`: one face, one wish, one picture."""

from __future__ import annotations

from pathlib import Path

import click

from faceforge.cli.asked import Asked
from faceforge.cli.options import PictureCommand, shared, single_output


@click.command(cls=PictureCommand)
@click.argument("image", required=False, type=click.Path(path_type=Path))
@shared
@single_output
def command(image: Path | None, output: Path, sidecar: bool, asked: Asked) -> None:
    """Change the face in IMAGE; without one, in the sample portrait that comes with FaceForge.

    \b
    Examples:
      faceforge edit --au AU12=2 --au AU6=1 -o smile.png
      faceforge edit ada.png --preset duchenne-smile=0.8 --seed 7 -o ada-smiling.png
      faceforge edit ada.png --model magicface --picture background=pose.png --au AU4=3 -o ada-frowning.png
      faceforge edit --from ada-smiling.png --au AU12=3 -o ada-laughing.png

    AU12=2 means two FACS units more of lip corner puller; negative numbers mean less. `faceforge plugins info NAME`
    lists the action units that a plugin knows.
    """
    from faceforge.cli.making import make_one

    make_one(asked, image, output, sidecar=sidecar, sample=True)

"""`faceforge generate`: a new face, without a source."""

from __future__ import annotations

from pathlib import Path

import click

from faceforge.cli.asked import Asked
from faceforge.cli.options import PictureCommand, shared, single_output


@click.command(cls=PictureCommand)
@shared
@single_output
def command(output: Path, sidecar: bool, asked: Asked) -> None:
    """Make a new face from text and action units. Plugins that need a source picture stay out of it.

    \b
    Examples:
      faceforge generate --model fineface --prompt "A photo of a person." --au AU12=3 -o smile.png
      faceforge generate --model fineface-faceid --vector faceid=ada.npy --preset surprise -o ada.png
      faceforge generate --from smile.png --seed 8 -o another.png
    """
    from faceforge.cli.making import make_one

    make_one(asked, None, output, sidecar=sidecar, sample=False)

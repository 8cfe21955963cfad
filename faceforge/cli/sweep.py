"""`faceforge sweep`: one face at many intensities."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from faceforge.cli.asked import Asked
from faceforge.cli.options import CHANGE, OUTPUT, PictureCommand, shared
from faceforge.cli.sections import option
from faceforge.cli.values import intensities, read_by


@click.command(cls=PictureCommand)
@click.argument("image", required=False, type=click.Path(path_type=Path))
@shared
@option(
    "--values",
    metavar="FIRST:LAST:STEP",
    default="-3:3:1",
    show_default=True,
    section=CHANGE,
    callback=read_by(intensities),
    help="The intensities, one column each; or a list: 0,0.5,2.",
)
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    section=OUTPUT,
    help="The contact sheet to write: .png, .jpg or .webp.",
)
@option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    section=OUTPUT,
    help="Write the single pictures here, as AU12_+2.png.",
)
@option(
    "--cell",
    type=click.IntRange(32, 1024),
    metavar="PIXELS",
    default=192,
    show_default=True,
    section=OUTPUT,
    help="Side of a picture on the sheet.",
)
def command(
    image: Path | None, asked: Asked, values: tuple[float, ...], output: Path | None, folder: Path | None, cell: int
) -> None:
    """Draw the face in IMAGE at many intensities of one or more action units. The face is read only once.

    \b
    Examples:
      faceforge sweep --au AU12 -o smiles.png
      faceforge sweep ada.png --au AU1 --au AU4 --values 0,1,2,4 --cell 256 -o brows.png
      faceforge sweep ada.png --au AU12 --au AU6=1 --values 0:3:0.5 -o sheet.png --folder singles

    An --au without a number is varied and becomes a row of the sheet; one with a number is held at it.
    """
    from faceforge.cli.sweeping import Grid, make_sheet

    varied = tuple(text for text in asked.au if "=" not in text)
    if not varied:
        raise click.UsageError("Name what to vary, without a number: --au AU12.")
    if output is None and folder is None:
        raise click.UsageError("Say where the pictures go: -o SHEET.png, --folder FOLDER, or both.")
    held = replace(asked, au=tuple(text for text in asked.au if "=" in text))
    make_sheet(held, image, Grid.of(varied, values, cell), output, folder)

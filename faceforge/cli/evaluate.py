"""`faceforge evaluate`: whether an editor does what it is asked, as judges see it."""

from __future__ import annotations

from pathlib import Path

import click

from faceforge.cli.sections import Command, option
from faceforge.cli.values import intensities, read_by

_WHAT, _WHO, _OUT = "What is edited", "Who edits and who judges", "Output"
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(cls=Command)
@click.argument("pictures", required=False, metavar="[FOLDER]", type=_FOLDER)
@option("--faces", section=_WHAT, default=8, show_default=True, type=click.IntRange(1), help="Synthetic people.")
@option("--au", "units", section=_WHAT, multiple=True, metavar="AU", help="A unit to ask for.  [default: twelve]")
@option(
    "--doses",
    section=_WHAT,
    default="1:4:1",
    show_default=True,
    metavar="FIRST:LAST:STEP",
    callback=read_by(intensities),
    help="How much of it; or a list: -1,1,3.",
)
@option("--seeds", section=_WHAT, default=1, show_default=True, type=click.IntRange(1), help="Times each is edited.")
@option("--pairs", section=_WHAT, is_flag=True, help="FOLDER holds edits already, beside their sources.")
@option("--model", section=_WHO, metavar="NAME|FOLDER|HUB_ID", help="Who edits.  [default: warp]")
@option("--judge", "names", section=_WHO, multiple=True, metavar="NAME", help="Who judges; the first ranks the worst.")
@option("--identity", section=_WHO, metavar="NAME", help="Which embedding says who it is.  [default: embedded]")
@option("-o", "--output", section=_OUT, required=True, type=_FOLDER, metavar="FOLDER", help="Where the report goes.")
@option("--against", section=_OUT, type=_FOLDER, metavar="FOLDER", help="An earlier report to compare with.")
def command(
    pictures: Path | None,
    faces: int,
    units: tuple[str, ...],
    doses: tuple[float, ...],
    seeds: int,
    pairs: bool,
    model: str | None,
    names: tuple[str, ...],
    identity: str | None,
    output: Path,
    against: Path | None,
) -> None:
    """Ask an editor for every unit at every dose, and let judges say what came of it: report.html and report.json.

    \b
    Examples:
      faceforge evaluate -o warp                                  # the warp, on eight synthetic people
      faceforge evaluate --model models/mine --faces 40 -o mine --against warp
      faceforge evaluate photographs --au AU12 --au AU4 -o photographs-report
      faceforge evaluate --pairs edits -o edits-report            # pictures that were edited before

    FOLDER holds photographs to edit; without one, people are drawn who are kept for evaluation. The same command goes
    on after any interruption. A judge that is not installed is refused; `--judge` may be given several times.
    """
    from faceforge.cli.evaluating import Wanted, evaluate

    if pairs and (pictures is None or model is not None):
        raise click.UsageError("--pairs needs the FOLDER of edits, and no --model.")
    evaluate(Wanted(pictures, faces, units, doses, seeds, pairs, model, names, identity), output, against)

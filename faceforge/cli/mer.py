"""`faceforge mer`: corpora of micro-expressions: whether they are what they should be, and who reads them how well."""

from __future__ import annotations

import json
from pathlib import Path

import click

from faceforge.cli.sections import Command, option
from faceforge.mer.corpora import CORPORA

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_ALL = 5  # findings of one kind that are told without --all


@click.group()
def command() -> None:
    """Micro-expressions: check a corpus that you have a licence for, and score who reads it.

    \b
    Examples:
      faceforge mer check casme2 /data/CASME2
      faceforge mer check flow datasets/three_norm_u_v_os --json
      faceforge mer eval casme2=/data/CASME2 --protocol loso --judge motion -o motion-casme2
    """


@command.command(cls=Command)
@click.argument("corpus", type=click.Choice([*CORPORA]), metavar="CORPUS")
@click.argument("path", type=_FOLDER, metavar="FOLDER")
@option("--labels", type=_FILE, metavar="FILE", help="The table of labels, .xlsx or .csv.  [default: searched for]")
@option("--frames", type=_FOLDER, metavar="FOLDER", help="The folder of the clips.  [default: searched for]")
@option("--all", "everything", is_flag=True, help="Tell every finding, not the first five of each kind.")
@option("--json", "machine", is_flag=True, help="As JSON, for programs; it is always complete.")
def check(corpus: str, path: Path, labels: Path | None, frames: Path | None, everything: bool, machine: bool) -> int:
    """Tell what a corpus holds, what is missing or inconsistent, and which labels were repaired.

    \b
    CORPUS is one of
      casme  casme2  samm  smic  fourd  mmew  casme3a  casme3c   as their owners distribute them
      flow                                    28x28 pictures of flow, as public detector code has them
      disfa  bp4d                             frames coded by intensity

    \b
    Examples:
      faceforge mer check casme2 /data/CASME2
      faceforge mer check samm /data/SAMM --labels /data/SAMM/SAMM_Micro_FACS_Codes_v2.xlsx --all
      faceforge mer check mmew /data/MMEW --frames /data/MMEW/Micro_Expression --json > mmew.json

    The table of labels and the folder of the clips are searched for in FOLDER. Nothing is changed on disk: repairs are
    made while reading, and each is told with its row (the first below the header is 0). Counts of classes and action
    units are set beside the published ones. The exit code is 1 if there is an error, such as a clip that cannot be
    used, else 0.
    """
    from faceforge.cli.corpora import following, lines
    from faceforge.mer.corpora import read
    from faceforge.mer.corpora.checking import looked_at, told

    reading = looked_at(read(corpus, path, labels, frames), following)
    if machine:
        click.echo(json.dumps(told(reading), indent=2))
    else:
        for line in lines(reading, None if everything else _ALL):
            click.echo(line)
    return int(bool(reading.errors))


@command.command("eval", cls=Command)
@click.argument("corpora", nargs=-1, required=True, metavar="CORPUS=FOLDER...")
@option("--protocol", required=True, type=click.Choice(["cd6me", "megc2019", "loso", "holdout"]), help="Whose folds.")
@option("--judge", metavar="NAME", help="A judge that answers, by action units.")
@option("--detector", metavar="NAME", help="A network that answers, by classes.")
@option("--weights", type=click.Path(path_type=Path), metavar="FILE|FOLDER", help="Its weights, or one file a subject.")
@option("--test", "tested", multiple=True, metavar="CORPUS", help="Whom holdout tests.")
@option("-o", "--output", required=True, type=_FOLDER, metavar="FOLDER", help="Where answers and scores go.")
def score(
    corpora: tuple[str, ...],
    protocol: str,
    judge: str | None,
    detector: str | None,
    weights: Path | None,
    tested: tuple[str, ...],
    output: Path,
) -> None:
    """Score somebody who needs no training on corpora, under a protocol of the field: score.json and score.md.

    \b
    Examples:
      faceforge mer eval casme2=/data/CASME2 samm=/data/SAMM --protocol loso --judge motion -o out
      faceforge mer eval casme2=/data/CASME2 samm=/data/SAMM --protocol holdout --test samm --judge flow -o out
      faceforge mer eval flow=datasets --protocol megc2019 --detector ststnet --weights STSTNet_Weights -o out

    A judge answers which of the twelve units of CD6ME set in between onset and apex (cd6me, loso, holdout: binary F1).
    A detector with published weights answers the class of a flow picture (megc2019, loso: UF1 and UAR, pooled). The
    same command goes on after an interruption. Check corpora first: clips with errors are left out.
    """
    from faceforge.cli.examining import Wanted, examine

    if (judge is None) == (detector is None) or (detector is None) != (weights is None):
        raise click.UsageError("Give --judge, or --detector with --weights.")
    if bool(tested) != (protocol == "holdout"):
        raise click.UsageError("--test belongs to --protocol holdout, which needs it.")
    examine(Wanted(corpora, protocol, judge, detector, weights, tested), output)

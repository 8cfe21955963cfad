"""What `mer eval` does: read the corpora, ask, score, write."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from faceforge.cli.corpora import following
from faceforge.cli.outputs import check_folder
from faceforge.cli.terminal import hush, note
from faceforge.io.files import replacing

if TYPE_CHECKING:
    from faceforge.mer.answering import Answerer
    from faceforge.mer.corpora.clips import Reading


@dataclass(frozen=True)
class Wanted:
    """What the command line asked for."""

    corpora: tuple[str, ...]
    protocol: str
    judge: str | None
    detector: str | None
    weights: Path | None
    tested: tuple[str, ...]


def examine(wanted: Wanted, output: Path) -> None:
    """The score into a folder, and as a table onto stdout."""
    check_folder(output, output if output.is_dir() else output.absolute().parent)
    hush()
    from faceforge.mer.answering import check_fits
    from faceforge.mer.corpora.emotions import CLASSES, class_of
    from faceforge.mer.examination import folds_of, score_of, table

    places = _places(wanted.corpora)
    answerer = _answerer(wanted)
    check_fits(answerer, wanted.protocol, list(places))
    readings = [_read(name, folder) for name, folder in places.items()]
    clips = [clip for reading in readings for clip in reading.clips]
    if answerer.codes == CLASSES:
        clips = [clip for clip in clips if class_of(clip) is not None]
    folds_of(wanted.protocol, clips, wanted.tested)  # refused before a folder is made
    run = {
        "protocol": wanted.protocol,
        "tested": list(wanted.tested),
        "read": {reading.corpus: _about(reading) for reading in readings},
        **answerer.about,
    }
    output.mkdir(exist_ok=True)
    found = score_of(wanted.protocol, clips, answerer, output, run, following)
    _write(output / "score.json", json.dumps(found, indent=1, allow_nan=False) + "\n")
    _write(output / "score.md", table(found) + "\n")
    click.echo(output / "score.json")
    click.echo(table(found))
    if found["without_answer"]:
        note(
            f"{len(found['without_answer'])} clips have no answer and count as nothing present; score.json names them."
        )


def _places(corpora: tuple[str, ...]) -> dict[str, Path]:
    parts = [each.partition("=") for each in corpora]
    wrong = next((each for each, (name, _, folder) in zip(corpora, parts, strict=True) if not name or not folder), None)
    if wrong is not None:
        raise click.UsageError(f"{wrong!r} is not CORPUS=FOLDER, such as casme2=/data/CASME2.")
    places = {name: Path(folder) for name, _, folder in parts}
    if len(places) < len(corpora):
        raise click.UsageError("A corpus is named twice.")
    return places


def _answerer(wanted: Wanted) -> Answerer:
    from faceforge.mer.answering import Detected, Judged
    from faceforge.mer.judges import judge

    if wanted.detector is not None and wanted.weights is not None:
        return Detected(wanted.detector, wanted.weights)
    return Judged(judge(wanted.judge or ""))


def _read(name: str, folder: Path) -> Reading:
    from faceforge.mer.corpora import read

    reading = read(name, folder)
    if reading.errors:
        note(f"{name} has {len(reading.errors)} errors; see `faceforge mer check {name} {folder}`.")
    return reading


def _about(reading: Reading) -> dict[str, object]:
    """What a score says of a corpus: where it lies, what was read, and how much of it is not as its owners wrote it."""
    counts = {"clips": len(reading.clips), "repairs": len(reading.repairs), "errors": len(reading.errors)}
    return {"frames": str(reading.root), "labels": str(reading.labels or ""), **counts}


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")

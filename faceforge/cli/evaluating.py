"""What `evaluate` does: gather faces, ask the editor, let the judges look, write the report."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from faceforge.cli.outputs import check_folder
from faceforge.cli.terminal import hush
from faceforge.io.files import replacing
from faceforge.loading import WARP

if TYPE_CHECKING:
    from faceforge.editor import Editor
    from faceforge.evaluation.observing import Observation, Observer


@dataclass(frozen=True)
class Wanted:
    """What the command line asked for."""

    pictures: Path | None
    faces: int
    units: tuple[str, ...]
    doses: tuple[float, ...]
    seeds: int
    pairs: bool
    model: str | None
    judges: tuple[str, ...]
    identity: str | None


def evaluate(wanted: Wanted, output: Path, against: Path | None) -> None:
    """The report into a folder; its headline onto stdout."""
    check_folder(output, output if output.is_dir() else output.absolute().parent)
    hush()
    from faceforge.evaluation.against import against as compared
    from faceforge.evaluation.against import read_report
    from faceforge.evaluation.page import page
    from faceforge.evaluation.report import report

    before = read_report(against) if against else None
    observer = _observer(wanted)
    run, seen = _pairs(wanted, observer) if wanted.pairs else _edits(wanted, observer, output)
    found = report(run, seen, observer.judges)
    if before is not None and against is not None:
        found["against"] = compared(found, before, against)
    output.mkdir(exist_ok=True)
    _write(output / "report.json", json.dumps(found, indent=1, allow_nan=False) + "\n")
    _write(output / "report.html", page(found, seen, observer.judges, output))
    click.echo(output / "report.html")
    for line in _headline(found):
        click.echo(line)


def _observer(wanted: Wanted) -> Observer:
    from faceforge.errors import BadSpec
    from faceforge.evaluation.observing import Observer
    from faceforge.mer.judges import DEFAULT, judge
    from faceforge.mer.preservation import embedding

    names = wanted.judges or (DEFAULT,)
    if len(set(names)) < len(names):
        raise BadSpec(f"A judge is named twice ({', '.join(names)}). Keep one.")
    judges = [judge(name) for name in names]
    return Observer(judges, embedding(wanted.identity) if wanted.identity else embedding())


def _edits(wanted: Wanted, observer: Observer, output: Path) -> tuple[dict[str, Any], list[Observation]]:
    """Every edit of the plan, made and judged unless an earlier run did."""
    from faceforge.evaluation.running import Record, about, run
    from faceforge.evaluation.subjects import photographs, portraits
    from faceforge.evaluation.trials import Plan

    units = {"units": wanted.units} if wanted.units else {}
    plan = Plan(doses=wanted.doses, seeds=tuple(range(wanted.seeds)), **units)
    editor = _editor(wanted.model or WARP)
    subjects = list(photographs(wanted.pictures) if wanted.pictures else portraits(wanted.faces))
    output.mkdir(exist_ok=True)
    facts = about(editor, plan, subjects, observer)
    record = Record(output, facts)
    with _bar(sum(len(list(plan.trials(each))) for each in subjects)) as bar:
        run(editor, subjects, plan, observer, record, done=lambda count: bar.update(count - bar.n))
    return facts, record.seen


def _pairs(wanted: Wanted, observer: Observer) -> tuple[dict[str, Any], list[Observation]]:
    """Edits that were made before."""
    from faceforge import __version__
    from faceforge.evaluation.pairs import observed, read_folder

    assert wanted.pictures is not None, "refused by the command"
    folder = read_folder(wanted.pictures)
    with _bar(len(folder.made)) as bar:
        seen = list(observed(folder, observer, done=lambda count: bar.update(count - bar.n)))
    return {
        "faceforge": __version__,
        "editor": f"the folder {wanted.pictures.name}",
        "plan": None,
        "cut": 0,
        "faces": sorted({each.face for each in seen}),
        **observer.about(),
        "left_out": dict(folder.left_out),
    }, seen


def _editor(name: str) -> Editor:
    from faceforge import load
    from faceforge.core.device import best_device
    from faceforge.errors import BadWeights
    from faceforge.forge import Forge

    editor = load(name)
    if isinstance(editor, Forge):
        if editor.backbone.vae is None:
            raise BadWeights(f"The model {name!r} has no VAE, so it makes no pictures. Use another one.")
        editor.to(device=best_device())
    return editor


def _bar(total: int) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, unit="edit", leave=False, disable=None, file=sys.stderr)


def _headline(found: dict[str, Any]) -> list[str]:
    from faceforge.mer.fidelity import HEADLINE

    lines = []
    for name, each in found["scores"].items():
        if each["edits"]:
            numbers = [each["headline"][score] for score in HEADLINE]
            words = zip(HEADLINE, ("undefined" if n is None else f"{n:.2f}" for n in numbers), strict=True)
            lines.append(f"{name}: {', '.join(f'{score} {number}' for score, number in words)}")
        else:
            lines.append(f"{name}: saw no edit")
    return lines


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")

"""What the commands of `augment` do."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from faceforge.cli.outputs import check_output
from faceforge.cli.terminal import hush, note
from faceforge.loading import WARP

if TYPE_CHECKING:
    from faceforge.augmentation.plan import Plan
    from faceforge.augmentation.report import Report

_TRIED = 2  # sources by which a dry run estimates


def augment(path: Path, *, output: Path | None, workers: int, device: str, address: str | None, dry_run: bool) -> None:
    """Carry out a plan, with a bar that tells rate, rejects and the time left."""
    hush()
    from faceforge.augmentation.plan import Plan
    from faceforge.augmentation.running import run

    plan = Plan.read(path)
    if dry_run:
        _tell_plan(plan, workers, device)
        return
    engine = None
    if address is not None:
        from faceforge.augmentation.cluster import on_ray

        engine = on_ray(address, workers, with_network=plan.model != WARP)
    with _Bar() as bar:
        written = run(plan, output, engine=engine, workers=workers, device=device, tell=bar.tell)
    click.echo(written.folder)
    click.echo(f"{written.report.describe()}; {written.new} of the pictures are new")
    for name in ("quarantined", "rejected"):
        if getattr(written.report, name):
            note(f"{written.folder / name}.jsonl says which and why")


def schema() -> str:
    """What a plan may hold, as JSON Schema."""
    import json

    from faceforge.augmentation.plan import Plan

    return json.dumps(Plan.model_json_schema(), indent=2)


def write_example(output: Path | None) -> None:
    """The commented plan that ships with FaceForge; a file that is there stays."""
    from faceforge import assets
    from faceforge.errors import CannotWrite
    from faceforge.io.resuming import save

    text = Path(assets.__file__).with_name("augment.yaml").read_text(encoding="utf-8")
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise CannotWrite(f"{str(output)!r} is there already. Choose another name.")
    save(output, text)
    click.echo(output)


def draw_preview(path: Path, output: Path, sources: int, cell: int) -> None:
    """A row for each source: as it is, then its variants; those that were given up stay empty."""
    check_output(output)
    hush()
    from faceforge.augmentation.plan import Plan
    from faceforge.augmentation.preview import preview
    from faceforge.io.pictures import write_picture

    sheet, report, provenance = preview(Plan.read(path), sources, cell)
    write_picture(sheet, output, provenance)
    click.echo(output)
    click.echo(report.describe())
    for each in report.quarantined:
        note(f"{each['source']}: {each['reason']}")


def show_stats(folder: Path) -> None:
    """The statistics in words, and as a page in the folder."""
    hush()
    from faceforge.augmentation.stats import statistics, write_page

    found = statistics(folder)
    click.echo(write_page(found, folder))
    for line in found.lines():
        click.echo(line)


def _tell_plan(plan: Plan, workers: int, device: str) -> None:
    from faceforge.augmentation.blocks import Agenda
    from faceforge.augmentation.report import Report
    from faceforge.augmentation.running import maker

    agenda = Agenda.of(plan)
    sources, wanted = len(agenda.items), len(agenda.items) * plan.variants
    click.echo(f"{sources} sources, {wanted} variants in {len(agenda)} blocks, made by {plan.model}")
    for axis in agenda.axes:
        counts = ", ".join(f"{name} {count + axis.present[name]}" for name, count in axis.counts.items())
        click.echo(f"{axis.name}: {counts}")
    own, seconds = maker(plan, device), 0.0
    for number in range(min(_TRIED, sources)):  # the first one also loads everything; only the last one counts
        began = time.perf_counter()
        for _ in own.make(agenda.some(number, 1), Report()):
            pass
        seconds = (time.perf_counter() - began) * sources / workers
    click.echo(f"about {_spoken(seconds)} on {workers} processes, judging by one source; nothing was written")


def _spoken(seconds: float) -> str:
    """
    >>> _spoken(40), _spoken(600), _spoken(90000)
    ('40 s', '10 min', '25.0 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


class _Bar:
    """A progress bar over sources that also tells what was given up, drawn anew and put aside."""

    def __enter__(self) -> _Bar:
        from tqdm import tqdm

        self._bar: Any = tqdm(unit="source", disable=None, file=sys.stderr)
        return self

    def tell(self, report: Report, of: int) -> None:
        if self._bar.total is None:
            self._bar.initial = self._bar.n = report.sources  # made by earlier runs, which tell nothing of the rate
        self._bar.total = of
        counts = {"pictures": report.pictures, "redrawn": sum(report.failed.values()), "given_up": len(report.rejected)}
        self._bar.set_postfix({**counts, "quarantine": len(report.quarantined)}, refresh=False)
        self._bar.update(report.sources - self._bar.n)

    def __exit__(self, *_: object) -> None:
        self._bar.close()

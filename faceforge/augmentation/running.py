"""A run: every block of a plan that is not there yet, by whichever engine; the same command goes on after any end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from faceforge import __version__
from faceforge.augmentation.blocks import Agenda, Block
from faceforge.augmentation.card import readme
from faceforge.augmentation.layouts import LAYOUTS, REPORTS
from faceforge.augmentation.making import Maker
from faceforge.augmentation.plan import CARD, Plan
from faceforge.augmentation.report import Report, total
from faceforge.editor import Editor
from faceforge.errors import BadSpec, BadWeights
from faceforge.io.files import sha256
from faceforge.io.resuming import alone, claim, compare, refusing, save
from faceforge.synth.workers import in_order

QUARANTINED, REJECTED = "quarantined.jsonl", "rejected.jsonl"

Work = Callable[[Block], Report]
Engine = Callable[[Work, Sequence[Block]], Iterable[Report]]
Tell = Callable[[Report, int], None]  # all that is done so far, and how many sources there are


@dataclass(frozen=True)
class Written:
    """What lies in a folder now."""

    folder: Path
    report: Report
    new: int  # pictures made by this call


def run(
    plan: Plan,
    folder: Path | None = None,
    *,
    engine: Engine | None = None,
    workers: int = 1,
    device: str = "",
    tell: Tell = lambda report, of: None,
) -> Written:
    """Write the augmented dataset, or what is missing of it.

    More than one worker are fresh processes, so a script that asks for them needs an `if __name__ == "__main__":`.
    """
    root = folder or _folder(plan)
    agenda = Agenda.of(plan)
    with refusing(root):
        fresh = claim(root, CARD, lambda: _card(agenda, None))
        with alone(root):
            if not fresh:
                _same(root, agenda)
            layout = LAYOUTS[plan.output.layout](root)
            layout.begin()
            reports = {number: found for number in range(len(agenda)) if (found := layout.done(number))}
            so_far = total(reports.values())
            there = so_far.pictures
            tell(so_far, len(agenda.items))
            blocks = _Blocks(agenda, [number for number in range(len(agenda)) if number not in reports])
            work = partial(write_block, plan, root, device)
            for report in (engine or partial(locally, workers=workers))(work, blocks):
                reports[report.block] = report
                so_far.add(report)
                tell(so_far, len(agenda.items))
            layout.sweep()  # a cluster goes on without a worker that died, and its half block is still there
            found = total(reports[number] for number in sorted(reports))
            _finish(root, agenda, found)
    return Written(root, found, found.pictures - there)


def locally(work: Work, blocks: Sequence[Block], *, workers: int) -> Iterator[Report]:
    """Blocks in this process, or in several of this machine; one thread each, so that rounding is the same."""
    return in_order(work, blocks, workers)


def write_block(plan: Plan, root: Path, device: str, block: Block) -> Report:
    """Make one block and put it under its name: all that a worker does, wherever it is."""
    report = Report()
    made = maker(plan, device).make(block, report)
    LAYOUTS[plan.output.layout](root).record(block.number, made, report)
    return report


def maker(plan: Plan, device: str = "") -> Maker:
    """The editor and the judge of a plan; a process loads them once."""
    return Maker(plan, _editor(str(_model(plan)), plan.finder, device))


@cache
def _editor(model: str, finder: str, device: str) -> Editor:
    from faceforge import load
    from faceforge.core.device import best_device
    from faceforge.forge import Forge

    editor: Editor = load(model, finder=finder)
    if isinstance(editor, Forge):
        if editor.backbone.vae is None:
            raise BadWeights(f"The model {model!r} has no VAE, so it makes no pictures. Use another one.")
        editor.to(device=device or best_device())
    elif device:
        raise BadSpec(f"The warp computes on the processor alone, so device={device!r} is not for it. Leave it out.")
    return editor


def _model(plan: Plan) -> str | Path:
    """A folder beside the plan where there is one, and a name otherwise."""
    local = plan.path(plan.model)
    return local if local.is_dir() else plan.model


def _folder(plan: Plan) -> Path:
    if not plan.output.folder:
        raise BadSpec("The plan does not say where the pictures go. Add output.folder to it, or give -o FOLDER.")
    return plan.path(plan.output.folder)


@dataclass(frozen=True)
class _Blocks(Sequence[Block]):
    """Blocks that are made up when their turn comes."""

    agenda: Agenda
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: Any) -> Any:
        return self.agenda.block(self.numbers[place])

    def __iter__(self) -> Iterator[Block]:
        return map(self.agenda.block, self.numbers)


def _same(root: Path, agenda: Agenda) -> None:
    """Make sure that a folder was claimed for the same; while nothing was made in it, it may be for something else."""
    if not any((root / REPORTS).glob("[!.]*")):
        save(root / CARD, _card(agenda, None))
    else:
        compare(
            root / CARD, _asked(agenda), lambda card: {**card["plan"], "sources": card["sources"], "code": card["code"]}
        )


def _asked(agenda: Agenda) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(agenda.plan.plain()))
    return {**plain, "sources": agenda.digest, "code": code_hash()}


def _card(agenda: Agenda, report: Report | None) -> str:
    """What the run is, for programs; its counts are only known of a finished one."""
    done = report and {
        "sources": report.sources,
        "pictures": report.pictures,
        "failed_gates": report.failed,
        "rejected": len(report.rejected),
        "quarantined": len(report.quarantined),
        "targets": report.targets,
    }
    card = {
        "made_by": f"FaceForge {__version__}",
        "code": code_hash(),
        "finished": report is not None,
        "plan": agenda.plan.plain(),
        "sources": agenda.digest,
        "wanted": {axis.name: {"variants": axis.counts, "sources": axis.present} for axis in agenda.axes},
        "counts": done,
    }
    return json.dumps(card, indent=2, sort_keys=True) + "\n"


def _finish(root: Path, agenda: Agenda, report: Report) -> None:
    """The tables of what is not in the output, and the card that says that all is done."""
    for name, rows in ((QUARANTINED, report.quarantined), (REJECTED, report.rejected)):
        save(root / name, "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows))
    save(root / "README.md", readme(agenda.plan, report))
    save(root / CARD, _card(agenda, report))


@cache
def code_hash() -> str:
    """A digest of the code that edits and judges: while it is the same, so are the pictures of a plan."""
    own = Path(__file__).parents[1]
    parts = [path for path in sorted(own.rglob("*.py")) if path.relative_to(own).parts[0] not in ("cli", "evaluation")]
    return sha256(b"".join(path.read_bytes() for path in parts))[:12]

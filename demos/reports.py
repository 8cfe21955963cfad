"""The report of what an editor does to one photograph: every unit, several doses, as judges see them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from faceforge.errors import BadSpec, Cancelled
from faceforge.evaluation.observing import Observer
from faceforge.evaluation.page import page
from faceforge.evaluation.report import report
from faceforge.evaluation.running import Record, about, run
from faceforge.evaluation.subjects import Subject
from faceforge.evaluation.trials import Plan
from faceforge.io.files import sha256
from faceforge.mer.judges import judge
from faceforge.mer.preservation import embedding
from faceforge_demos.session import Session
from faceforge_demos.sheets import columns, progress

MOST_EDITS = 200


def plan_of(units: Sequence[str], doses: str) -> Plan:
    """What to ask of the editor; refused where it is too much for one visitor."""
    if not units:
        raise BadSpec("Choose at least one action unit to evaluate.")
    wanted = Plan(units=tuple(units), doses=columns(doses))
    count = 1 + len(wanted.units) * len(wanted.doses)
    if count > MOST_EDITS:
        raise BadSpec(f"That would be {count} edits, and an evaluation here has at most {MOST_EDITS}. Ask for fewer.")
    return wanted


def evaluate(session: Session, plan: Plan, told: Callable[[int, int, str], None]) -> Path:
    """The report as a file in a folder of the session; a run that was cancelled goes on where it stopped."""
    name = Path(session.source or "sample.png").stem
    subject = Subject(name, name, session.photograph.picture)
    observer = Observer([judge()], embedding())
    facts = about(session.editor, plan, [subject], observer)
    folder = session.folder / f"report-{sha256(json.dumps(facts).encode())[:16]}"
    record = Record(folder, facts)
    total, began = len(list(plan.trials(subject))), time.monotonic()
    session.stop_long.clear()

    def done(count: int) -> None:
        told(count, total, progress(count, total, time.monotonic() - began) if count else "begun")
        if session.stop_long.is_set() and count < total:
            raise Cancelled(f"Stopped after edit {count} of {total}. Evaluate again to go on from there.")

    run(session.editor, [subject], plan, observer, record, done)
    found = report(facts, record.seen, observer.judges)
    path: Path = folder / "report.html"
    path.write_text(page(found, record.seen, observer.judges, folder), encoding="utf-8")
    return path

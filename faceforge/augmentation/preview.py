"""A contact sheet of the first few sources: what to look at before a long run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from faceforge.augmentation.blocks import Agenda
from faceforge.augmentation.plan import Plan
from faceforge.augmentation.report import Report
from faceforge.augmentation.running import maker
from faceforge.io.sheet import Sheet


def preview(plan: Plan, sources: int, cell: int) -> tuple[Image.Image, Report, dict[str, Any]]:
    """The sheet, a row for each source, with what became of the variants and where the first one came from."""
    whole = plan.model_copy(update={"output": plan.output.model_copy(update={"sources": True})})
    agenda = Agenda.of(plan)
    block, report = agenda.some(0, sources), Report()
    rows = [(Path(source.item.key).name[-12:], "") for source in block.sources]
    sheet = Sheet(rows, ["source", *(f"{number}" for number in range(plan.variants))], cell)
    provenance: dict[str, Any] = {"label": "AI-edited", "plan": plan.plain()}
    for made in maker(whole).make(block, report):
        source, place = made.trial.source, made.trial.place
        assert made.picture.image is not None, "an editor without pictures is refused"
        words = [made.row["preset"], *(source.bins[place.variant].values() if place else ())]
        sheet.place(source.number, place.variant + 1 if place else 0, made.picture.image, " ".join(filter(None, words)))
    return sheet.image, report, provenance

"""Contact sheets: one photograph at many intensities, picture by picture."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from faceforge.cli.sweeping import Grid, sheet_provenance
from faceforge.cli.values import intensities
from faceforge.errors import BadSpec
from faceforge.io.pictures import write_picture
from faceforge.jobs import Job
from faceforge.spec import EditSpec
from faceforge_demos.copying import sheet_name
from faceforge_demos.session import Session

MOST_CELLS = 120
CELLS = (96, 128, 192, 256)  # sides of a picture on the sheet


@dataclass(frozen=True)
class Wanted:
    """Which units, at which intensities, with what held besides."""

    grid: Grid
    held: EditSpec
    values: str  # the intensities as they were written

    @classmethod
    def of(cls, units: Sequence[str], values: str, cell: int, beside: EditSpec) -> Wanted:
        """`beside` is held, but for the units that are varied."""
        if not units:
            raise BadSpec("Choose at least one action unit to vary.")
        grid = Grid.of(units, columns(values), cell)
        count = len(grid.units) * len(grid.values)
        if count > MOST_CELLS:
            raise BadSpec(f"That would be {count} pictures, and a sheet here has at most {MOST_CELLS}. Ask for fewer.")
        kept = {code: value for code, value in beside.aus.items() if code not in grid.units}
        return cls(grid, beside.with_(aus=kept), values)


def sweep(session: Session, wanted: Wanted) -> Iterator[tuple[Image.Image, str]]:
    """The sheet after every picture, and how far it is; at the end it lies where `sheet_path` says."""
    cells = list(wanted.grid.specs(wanted.held))
    jobs = [Job(session.photograph.picture, spec) for _, _, spec in cells]
    sheet, began = wanted.grid.sheet(), time.monotonic()
    first: Mapping[str, Any] = {}
    session.stop_long.clear()
    made = session.editor.edit_many(jobs, cancelled=session.stop_long.is_set)
    for number, ((row, column, _), result) in enumerate(zip(cells, made, strict=True), start=1):
        assert result.image is not None, "a model without pictures is refused"
        sheet.place(row, column, result.image)
        first = first or result.provenance
        yield sheet.image, progress(number, len(cells), time.monotonic() - began)
    write_picture(sheet.image, sheet_path(session), sheet_provenance(first, wanted.held, wanted.grid))


def sheet_path(session: Session) -> Path:
    path: Path = session.folder / sheet_name(session.source)
    return path


def columns(text: str) -> tuple[float, ...]:
    """Intensities as the command line takes them: FIRST:LAST:STEP, or a list."""
    try:
        return intensities(text)
    except ValueError as error:
        raise BadSpec(f"The intensities do not fit: {error}") from None


def progress(done: int, total: int, seconds: float) -> str:
    """How far some work is, in words.

    >>> progress(3, 12, 6.0)
    '3 of 12, about 18 s left'
    >>> progress(12, 12, 24.0)
    '12 of 12, in 24 s'
    """
    if done == total:
        return f"{done} of {total}, in {seconds:.0f} s"
    return f"{done} of {total}, about {(total - done) * seconds / max(done, 1):.0f} s left"

"""The pictures of a sweep, onto a sheet and into a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from faceforge import aus
from faceforge.cli.asked import Asked
from faceforge.cli.loading import editor_of
from faceforge.cli.outputs import check_folder, check_output, tell_about
from faceforge.cli.plan import tell_plan
from faceforge.cli.terminal import Progress, note
from faceforge.cli.wishes import wish_of
from faceforge.errors import BadSpec
from faceforge.io.pictures import write_picture
from faceforge.io.sheet import Sheet
from faceforge.jobs import as_draft
from faceforge.spec import EditSpec


@dataclass(frozen=True)
class Grid:
    """Rows and columns of a sweep, and the side of a cell in pixels."""

    units: tuple[str, ...]
    values: tuple[float, ...]
    cell: int

    @classmethod
    def of(cls, names: Sequence[str], values: tuple[float, ...], cell: int) -> Grid:
        units = tuple(aus.parse(name) for name in names)
        if len(set(units)) < len(units):
            raise BadSpec(f"An action unit is varied twice ({', '.join(units)}). Keep one.")
        return cls(units, values, cell)

    def specs(self, held: EditSpec) -> Iterator[tuple[int, int, EditSpec]]:
        """Row, column and spec of every picture."""
        for row, unit in enumerate(self.units):
            if unit in held.aus:
                raise BadSpec(f"{unit} cannot be varied and held at {held.aus[unit]:g}. Keep one of the two.")
            for column, value in enumerate(self.values):
                yield row, column, held.with_(aus={**held.aus, unit: value})

    def sheet(self) -> Sheet:
        rows = [(unit, aus.UNITS[aus.unsided(unit)].name) for unit in self.units]
        return Sheet(rows, [_signed(value) for value in self.values], self.cell)

    def name(self, row: int, column: int) -> str:
        return f"{self.units[row]}_{_signed(self.values[column])}.png"


def make_sheet(asked: Asked, image: Path | None, grid: Grid, output: Path | None, folder: Path | None) -> None:
    """Make every picture once; write the singles as they come, and the sheet at the end."""
    sources = [image, *(path for _, path in asked.pictures)]
    if output is not None:
        check_output(output, sources)
    if folder is not None:
        check_folder(folder, folder if folder.is_dir() else folder.absolute().parent)
    wish = wish_of(asked, image, sample=True)
    cells = list(grid.specs(wish.spec))
    if asked.dry_run:
        tell_plan(asked, wish, output or folder or Path(), pictures=len(cells))
        return
    editor = editor_of(asked, wish.record)
    jobs = [as_draft(wish.job(spec)) if asked.draft else wish.job(spec) for _, _, spec in cells]
    sheet = grid.sheet()
    provenance: Mapping[str, Any] = {}
    notes: dict[str, None] = {}
    with Progress(len(cells)) as progress:
        for (row, column, _), result in zip(cells, editor.edit_many(jobs, progress=progress.step), strict=True):
            if folder is not None:
                folder.mkdir(exist_ok=True)
                result.save(folder / grid.name(row, column))
            assert result.image is not None, "a model without a VAE was refused"
            sheet.place(row, column, result.image)
            provenance = provenance or result.provenance
            notes |= dict.fromkeys(result.notes)
            progress.picture(row * len(grid.values) + column + 1)
    for text in notes:
        note(text)
    if output is not None:
        write_picture(sheet.image, output, sheet_provenance(provenance, wish.spec, grid))
        click.echo(output)
    if folder is not None:
        click.echo(folder)
    click.echo(f"{len(cells)} pictures: {', '.join(grid.units)} at {', '.join(map(_signed, grid.values))}")
    tell_about(editor, asked)


def sheet_provenance(first: Mapping[str, Any], held: EditSpec, grid: Grid) -> dict[str, Any]:
    """The provenance of the sheet: of its first picture, with what was held and what was varied."""
    spec = {**first["spec"], "aus": dict(held.aus)}
    return {**first, "spec": spec, "sweep": {"aus": list(grid.units), "values": list(grid.values), "cell": grid.cell}}


def _signed(value: float) -> str:
    """
    >>> _signed(2.0), _signed(-0.5), _signed(0.0)
    ('+2', '-0.5', '0')
    """
    return f"{value:+g}" if value else "0"

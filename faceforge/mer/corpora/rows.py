"""Rows of an owners' table by what they hold, repaired where that is known to be needed; every repair is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from faceforge.mer.cells import held, is_unsure, units_of
from faceforge.mer.corpora.clips import Finding, Repair
from faceforge.mer.corpora.fixes import FIXES
from faceforge.mer.corpora.layouts import Layout
from faceforge.mer.corpora.tables import Table, plain

_UNIT = re.compile(r"au(\d+)")
_NOT_READ = re.compile(r"unnamed:\d+|index")
_HIGHEST = 99  # a number above this is two that ran together


@dataclass(frozen=True)
class Row:
    """What one row of a table says, as text."""

    number: int
    id: str  # the subject as it is written
    subject: str  # as FaceForge calls it
    clip: str
    onset: str = ""
    apex: str = ""
    offset: str = ""
    units: str = ""
    emotion: str = ""
    objective: str = ""
    coded: tuple[int, ...] | None = None  # units by ready columns, where a table has them

    @property
    def name(self) -> str:
        return f"{self.subject}/{self.clip}"


class Repairs:
    """Rows on their way to being usable, and what was done to them."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.done: list[Repair] = []

    def set(self, place: int, column: str, now: str, why: str, **values: Any) -> None:
        """Overrule a cell; a cell that says so already is none's repair."""
        row = self.rows[place]
        was = getattr(row, column)
        self.rows[place] = replace(row, **(values or {column: now}))
        if was != now:
            self.done.append(Repair(row.number, row.name, column, was, now, why))


def rows_of(layout: Layout, table: Table) -> list[Row]:
    """The rows of a table that say of which clip they are, with their numbers; empty ones are left out."""
    columns = {holds: plain(name) for holds, name in {**layout.columns, **layout.optional}.items()}
    ready = {name: int(unit[1]) for name in map(plain, table.columns) if (unit := _UNIT.fullmatch(name))}
    found = []
    for number, cells in enumerate(table.rows):
        said = {holds: cells.get(name, "") for holds, name in columns.items()}
        if not said["subject"] or not said["clip"]:
            continue
        id = said.pop("subject")
        coded = tuple(unit for name, unit in ready.items() if cells.get(name) == "1") if ready else None
        found.append(Row(number, id, subject_of(layout, id), coded=coded, **said))
    return found


def subject_of(layout: Layout, id: str) -> str:
    """A subject's one name: 's1' and 's01' are one person, and so are sittings such as 'S13_1st' and 'S13_2nd'."""
    digits = re.search(r"\d+", id)
    return f"{layout.prefix}{int(digits[0]):0{layout.digits}d}" if digits and layout.digits else id


def unread(layout: Layout, table: Table) -> list[Finding]:
    """Columns that nobody knows; blank ones and what spreadsheets add are passed over."""
    known = {plain(name) for name in (*layout.columns.values(), *layout.optional.values(), *layout.ignored)}
    names = [name for name in table.columns if plain(name) not in known]
    strange = [name for name in names if not _UNIT.fullmatch(plain(name)) and not _NOT_READ.fullmatch(plain(name))]
    return [Finding("unknown column", repr(name), "It is not read.", error=False) for name in strange]


def fix(corpus: str, layout: Layout, repairs: Repairs, length: int) -> Iterator[Finding]:
    """Apply what is known to be wrong in the whole table, which has to have the length it was found in."""
    fixes = FIXES.get(corpus)
    if fixes is not None and fixes.rows != length:
        told = f"The known label fixes are for {fixes.rows} rows, this table has {length}: none of them is applied."
        yield Finding("another edition", "the table", told, error=False)
    elif fixes is not None:
        places = {row.number: place for place, row in enumerate(repairs.rows)}
        for column, (cells, why) in fixes.cells.items():
            for number in sorted(cells.keys() & places.keys()):
                repairs.set(places[number], column, str(cells[number]), why)
        if fixes.exchanged and places.keys() >= set(fixes.exchanged):
            _exchange(repairs, *(places[number] for number in fixes.exchanged))
    if layout.numbered:
        _number_repeated(repairs)


def settle_units(repairs: Repairs) -> Iterator[Finding]:
    """Cells of action units that do not simply say what occurs: units that are held, doubts, and contradictions."""
    for place, row in enumerate(repairs.rows):
        if (coded := row.coded) is not None and {*coded, *held(row.units)} != {*units_of(row.units)}:
            told = f"The cell {row.units!r} and the columns {_joined(coded)!r} name different units; columns count."
            yield Finding("units disagree", where(row), told, error=False)
        units = units_of(row.units) if coded is None else coded
        still, high = held(row.units), [unit for unit in units if unit > _HIGHEST]
        kept = tuple(unit for unit in units if unit not in still and unit <= _HIGHEST)
        why = "(k): held throughout, so that nothing moves" if still else ""
        if is_unsure(row.units):
            why = "the coder was not sure; the first unit is kept"
        if high:
            yield Finding("unknown unit", where(row), f"There is no unit {high[0]} in {row.units!r}.", error=False)
        if why:
            repairs.set(place, "units", _joined(kept), why, coded=kept)
        else:
            repairs.rows[place] = replace(row, coded=kept)


def where(row: Row) -> str:
    return f"row {row.number} ({row.name})"


def _exchange(repairs: Repairs, first: int, second: int) -> None:
    one, other = repairs.rows[first], repairs.rows[second]
    for place, theirs in ((first, other), (second, one)):
        why = f"units of rows {one.number} and {other.number} change places"
        repairs.set(place, "units", theirs.units, why, units=theirs.units, coded=theirs.coded)


def _number_repeated(repairs: Repairs) -> None:
    """Clips that follow one another under one name: on disk the second is 'a2', the third 'a3'."""
    before, times = ("", ""), 1
    for place, row in enumerate(list(repairs.rows)):
        times = times + 1 if (row.id, row.clip) == before else 1
        before = (row.id, row.clip)
        if times > 1:
            repairs.set(place, "clip", f"{row.clip}{times}", "a repeated name, numbered as on disk")


def _joined(units: tuple[int, ...]) -> str:
    return "+".join(map(str, units))

"""Tables of labels as owners distribute them: .xlsx or .csv, with the header wherever it lies."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceforge.errors import BadCorpus, MissingPackage
from faceforge.io.files import existing_file

SUFFIXES = (".xlsx", ".csv")
_HEADER_WITHIN = 40  # rows; SAMM's header is below a page of text
_WHOLE = re.compile(r"(-?\d+)\.0+")


@dataclass(frozen=True)
class Table:
    """Rows below a header, by the plain names of its columns; the first row is number 0, empty ones keep theirs."""

    path: Path
    columns: tuple[str, ...]  # as they are written
    rows: tuple[Mapping[str, str], ...]


def plain(name: str) -> str:
    """A column's name without case, spaces, or the apostrophes that some exports leave.

    >>> plain("Onset Frame"), plain("sub_ID'")
    ('onsetframe', 'sub_id')
    """
    return re.sub(r"\s+", "", name).strip("'").lower()


def read_table(path: Path, wanted: Iterable[str]) -> Table:
    """The table of a file that has all the wanted columns; what is missing is named."""
    rows, needed = grid(path), {plain(name): name for name in wanted}
    names = [[plain(cell) for cell in row] for row in rows[:_HEADER_WITHIN]]
    header = next((number for number, row in enumerate(names) if needed.keys() <= set(row)), None)
    if header is None:
        raise BadCorpus(_without(path, rows, names, needed))
    below = rows[header + 1 :]
    while below and not any(below[-1]):
        below.pop()
    columns = tuple(cell for cell in rows[header] if cell)
    return Table(path, columns, tuple(_named(names[header], row) for row in below))


def grid(path: Path) -> list[list[str]]:
    """Every cell of the first sheet as text; a number without a fraction has none."""
    existing_file(path, BadCorpus)
    if path.suffix.lower() == ".xlsx":
        return [[_text(cell) for cell in row] for row in _sheet(path)]
    if path.suffix.lower() == ".csv":
        return [[_text(cell) for cell in row] for row in _separated(path)]
    raise BadCorpus(f"{str(path)!r} is no table that can be read. Save it as .xlsx or as .csv.")


def _sheet(path: Path) -> Sequence[Sequence[Any]]:
    try:
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError as reason:
        raise MissingPackage(
            f"{str(path)!r} needs openpyxl. Install it with: pip install 'faceforge[mer]', or save the table as .csv."
        ) from reason
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some writers state a wrong size, which would cut the table off
        rows = [tuple(row) for row in sheet.iter_rows(values_only=True)]
        book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, IndexError, SyntaxError) as reason:
        raise BadCorpus(
            f"{str(path)!r} is damaged or no .xlsx ({reason}). Copy it again, or save it as .csv."
        ) from reason
    return rows


def _separated(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as reason:
        raise BadCorpus(f"{str(path)!r} is not in UTF-8 (byte {reason.start}). Save it as 'CSV UTF-8'.") from reason
    separator = ";" if text.count(";") > text.count(",") else ","
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def _text(cell: object) -> str:
    """A cell as text: 4.0 is '4', since units and frames are whole and some exports make fractions of them."""
    text = "" if cell is None else str(cell).strip().strip("'").strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def _named(names: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    cells = [*row, *[""] * (len(names) - len(row))]
    return {name: cell for name, cell in zip(names, cells, strict=False) if name}


def _without(
    path: Path, rows: Sequence[Sequence[str]], names: Sequence[Sequence[str]], needed: Mapping[str, str]
) -> str:
    best = max(range(len(names)), key=lambda number: len(needed.keys() & set(names[number])), default=None)
    if best is None:
        return f"{str(path)!r} is empty. Give the table of labels."
    missing = [name for key, name in needed.items() if key not in names[best]]
    others = [cell for cell in rows[best] if cell and plain(cell) not in needed]
    return (
        f"{str(path)!r} lacks the column{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))}; "
        f"it has {', '.join(map(repr, others[:12])) or 'no others'}. Give the owners' table, or rename its columns."
    )

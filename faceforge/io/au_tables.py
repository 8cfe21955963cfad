"""Tables of action units as OpenFace 2, LibreFace and py-feat write them: a CSV with a row for each frame."""

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from faceforge.aus import UNITS
from faceforge.errors import BadLabels

NUMBERS = ("frame", "frame_idx")  # columns that say which frame in order
_SURE = 0.8  # of OpenFace's confidence
_MOST = 5.0

# How each program calls its intensities, and what makes FACS intensities of 0 to 5 of them.
_COLUMNS: tuple[tuple[str, re.Pattern[str], float], ...] = (
    ("OpenFace", re.compile(r"AU0*(\d+)_r"), 1.0),
    ("LibreFace", re.compile(r"au_0*(\d+)_intensity"), 1.0),
    ("py-feat", re.compile(r"AU0*(\d+)"), 5.0),  # probabilities: the best guess there is of how much
)


@dataclass(frozen=True)
class Row:
    """One frame of a table: all cells by column, and the action units, 0..5; None where no face is surely seen."""

    cells: Mapping[str, str]
    aus: Mapping[str, float] | None


def read_table(table: Path) -> list[Row]:
    """The rows of a CSV; none where it has only a heading."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as opened:
            rows = [{name.strip(): value for name, value in row.items() if name} for row in csv.DictReader(opened)]
    except (OSError, ValueError, csv.Error) as reason:
        raise BadLabels(f"{str(table)!r} cannot be read as a CSV ({reason}). Save it as UTF-8.") from reason
    if not rows:
        return []
    columns, scale = _columns(rows[0], table)
    return [Row(row, _aus(row, columns, scale, f"{str(table)!r}, row {line}")) for line, row in enumerate(rows, 1)]


def number_in(row: Mapping[str, str], column: str, where: str, missing: float = math.nan) -> float:
    """The number in a cell; `missing` where it is empty."""
    text = row.get(column) or ""
    if not text.strip():
        return missing
    try:
        return float(text)
    except ValueError:
        raise BadLabels(f"{where}: {column!r} is {text!r}, expected a number. Correct or delete the row.") from None


def _aus(row: Mapping[str, str], columns: Mapping[str, str], scale: float, where: str) -> dict[str, float] | None:
    sure = {name: number_in(row, name, where, 1.0) for name in ("success", "confidence")}
    if sure["success"] < 1 or sure["confidence"] < _SURE:
        return None
    found = {code: number_in(row, name, where) for name, code in columns.items()}
    told = {code: min(_MOST, max(0.0, scale * value)) for code, value in found.items() if math.isfinite(value)}
    return told or None


def _columns(row: Mapping[str, str], table: Path) -> tuple[dict[str, str], float]:
    """The columns of intensities with the units that they are of."""
    if "AU03_r" in row:
        raise BadLabels(f"{str(table)!r} comes from OpenFace 3, whose columns are not the units that they name. Use 2.")
    for _, pattern, scale in _COLUMNS:
        matches = {name: f"AU{found[1]}" for name in row if (found := pattern.fullmatch(name))}
        known = {name: code for name, code in matches.items() if code in UNITS}
        if known:
            return known, scale
    programs = ", ".join(name for name, *_ in _COLUMNS)
    raise BadLabels(f"{str(table)!r} has no columns of action units that are known ({programs}).")

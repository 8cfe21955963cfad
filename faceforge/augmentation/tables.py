"""Tables of labels: CSV, JSON lines and Parquet, row by row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from faceforge.augmentation.arrow import pyarrow
from faceforge.errors import BadSpec


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a table, by the names of its columns."""
    for row in _read_table(path):
        yield {str(name): value for name, value in row.items()}


def _read_table(path: Path) -> Iterator[dict[Any, Any]]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        yield from _parquet(path).to_pylist()
    elif suffix in (".jsonl", ".csv"):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as reason:
            raise BadSpec(f"{str(path)!r} is not UTF-8 text ({reason}). Save it again as UTF-8.") from reason
        lines = (label_object(line) for line in text.splitlines() if line.strip())
        yield from lines if suffix == ".jsonl" else csv.DictReader(io.StringIO(text))
    else:
        raise BadSpec(f"{str(path)!r} is not a table. Give a .csv, .jsonl or .parquet file.")


def _parquet(path: Path) -> Any:
    return pyarrow().parquet.read_table(path)


def label_object(text: str | bytes) -> dict[str, Any]:
    """The labels of one picture, from JSON; a bare value is called `label`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as reason:
        raise BadSpec(f"{text[:60]!r} is not JSON ({reason}). Write the labels again.") from reason
    return found if isinstance(found, dict) else {"label": found}

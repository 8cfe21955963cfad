"""Where in a user's folder the table of labels lies, and the clips."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from faceforge.errors import BadCorpus
from faceforge.mer.corpora.tables import SUFFIXES, Table, read_table

_DEEPEST = 3  # folders below the one that was given


def existing_folder(path: Path) -> Path:
    if not path.is_dir():
        raise BadCorpus(f"There is no folder {str(path)!r}. Give the one that holds the corpus.")
    return path


def only_table(path: Path, wanted: tuple[str, ...]) -> Table:
    """The one table in a folder, or one folder further down, that has these columns."""
    files = sorted(each for below in ("*", "*/*") for each in path.glob(below) if _may_be_table(each))
    if not files:
        old = next((each for below in ("*.xls", "*/*.xls") for each in path.glob(below)), None)
        advice = f"Save {old.name!r} as .xlsx or .csv." if old else "Put it there, or name it with --labels."
        raise BadCorpus(f"{str(path)!r} holds no table of labels ({', '.join(SUFFIXES)}). {advice}")
    found, refusals = [], []
    for file in files:
        try:
            found.append(read_table(file, wanted))
        except BadCorpus as reason:
            refusals.append(str(reason))
    if not found:
        raise BadCorpus(" ".join(refusals[:3]))
    if len(found) > 1:
        names = ", ".join(repr(str(table.path.relative_to(path))) for table in found)
        raise BadCorpus(f"{str(path)!r} holds several tables of labels: {names}. Name one with --labels.")
    return found[0]


def only_root(path: Path, held: Callable[[Path], int], what: str) -> Path:
    """The one folder, the given one or one below it, that holds clips, as a function counts them."""
    found = dict(_holding(path, held, 0))
    if not found:
        raise BadCorpus(f"Nothing below {str(path)!r} lies where {what}. Name the folder of the clips with --frames.")
    if len(found) > 1:
        names = ", ".join(f"{str(root)!r} ({count})" for root, count in found.items())
        raise BadCorpus(f"Several folders hold clips of this corpus: {names}. Name one with --frames.")
    return next(iter(found))


def _holding(path: Path, held: Callable[[Path], int], depth: int) -> Iterator[tuple[Path, int]]:
    """Folders with clips and how many, not those inside them."""
    if count := held(path):
        yield path, count
    elif depth < _DEEPEST:
        for each in folders_in(path):
            yield from _holding(each, held, depth + 1)


def folders_in(path: Path) -> list[Path]:
    with os.scandir(path) as entries:
        return sorted(Path(each.path) for each in entries if each.is_dir() and not each.name.startswith("."))


def _may_be_table(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and file.is_file() and not file.name.startswith(("~$", "."))

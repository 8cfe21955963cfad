"""Labelled frames on a user's disk: which picture shows whom, with which action units.

Three layouts are read. `table` is what `faceforge synth` writes: `metadata.jsonl` with `file_name`, `aus` and, where
known, `identity` and `caption`. `csv` is a folder of pictures for each person or video and beside it, or in it, a CSV
of OpenFace 2, LibreFace or py-feat. `disfa` is DISFA as it is distributed, with the frames of its videos as pictures.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from faceforge.aus import checked
from faceforge.errors import BadLabels, FaceForgeError
from faceforge.io.au_tables import NUMBERS, read_table
from faceforge.mer.corpora.coded import disfa
from faceforge.mer.corpora.frames import number_of

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_NAMES = ("file_name", "input", "file", "filename", "image")  # columns that say which picture


@dataclass(frozen=True)
class Frame:
    """One picture of a person."""

    picture: Path
    person: str
    aus: Mapping[str, float]  # FACS 0..5
    caption: str = ""


def frames(folder: Path, layout: str) -> list[Frame]:
    """All labelled frames of a folder, in order; at least one person must have two."""
    if not folder.is_dir():
        raise BadLabels(f"There is no folder {str(folder)!r}. Give the one that holds the pictures and their labels.")
    found = list(LAYOUTS[layout](folder))
    people = {frame.person for frame in found}
    if len(found) <= len(people):
        raise BadLabels(
            f"{str(folder)!r} has {len(found)} labelled pictures of {len(people)} people as layout {layout!r}; "
            f"pairs need two of one person. Check the layout: {', '.join(LAYOUTS)}."
        )
    return found


def _table(folder: Path) -> Iterator[Frame]:
    tables = sorted(folder.rglob("metadata.jsonl"))
    if not tables:
        raise BadLabels(f"{str(folder)!r} holds no metadata.jsonl. Write one, or choose another layout.")
    for table in tables:
        for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                row = json.loads(line)
                name, aus = row["file_name"], checked(row["aus"])
            except (json.JSONDecodeError, KeyError, FaceForgeError) as reason:
                raise BadLabels(f"{str(table)!r}, line {number}: {reason}. Correct or delete the line.") from reason
            person = str(row.get("identity", Path(name).stem))
            yield Frame(_there(table.parent / name, table), person, aus, row.get("caption", ""))


def _csv(folder: Path) -> Iterator[Frame]:
    tables = sorted(folder.rglob("*.csv"))
    if not tables:
        raise BadLabels(f"{str(folder)!r} holds no CSV. Run OpenFace, LibreFace or py-feat on it first.")
    for table in tables:
        pictures = _pictures(table.with_suffix("")) or _pictures(table.parent)
        by_name, by_number = {each.name: each for each in pictures}, {number_of(each): each for each in pictures}
        for row in read_table(table):
            if row.aus is None:
                continue
            picture = _picture_of(row.cells, by_name, by_number, table)
            yield Frame(picture, table.relative_to(folder).with_suffix("").as_posix(), row.aus)


def _disfa(folder: Path) -> Iterator[Frame]:
    for take in disfa(folder):
        if not take.pictures:
            raise BadLabels(f"{str(take.folder)!r} holds no frames. Cut the video into pictures there, by number.")
        for number, intensities in take.aus.items():
            if number in take.pictures:
                yield Frame(take.pictures[number], take.subject, intensities)


LAYOUTS: Mapping[str, Callable[[Path], Iterator[Frame]]] = {"table": _table, "csv": _csv, "disfa": _disfa}


def _picture_of(
    row: Mapping[str, str], by_name: Mapping[str, Path], by_number: Mapping[int, Path], table: Path
) -> Path:
    for column in _NAMES:
        if column in row and Path(row[column]).suffix.lower() in _PICTURES:
            name = Path(row[column].replace("\\", "/")).name
            if name not in by_name:
                raise BadLabels(f"{str(table)!r} labels {name!r}, which is not beside it. Check the folder.")
            return by_name[name]
    for column in NUMBERS:
        if column in row:
            number = int(float(row[column]))
            if number not in by_number:
                raise BadLabels(f"{str(table)!r} labels frame {number}, which is not among {len(by_number)} pictures.")
            return by_number[number]
    raise BadLabels(f"{str(table)!r} does not say which picture a row is of. It needs a column frame or input.")


def _pictures(folder: Path) -> list[Path]:
    return sorted(each for each in folder.glob("*") if each.suffix.lower() in _PICTURES) if folder.is_dir() else []


def _there(picture: Path, table: Path) -> Path:
    if not picture.is_file():
        raise BadLabels(f"{str(table)!r} labels {picture.name!r}, which is not there. Restore it, or delete the line.")
    return picture

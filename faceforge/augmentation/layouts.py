"""How the output lies on disk. A block is one thing under one name, which is there as a whole or not at all."""

from __future__ import annotations

import json
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from faceforge.augmentation.arrow import pyarrow, read_rows, write_table
from faceforge.augmentation.making import Made
from faceforge.augmentation.report import Report
from faceforge.errors import BadSpec
from faceforge.io.files import replacing, whole_folder
from faceforge.io.pictures import encoded_picture
from faceforge.io.resuming import save, sweep
from faceforge.io.tars import add

REPORTS = "blocks"
TABLE = "metadata.jsonl"


class Layout(ABC):
    """One way to write blocks. A block is done where its report is, and its pictures if the report tells of any."""

    folder: str  # of the blocks, within the output

    def __init__(self, root: Path) -> None:
        self.root, self.place, self.reports = root, root / self.folder, root / REPORTS

    @abstractmethod
    def path(self, number: int) -> Path:
        """What a block is called."""

    @abstractmethod
    def write(self, path: Path, made: Iterator[Made]) -> None:
        """All pictures of a block and their labels, under its name at once."""

    @abstractmethod
    def rows(self, path: Path) -> Iterator[dict[str, Any]]:
        """The labels of a finished block."""

    def begin(self) -> None:
        """Make the folders, and remove what a killed run left half done."""
        for folder in (self.place, self.reports):
            folder.mkdir(exist_ok=True)
        self.sweep()

    def sweep(self) -> None:
        """Remove what killed workers left half done."""
        for folder in (self.root, self.place, self.reports):
            sweep(folder)

    def record(self, number: int, made: Iterator[Made], report: Report) -> None:
        """Write a block and its report; the pictures come last, for they make it done."""
        first = next(made, None)
        if first is None:
            save(self._report(number), report.to_json())
            return
        self.write(self.path(number), _reported(chain([first], made), report, self._report(number)))

    def done(self, number: int) -> Report | None:
        """The report of a block that is whole."""
        try:
            report = Report.from_json(self._report(number).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as reason:
            raise BadSpec(f"{str(self._report(number))!r} is damaged ({reason}). Remove it, and run again.") from reason
        return report if not report.pictures or self.path(number).exists() else None

    def all_rows(self) -> Iterator[dict[str, Any]]:
        """The labels of every finished block, in order."""
        for path in sorted(self.place.glob("[!.]*")):
            yield from self.rows(path)

    def _report(self, number: int) -> Path:
        return self.reports / f"{number:06d}.json"


class Images(Layout):
    """images/000012/0000192-003.png and its metadata.jsonl, as Hugging Face's `imagefolder` reads them."""

    folder = "images"

    def path(self, number: int) -> Path:
        return self.place / f"{number:06d}"

    def write(self, path: Path, made: Iterator[Made]) -> None:
        with whole_folder(path) as temporary, (temporary / TABLE).open("w", encoding="utf-8") as table:
            for each in made:
                (temporary / each.row["file_name"]).write_bytes(encoded(each))
                table.write(_line(each))

    def rows(self, path: Path) -> Iterator[dict[str, Any]]:
        with (path / TABLE).open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


class Shards(Layout):
    """shards/000012.tar with KEY.png and KEY.json, as webdataset reads them."""

    folder = "shards"

    def path(self, number: int) -> Path:
        return self.place / f"{number:06d}.tar"

    def write(self, path: Path, made: Iterator[Made]) -> None:
        with replacing(path) as temporary, tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
            for each in made:
                add(tar, each.row["file_name"], encoded(each))
                add(tar, f"{each.trial.stem}.json", _line(each).encode())

    def rows(self, path: Path) -> Iterator[dict[str, Any]]:
        with tarfile.open(path, "r:") as tar:
            for entry in tar:
                content = tar.extractfile(entry) if entry.name.endswith(".json") else None
                if content is not None:
                    yield json.loads(content.read())


class Parquet(Layout):
    """data/000012.parquet with the pictures in a column, as `datasets` reads it."""

    folder = "data"

    def begin(self) -> None:
        pyarrow()
        super().begin()

    def path(self, number: int) -> Path:
        return self.place / f"{number:06d}.parquet"

    def write(self, path: Path, made: Iterator[Made]) -> None:
        rows, pictures = [], []
        for each in made:
            rows.append(each.row)
            pictures.append(encoded(each))
        with replacing(path) as temporary:
            write_table(temporary, rows, pictures)

    def rows(self, path: Path) -> Iterator[dict[str, Any]]:
        return read_rows(path)


LAYOUTS: dict[str, type[Layout]] = {"images": Images, "shards": Shards, "parquet": Parquet}


def encoded(made: Made) -> bytes:
    """The bytes of a picture in the format of its name, with where it came from inside."""
    assert made.picture.image is not None, "an editor without pictures is refused"
    return encoded_picture(made.picture.image, made.row["file_name"], made.provenance, own=made.own)


def _reported(made: Iterable[Made], report: Report, path: Path) -> Iterator[Made]:
    """The same pictures; the report is complete and saved when the last one has been taken."""
    yield from made
    save(path, report.to_json())


def _line(made: Made) -> str:
    return json.dumps(made.row, allow_nan=False) + "\n"

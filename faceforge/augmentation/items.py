"""What comes in: every source with a key, its labels, and where its picture is; none is opened before its turn."""

from __future__ import annotations

import glob
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from faceforge.augmentation.plan import CARD, Input, Plan
from faceforge.augmentation.tables import label_object, rows
from faceforge.errors import BadPicture, BadSpec, MissingPackage, nearest
from faceforge.io.files import existing_file
from faceforge.io.pictures import Picture, read_picture

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".avif")
_TABLES = ("metadata.jsonl", "metadata.csv")  # labels beside pictures, as `datasets` has them
_LARGEST = 512 * 2**20  # bytes of one picture in a shard


@dataclass(frozen=True)
class Member:
    """Some bytes of a tar file, which is never unpacked."""

    archive: str
    offset: int
    size: int


@dataclass(frozen=True)
class Row:
    """One row of a dataset that `datasets` loads."""

    dataset: str
    split: str
    column: str
    number: int


@dataclass(frozen=True)
class Item:
    """One source: the key that its randomness comes from, where it is, and what is known of it."""

    key: str
    where: str | Member | Row | Picture
    labels: Mapping[str, Any] = field(default_factory=dict)

    def read(self) -> Picture:
        """The picture, or a refusal that says what is wrong with it."""
        if isinstance(self.where, Picture):
            return self.where
        if isinstance(self.where, str):
            return read_picture(self.where)
        try:
            data = _member(self.where) if isinstance(self.where, Member) else _cell(self.where)
        except OSError as reason:
            raise BadPicture(f"{self.key!r} cannot be read: {reason.strerror or reason}.") from reason
        return read_picture(data)


def items(plan: Plan) -> list[Item]:
    """Every source of the plan, in an order that the file system has no part in."""
    given = plan.input
    if given is None:
        raise BadSpec("The plan names no input. Add one; `faceforge augment init` prints an example.")
    name = next(name for name in _READERS if getattr(given, name))
    found = list(_READERS[name](plan, given))
    if not found:
        raise BadSpec(f"There is no picture in {name}={getattr(given, name)!r}. Check the path and its suffixes.")
    _refuse_repeats(found)
    return found


def _folder(plan: Plan, given: Input) -> Iterator[Item]:
    root = plan.path(str(given.folder))
    if not root.is_dir():
        raise BadSpec(f"There is no folder {str(root)!r}. Give a folder of pictures as input.folder.")
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not _is_output(Path(place, name)))
        labels = _labels_beside(Path(place), names)
        for name in sorted(names):
            if Path(name).suffix.lower() in _SUFFIXES:
                path = Path(place, name)
                yield Item(path.relative_to(root).as_posix(), str(path), labels.get(name, {}))


def _glob(plan: Plan, given: Input) -> Iterator[Item]:
    base = plan.path("")
    for name in sorted(glob.glob(str(given.glob), root_dir=base, recursive=True)):
        inside_output = any(_is_output(base / parent) for parent in Path(name).parents)
        if Path(name).suffix.lower() in _SUFFIXES and not inside_output:
            yield Item(Path(name).as_posix(), str(base / name))


def _table(plan: Plan, given: Input) -> Iterator[Item]:
    path = existing_file(plan.path(str(given.table)), BadSpec)
    column = given.image or "file_name"
    for number, row in enumerate(rows(path), 1):
        if not isinstance(row.get(column), str) or not row[column]:
            raise BadSpec(
                f"Row {number} of {str(path)!r} has no picture in the column {column!r}. "
                f"Name the column as input.image. {nearest(column, row)}"
            )
        labels = {name: value for name, value in row.items() if name != column}
        yield Item(str(row[column]), str(path.parent / row[column]), labels)


def _shards(plan: Plan, given: Input) -> Iterator[Item]:
    base = plan.path("")
    for name in sorted(glob.glob(str(given.shards), root_dir=base, recursive=True)):
        yield from _in_shard(base / name, Path(name).name)


def _in_shard(path: Path, name: str) -> Iterator[Item]:
    """Pictures of a shard with the labels of their .json neighbours; names of members are keys and nothing else."""
    pictures: dict[str, Member] = {}
    labels: dict[str, dict[str, Any]] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for entry in tar:
                key, _, suffix = entry.name.rpartition("/")[2].partition(".")
                key = entry.name[: len(entry.name) - len(suffix) - 1]
                suffix = f".{suffix.lower()}"
                if not entry.isfile():
                    continue
                if suffix == ".json" and entry.size < 2**20:
                    labels[key] = label_object(_read(path, entry.offset_data, entry.size))
                elif suffix in _SUFFIXES and key not in pictures:
                    pictures[key] = Member(str(path), entry.offset_data, entry.size)
    except (tarfile.TarError, OSError) as reason:
        raise BadSpec(
            f"{str(path)!r} is not a whole, uncompressed tar ({reason}). Copy or unpack it again."
        ) from reason
    for key, member in pictures.items():
        yield Item(f"{name}/{key}", member, labels.get(key, {}))


def _dataset(plan: Plan, given: Input) -> Iterator[Item]:
    local = plan.path(str(given.dataset))
    name = str(local) if local.exists() else str(given.dataset)
    column = given.image or "image"
    loaded = _loaded(name, given.split, column)
    rest = loaded.remove_columns([column])
    for number in range(len(loaded)):
        yield Item(f"{given.split}/{number}", Row(name, given.split, column, number), rest[number])


_READERS: dict[str, Callable[[Plan, Input], Iterable[Item]]] = {
    "folder": _folder,
    "glob": _glob,
    "table": _table,
    "shards": _shards,
    "dataset": _dataset,
}


@cache
def _loaded(name: str, split: str, column: str) -> Any:
    """A dataset whose pictures stay encoded."""
    try:
        import datasets
    except ImportError as error:
        raise MissingPackage("datasets is not installed. Install it with: pip install 'faceforge[augment]'") from error
    loaded = datasets.load_dataset(name, split=split)
    if column not in loaded.column_names:
        raise BadSpec(f"The dataset has no column {column!r}. {nearest(column, loaded.column_names)}")
    return loaded.cast_column(column, datasets.Image(decode=False))


def _cell(row: Row) -> bytes:
    found = _loaded(row.dataset, row.split, row.column)[row.number][row.column]
    data = found["bytes"] if found["bytes"] is not None else Path(found["path"]).read_bytes()
    return bytes(data)


def _member(member: Member) -> bytes:
    if member.size > _LARGEST:
        raise BadPicture(f"A picture in {member.archive!r} has {member.size} bytes, at most {_LARGEST} are read.")
    return _read(member.archive, member.offset, member.size)


def _read(archive: str | Path, offset: int, size: int) -> bytes:
    with open(archive, "rb") as file:
        file.seek(offset)
        return file.read(size)


def _labels_beside(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    table = next((name for name in _TABLES if name in names), None)
    return {str(row.pop("file_name", "")): row for row in (rows(folder / table) if table else ())}


def _is_output(folder: Path) -> bool:
    """Whether a plan made what is in there: it may lie among its own sources, and is none of them."""
    return (folder / CARD).is_file()


def _refuse_repeats(found: Iterable[Item]) -> None:
    known: set[str] = set()
    for item in found:
        if item.key in known:
            raise BadSpec(f"The source {item.key!r} is listed twice. Keep one: equal keys give equal variants.")
        known.add(item.key)

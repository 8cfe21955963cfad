"""How a dataset lies on disk: a folder of pictures with one table, or WebDataset shards; either survives being killed.

Whatever is under its final name is whole. What a killed run left half done is found, removed and made again.
"""

import json
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from faceforge.errors import BadSpec
from faceforge.io.files import replacing
from faceforge.io.resuming import sweep
from faceforge.io.tars import add
from faceforge.synth.examples import Example
from faceforge.synth.wanted import Wanted

TABLE = "metadata.jsonl"

Tell = Callable[[int], None]


class Layout(Protocol):
    """One way to lay out the examples of a dataset."""

    def done(self) -> int:
        """How many seeds are recorded with all their files; a torn end is cut off."""

    def stored(self, made: Iterable[Example]) -> list[Example]:
        """What a worker does with a block of examples before it hands them on."""

    def record(self, blocks: Iterator[list[Example]], tell: Tell) -> None:
        """Write what the workers handed on, in order, and tell how many pictures each step added."""


class Folder:
    """images/000123.png with images/metadata.jsonl, as Hugging Face's `imagefolder` reads it; maps lie beside."""

    def __init__(self, root: Path, wanted: Wanted) -> None:
        self.root, self.wanted = root, wanted
        self.table = root / "images" / TABLE

    def done(self) -> int:
        for name in ("images", *self.wanted.maps):
            (self.root / name).mkdir(exist_ok=True)
            sweep(self.root / name)
        lines = self.table.read_bytes().splitlines(keepends=True) if self.table.exists() else []
        there = {name: set(os.listdir(self.root / name)) for name in ("images", *self.wanted.maps)}
        whole, seeds, each = 0, 0, self.wanted.pictures_each
        for number in range(min(self.wanted.count, len(lines) // each)):
            own = lines[number * each : (number + 1) * each]
            if not own[-1].endswith(b"\n") or not self._complete(number, there):
                break
            seeds, whole = number + 1, whole + sum(map(len, own))
        if self.table.exists():
            os.truncate(self.table, whole)
        return seeds

    def stored(self, made: Iterable[Example]) -> list[Example]:
        return [self._stored(example) for example in made]

    def record(self, blocks: Iterator[list[Example]], tell: Tell) -> None:
        with self.table.open("ab") as table:
            for block in blocks:
                table.write(b"".join(_line(example) for example in block))
                table.flush()
                os.fsync(table.fileno())
                tell(len(block))

    def _stored(self, example: Example) -> Example:
        for suffix, content in example.files.items():
            name, _, kind = suffix.rpartition(".")
            with replacing(self.root / (name or "images") / f"{example.stem}.{kind}") as temporary:
                temporary.write_bytes(content)
        return replace(example, files={})

    def _complete(self, number: int, there: dict[str, set[str]]) -> bool:
        stems = self.wanted.stems(number)
        pictures = all(f"{stem}.{self.wanted.picture}" in there["images"] for stem in stems)
        return pictures and all(f"{stem}.png" in there[name] for name in self.wanted.maps for stem in stems)


class Shards:
    """synth-000000.tar and so on, in which all files of a seed lie together and carry no time and no owner."""

    def __init__(self, root: Path, wanted: Wanted) -> None:
        self.root, self.wanted = root, wanted

    def done(self) -> int:
        sweep(self.root)
        seeds = 0
        for path in self._finished():
            with tarfile.open(path) as tar:
                seeds += len({name.partition(".")[0] for name in tar.getnames()})
        return seeds

    def stored(self, made: Iterable[Example]) -> list[Example]:
        return list(made)

    def record(self, blocks: Iterator[list[Example]], tell: Tell) -> None:
        number = len(self._finished())
        seeds = _by_seed(example for block in blocks for example in block)
        waiting = next(seeds, None)
        while waiting:
            room = self.wanted.shard_megabytes * 1_000_000
            with (
                replacing(self.root / _shard(number)) as temporary,
                tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar,
            ):
                while waiting and (not tar.offset or tar.offset + _space(waiting) <= room):
                    for name, content in waiting:
                        add(tar, name, content)
                    tell(self.wanted.pictures_each)
                    waiting = next(seeds, None)
            number += 1

    def _finished(self) -> list[Path]:
        found = sorted(self.root.glob("synth-*.tar"))
        if [path.name for path in found] != [_shard(number) for number in range(len(found))]:
            raise BadSpec(f"A shard is missing in {str(self.root)!r}. Bring it back, or remove those after it.")
        return found


def _shard(number: int) -> str:
    return f"synth-{number:06d}.tar"


def _by_seed(examples: Iterable[Example]) -> Iterator[list[tuple[str, bytes]]]:
    """The names and bytes of all files of each seed."""
    last, files = "", list[tuple[str, bytes]]()
    for example in examples:
        key = example.stem.partition(".")[0]
        if files and key != last:
            yield files
            files = []
        last = key
        files += [(f"{example.stem}.{suffix}", content) for suffix, content in example.files.items()]
        files.append((f"{example.stem}.json", _line(example)))
    if files:
        yield files


def _space(files: list[tuple[str, bytes]]) -> int:
    """What files take in a tar: a header each, contents filled up to whole blocks."""
    return sum(tarfile.BLOCKSIZE * (1 + -(-len(content) // tarfile.BLOCKSIZE)) for _, content in files)


def _line(example: Example) -> bytes:
    return json.dumps(example.labels, allow_nan=False).encode() + b"\n"

"""Writing a dataset of synthetic portraits: continued after any interruption, the same bytes each time."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from faceforge import __version__
from faceforge.errors import BadSpec, CannotWrite
from faceforge.io.files import replacing
from faceforge.synth import limits
from faceforge.synth.card import LICENCE, readme
from faceforge.synth.examples import Example, code_hash, examples
from faceforge.synth.layouts import UNFINISHED, Folder, Layout, Shards
from faceforge.synth.wanted import Wanted
from faceforge.synth.workers import in_order

CARD = "dataset.json"


@dataclass(frozen=True)
class Written:
    """What lies in a folder now."""

    folder: Path
    pictures: int
    new: int  # of them made by this call
    counts: Mapping[str, Mapping[str, int]]  # pictures by tone, age and sex


def write(
    folder: str | Path,
    wanted: Wanted,
    *,
    workers: int = 1,
    device: torch.device | None = None,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> Written:
    """Write the dataset, or what is missing of it; `tell` hears how many of the pictures there are.

    More than one worker are fresh processes, so a script that asks for them needs an `if __name__ == "__main__":`.
    """
    wanted.check()
    limits.whole(1)("workers", workers)
    root, of = Path(folder), wanted.count * wanted.pictures_each
    with _refusing(root):
        _begin(root, wanted)
        with _alone(root):
            layout: Layout = Folder(root, wanted) if wanted.format == "folder" else Shards(root, wanted)
            seeds = layout.done()
            there = seeds * wanted.pictures_each
            told = _Count(there, of, tell)
            layout.record(_rest(wanted, layout, seeds, workers, device), told.add)
            counts = _counts(wanted)
            _save(root / "README.md", readme(wanted, counts))
            _save(root / CARD, _card(wanted, counts))
    return Written(root, of, of - there, counts)


class _Count:
    """Adds up what is told in parts."""

    def __init__(self, done: int, of: int, tell: Callable[[int, int], None]) -> None:
        self.done, self.of, self.tell = done, of, tell
        tell(done, of)

    def add(self, more: int) -> None:
        self.done += more
        self.tell(self.done, self.of)


def _rest(
    wanted: Wanted, layout: Layout, seeds: int, workers: int, device: torch.device | None
) -> Iterator[list[Example]]:
    """Blocks of examples that are not recorded yet; of one that is begun, those that are missing."""
    first = seeds // wanted.block * wanted.block
    skip = (seeds - first) * wanted.pictures_each
    for block in in_order(partial(_made, wanted, layout, device), range(first, wanted.count, wanted.block), workers):
        yield block[skip:]
        skip = 0


def _made(wanted: Wanted, layout: Layout, device: torch.device | None, number: int) -> list[Example]:
    return layout.stored(examples(wanted, number, device))


def _begin(root: Path, wanted: Wanted) -> None:
    """Claim a new or empty folder, or make sure that an older one asked for the same."""
    if (root / CARD).is_file():
        _compare(root, wanted)
        return
    if root.exists() and not root.is_dir():
        raise CannotWrite(f"Cannot write the dataset {str(root)!r}: a file has that name. Choose another name.")
    foreign = [name for name in os.listdir(root) if not name.startswith(UNFINISHED)] if root.exists() else []
    if foreign:
        raise CannotWrite(f"{str(root)!r} holds {foreign[0]!r} and is no dataset of ours. Choose a new folder.")
    root.mkdir(parents=True, exist_ok=True)
    _save(root / CARD, _card(wanted, None))


def _compare(root: Path, wanted: Wanted) -> None:
    try:
        card = json.loads((root / CARD).read_text(encoding="utf-8"))
        before = {**card["wanted"], "code": card["code"]}
    except (ValueError, KeyError, TypeError) as reason:
        raise BadSpec(f"{str(root / CARD)!r} is damaged ({reason}). Choose a new folder.") from reason
    now = {**_plain(wanted), "code": code_hash()}
    apart = [name for name in now if now[name] != before.get(name)]
    if apart == ["code"]:
        raise BadSpec(
            f"{str(root)!r} was begun by another version of FaceForge, which draws otherwise. Use a new folder."
        )
    if apart:
        told = ", ".join(f"{name} was {before.get(name)!r} and is {now[name]!r}" for name in apart if name != "code")
        raise BadSpec(f"{str(root)!r} holds another dataset: {told}. Ask for the same, or use a new folder.")


def _card(wanted: Wanted, counts: Mapping[str, Mapping[str, int]] | None) -> str:
    """dataset.json; counts are only known of a finished one."""
    card = {
        "made_by": f"FaceForge {__version__}",
        "code": code_hash(),
        "finished": counts is not None,
        "wanted": _plain(wanted),
        "pictures": wanted.count * wanted.pictures_each,
        "seeds": [wanted.seed, wanted.seed + wanted.count - 1],
        "counts": counts,
        "licence": LICENCE,
    }
    return json.dumps(card, indent=2) + "\n"


def _plain(wanted: Wanted) -> dict[str, Any]:
    """What was asked for, as JSON gives it back."""
    kept = {name: value for name, value in vars(wanted).items() if name != "allow_reserved"}
    plain: dict[str, Any] = json.loads(json.dumps(kept, default=_simple))
    return plain


def _simple(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise BadSpec(f"{value!r} cannot be written down. Override with numbers, words or values of faceforge.synth.")


def _counts(wanted: Wanted) -> dict[str, dict[str, int]]:
    """Pictures by group, in the order of their names."""
    found: dict[str, Counter[str]] = {"tone": Counter(), "age": Counter(), "sex": Counter()}
    for number in range(wanted.count):
        for name, value in wanted.group(number).items():
            found[name][value] += wanted.pictures_each
    return {name: {key: each[key] for key in sorted(each, key=_natural)} for name, each in found.items()}


def _natural(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdigit() else (0, name)


def _save(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def _refusing(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as reason:
        raise CannotWrite(
            f"Cannot write the dataset {str(root)!r}: {reason.strerror or reason}. "
            f"Check its permissions and the free space; the same command then continues."
        ) from reason


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Refuse a second writer; the lock ends with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # Windows, where a folder cannot be locked so
        yield
        return
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as reason:
        raise CannotWrite(f"{str(root)!r} is being written by another process. Wait for it, or end it.") from reason
    finally:
        os.close(handle)

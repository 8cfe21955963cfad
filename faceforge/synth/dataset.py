"""Writing a dataset of synthetic portraits: continued after any interruption, the same bytes each time."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from faceforge import __version__
from faceforge.errors import BadSpec
from faceforge.io.resuming import alone, claim, compare, refusing, save
from faceforge.synth import limits
from faceforge.synth.card import LICENCE, readme
from faceforge.synth.examples import Example, code_hash, examples
from faceforge.synth.layouts import Folder, Layout, Shards
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
    with refusing(root):
        _begin(root, wanted)
        with alone(root):
            layout: Layout = Folder(root, wanted) if wanted.format == "folder" else Shards(root, wanted)
            seeds = layout.done()
            there = seeds * wanted.pictures_each
            told = _Count(there, of, tell)
            layout.record(_rest(wanted, layout, seeds, workers, device), told.add)
            counts = _counts(wanted)
            save(root / "README.md", readme(wanted, counts))
            save(root / CARD, _card(wanted, counts))
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
    if not claim(root, CARD, lambda: _card(wanted, None)):
        asked = {**_plain(wanted), "code": code_hash()}
        compare(root / CARD, asked, lambda card: {**card["wanted"], "code": card["code"]})


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

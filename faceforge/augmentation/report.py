"""What became of every source and variant of a block: whatever is not in the output is here, with its reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from faceforge.augmentation.items import Item


@dataclass
class Report:
    """Counts and reasons of one block, or of all together; nothing in it depends on when or where it was made."""

    block: int = 0
    sources: int = 0
    pictures: int = 0  # in the output
    failed: Counter[str] = field(default_factory=Counter)  # attempts by the gate that they failed
    rejected: list[dict[str, Any]] = field(default_factory=list)  # variants that were given up
    quarantined: list[dict[str, Any]] = field(default_factory=list)  # sources that cannot be edited
    targets: dict[str, Counter[str]] = field(default_factory=dict)  # pictures in the output by bin

    def to_json(self) -> str:
        return json.dumps(vars(self), allow_nan=False, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        told = json.loads(text)
        told["failed"] = Counter(told["failed"])
        told["targets"] = {name: Counter(counts) for name, counts in told["targets"].items()}
        return cls(**told)

    def count(self, row: dict[str, Any]) -> None:
        """One more picture in the output."""
        self.pictures += 1
        for name, chosen in row.get("targets", {}).items():
            if not chosen:  # an unedited source that is in no bin
                continue
            self.targets.setdefault(name, Counter())[chosen] += 1

    def put_aside(self, item: Item, reason: Exception) -> None:
        """A source that cannot be edited; the reason names it by its key, wherever it was read from."""
        place = item.where if isinstance(item.where, str) else ""
        told = str(reason).replace(place, item.key) if place else str(reason)
        self.quarantined.append({"source": item.key, "reason": told})

    def add(self, other: Report) -> None:
        self.sources += other.sources
        self.pictures += other.pictures
        self.failed += other.failed
        self.rejected += other.rejected
        self.quarantined += other.quarantined
        for name, counts in other.targets.items():
            self.targets[name] = self.targets.get(name, Counter()) + counts

    def describe(self) -> str:
        """The counts in words."""
        words = [f"{self.pictures} pictures from {self.sources} sources"]
        if self.rejected:
            reasons = Counter(reason for each in self.rejected for reason in each["reasons"])
            words.append(f"{len(self.rejected)} variants given up ({_listed(reasons)})")
        if self.failed:
            words.append(f"{sum(self.failed.values())} failed gates ({_listed(self.failed)})")
        if self.quarantined:
            words.append(f"{len(self.quarantined)} sources in quarantine")
        return "; ".join(words)


def total(reports: Iterable[Report]) -> Report:
    """All blocks together."""
    found = Report()
    for each in reports:
        found.add(each)
    return found


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))

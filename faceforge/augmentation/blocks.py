"""The unit of work: some sources, and which bins each of their variants goes into."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from faceforge.augmentation.edit import Wish
from faceforge.augmentation.items import Item, items
from faceforge.augmentation.plan import Place, Plan
from faceforge.augmentation.targets import Axis, belongs
from faceforge.io.files import sha256
from faceforge.io.pictures import Picture


@dataclass(frozen=True)
class Source:
    """One item with its number among all, and what each of its variants is to be."""

    number: int
    item: Item
    bins: Sequence[Mapping[str, str]]  # per variant: target -> bin
    own: Mapping[str, str]  # the bins that the source itself belongs to, where the output holds it


@dataclass(frozen=True, eq=False)
class Try:
    """One attempt at one variant of a source whose picture is open; without a place, the source as it is."""

    source: Source
    picture: Picture
    wish: Wish
    place: Place | None = None

    @property
    def stem(self) -> str:
        """What the picture is called; made of numbers alone, so that no key can lead out of a folder."""
        return f"{self.source.number:07d}" + (f"-{self.place.variant:03d}" if self.place else "")


@dataclass(frozen=True)
class Block:
    """Sources that are worked on, written and recorded as one."""

    number: int
    sources: Sequence[Source]


@dataclass(frozen=True)
class Agenda:
    """All blocks of a plan; each is made up when it is asked for."""

    plan: Plan
    items: Sequence[Item]
    axes: Sequence[Axis]

    @classmethod
    def of(cls, plan: Plan) -> Agenda:
        found = items(plan)
        held = [item.labels for item in found] if plan.output.sources else []
        count = len(found) * plan.variants
        axes = [Axis.of(name, bins, count, held, plan.seed) for name, bins in plan.targets.items()]
        return cls(plan, found, axes)

    def __len__(self) -> int:
        return -(-len(self.items) // self.plan.block)

    def block(self, number: int) -> Block:
        return replace(self.some(number * self.plan.block, self.plan.block), number=number)

    def some(self, first: int, count: int) -> Block:
        """A few sources as a block of their own, to try a plan with."""
        return Block(0, [self._source(each) for each in range(first, min(first + count, len(self.items)))])

    @property
    def digest(self) -> str:
        """Of every key and label: a run only goes on with the sources that it began with."""
        told = [[each.key, dict(each.labels)] for each in self.items]
        return sha256(json.dumps(told, sort_keys=True, default=str).encode())

    def _source(self, number: int) -> Source:
        variants = self.plan.variants
        bins = [{axis.name: axis.bin(number * variants + each) for axis in self.axes} for each in range(variants)]
        item = self.items[number]
        own = {axis.name: belongs(item.labels, self.plan.targets[axis.name]) for axis in self.axes}
        return Source(number, item, bins, own)

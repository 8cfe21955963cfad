"""Portraits for training that never touch a disk: batches drawn when needed, and the same wherever that is."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from faceforge.errors import BadSpec
from faceforge.synth import limits
from faceforge.synth.draws import Draws, check_seed
from faceforge.synth.portrait import pictures
from faceforge.synth.series import pair
from faceforge.synth.sitting import Sitting, sample
from faceforge.synth.wanted import check_seeds, personal


@dataclass(frozen=True)
class Batch:
    """Pictures (B, 3, H, W) uint8 and what they show; of pairs, `partners` are the others, in the same order."""

    step: int  # continue with Stream(start=step + 1)
    pictures: Tensor
    sittings: list[Sitting]
    partners: "Batch | None" = None


@dataclass(frozen=True)
class Stream(IterableDataset[Batch]):
    """Batches of the seeds from `seed` on; endless without a `count`.

    Hand it to a DataLoader with `batch_size=None`: any number of workers then gives the same batches in the same order.
    Of several ranks each gets every `world`-th batch, all of them equally many.
    """

    size: int = 128
    batch: int = 16
    seed: int = 0
    count: int | None = None  # seeds
    per_person: int = 1  # so many seeds in a row show one person, whose textures are painted once
    change: tuple[str, ...] = ()  # what differs within pairs; single portraits without it
    shuffle: int | None = None  # people in another order for every number; needs a count
    start: int = 0  # the first step
    rank: int = 0
    world: int = 1
    device: torch.device | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    allow_reserved: bool = False

    def __post_init__(self) -> None:
        limits.check(vars(self), _RULES)
        if self.rank >= self.world:
            raise BadSpec(f"rank={self.rank!r} of world={self.world!r} is none. Count ranks from 0.")
        if self.shuffle is not None and (self.count is None or self.count % self.per_person):
            raise BadSpec(
                f"shuffle={self.shuffle!r} needs a count that is a multiple of per_person={self.per_person}, "
                f"but count={self.count!r}. Give one, or leave shuffle out."
            )
        check_seeds(self.seed, self.count or 1, self.per_person, allow_reserved=self.allow_reserved)
        self._sittings(self._seed(0))

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        last = self.steps
        number = self.start + first
        while last is None or number < last:
            yield self.at(number)
            number += step

    @property
    def steps(self) -> int | None:
        """Batches of this rank, or None if there is no end."""
        return None if self.count is None else math.ceil(self.count / self.batch) // self.world

    def at(self, step: int) -> Batch:
        """The batch of one step of this rank."""
        _FROM_0("step", step)
        begin = (step * self.world + self.rank) * self.batch
        end = begin + self.batch if self.count is None else min(begin + self.batch, self.count)
        drawn = [self._sittings(self._seed(number)) for number in range(begin, end)]
        sides = [[each[side] for each in drawn] for side in range(2 if self.change else 1)]
        batches = [Batch(step, pictures(side, self.size, device=self.device), side) for side in sides]
        return batches[0] if len(batches) == 1 else Batch(step, batches[0].pictures, sides[0], batches[1])

    def _sittings(self, seed: int) -> tuple[Sitting, ...]:
        allowed = self.allow_reserved
        overrides = personal(seed, self.per_person, self.overrides, allow_reserved=allowed)
        if self.change:
            return pair(seed, self.change, allow_reserved=allowed, **overrides)
        return (sample(seed, allow_reserved=allowed, **overrides),)

    def _seed(self, number: int) -> int:
        if self.shuffle is None or self.count is None:
            return check_seed(self.seed + number, allow_reserved=self.allow_reserved)
        person, own = divmod(number, self.per_person)
        return self.seed + shuffled(person, self.count // self.per_person, self.shuffle) * self.per_person + own


_FROM_0, _FROM_1 = limits.whole(0), limits.whole(1)
_RULES = {
    "size": limits.whole(1, 4096), "batch": _FROM_1, "per_person": _FROM_1, "world": _FROM_1, "start": _FROM_0,
    "rank": _FROM_0, "count": limits.optional(_FROM_1), "shuffle": limits.optional(limits.whole(0, 2**63 - 1)),
}  # fmt: skip


def shuffled(number: int, count: int, order: int) -> int:
    """Where a number below `count` goes in a random order; every number goes elsewhere, and no list is kept.

    A Feistel network over the next power of four, walked until it lands below the count.

    >>> sorted(shuffled(number, 5, 1) for number in range(5))
    [0, 1, 2, 3, 4]
    """
    half = max(1, math.ceil(math.log2(max(2, count)) / 2))
    mask = (1 << half) - 1
    while True:
        left, right = number >> half, number & mask
        for turn in range(4):
            left, right = right, left ^ (Draws(order, "order", f"{turn}", f"{right}").noise_seed() & mask)
        number = left << half | right
        if number < count:
            return number

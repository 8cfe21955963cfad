"""Which bin of every target each variant goes into, so that the output as a whole has the shares asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from faceforge.augmentation.conditions import Labels, fits
from faceforge.augmentation.plan import Bin
from faceforge.synth.draws import Draws
from faceforge.synth.stream import shuffled


@dataclass(frozen=True)
class Axis:
    """One target: how many variants each bin gets, dealt out in an order that only the plan's seed decides."""

    name: str
    counts: Mapping[str, int]  # variants by bin
    present: Mapping[str, int]  # sources by bin, where the output holds them
    order: int

    @classmethod
    def of(cls, name: str, bins: Mapping[str, Bin], variants: int, sources: Sequence[Labels], seed: int) -> Axis:
        """`sources` are the labels of those that the output holds as they are."""
        present = dict.fromkeys(bins, 0)
        for labels in sources:
            if own := belongs(labels, bins):
                present[own] += 1
        shares = {key: each.share for key, each in bins.items()}
        order = Draws(seed, "target", name).noise_seed()
        return cls(name, missing(shares, present, variants), present, order)

    def bin(self, position: int) -> str:
        """The bin of the variant at a position among all."""
        rank = shuffled(position, sum(self.counts.values()), self.order)
        ends = zip(self.counts, accumulate(self.counts.values()), strict=True)
        return next(name for name, end in ends if rank < end)


def belongs(labels: Labels, bins: Mapping[str, Bin]) -> str:
    """The first bin that a source's labels fit; empty where none does."""
    return next((name for name, each in bins.items() if each.labels and fits(labels, each.labels)), "")


def missing(shares: Mapping[str, float], present: Mapping[str, int], new: int) -> dict[str, int]:
    """How many of each kind to add, `new` in all, so that the shares come as close as they can.

    >>> missing({"smile": 1.0, "rest": 1.0}, {"smile": 0, "rest": 6}, 10)
    {'smile': 8, 'rest': 2}
    """
    short = dict(shares)  # kinds of which there are not too many already
    while True:
        total = new + sum(present[name] for name in short)
        weight = sum(short.values())
        wish = {name: total * share / weight - present[name] for name, share in short.items()}
        over = [name for name, count in wish.items() if count < 0]
        if not over:
            return dict(zip(shares, _whole([wish.get(name, 0.0) for name in shares], new), strict=True))
        short = {name: share for name, share in short.items() if name not in over}


def _whole(wanted: Sequence[float], total: int) -> list[int]:
    """Whole numbers of that sum: the largest remainders are rounded up."""
    counts = [int(count) for count in wanted]
    by_rest = sorted(range(len(wanted)), key=lambda place: counts[place] - wanted[place])
    for place in by_rest[: total - sum(counts)]:
        counts[place] += 1
    return counts

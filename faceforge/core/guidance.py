"""Guidance: which branches a step predicts, and how their predictions become one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

EVERYONE = None


@dataclass(frozen=True)
class Branch:
    """One prediction per item: the plugins in `null` give their null condition there (None: every plugin does)."""

    name: str
    null: frozenset[str] | None = frozenset()

    def is_null(self, plugin: str) -> bool:
        return self.null is EVERYONE or plugin in self.null


class Guidance(Protocol):
    """How branch predictions combine; one plugin may own it."""

    branches: Sequence[Branch]

    def needed(self, scale: float) -> Sequence[Branch]:
        """The branches that matter at this scale, always with the first, which is the conditioned one."""
        ...

    def combine(self, predictions: Mapping[str, Tensor], scale: Tensor) -> Tensor:
        """Predictions (items, C, h, w) by branch name and one scale per item become one prediction."""
        ...


class ClassifierFree:
    """null + scale * (conditioned - null); at scale 1 the null branch cancels, so it does not run.

    `from_one` repeats a habit of the releases, which switch guidance off below 1 instead of interpolating.
    """

    branches: Sequence[Branch] = (Branch("conditioned"), Branch("null", EVERYONE))

    def __init__(self, *, from_one: bool = False) -> None:
        self.from_one = from_one

    def needed(self, scale: float) -> Sequence[Branch]:
        idle = scale == 1.0 or (self.from_one and scale < 1.0)
        return self.branches[:1] if idle else self.branches

    def combine(self, predictions: Mapping[str, Tensor], scale: Tensor) -> Tensor:
        conditioned, null = predictions["conditioned"], predictions["null"]
        return null + scale.to(conditioned).view(-1, 1, 1, 1) * (conditioned - null)

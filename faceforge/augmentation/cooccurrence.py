"""Which action units appear together: a table of frequencies, and faces drawn so that they follow it.

A unit is on where a normal number of its own lies below the threshold that its frequency asks for; the numbers of two
units are correlated as far as their joint frequency asks for (a dichotomised normal vector: Emrich and Piedmonte 1991).
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from faceforge import aus
from faceforge.augmentation.samplers import Number, Odometer, drawn, extremes
from faceforge.augmentation.strict import Strict
from faceforge.errors import BadSpec
from faceforge.synth.draws import Draws

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_MOST = 0.9999  # correlation: beyond, two units are one
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_SURE = 8.0  # deviations: a frequency of 0 or 1


class Cooccurrence(Strict):
    """On the diagonal how often a unit is on, beside it how often both are; what is not given is independent."""

    table: dict[str, dict[str, Share]] = Field(min_length=1, description="unit -> unit -> how often both are on, 0..1")
    amount: Number = Field(default=3.0, description="The change, in FACS units, of each unit that is on.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for value in extremes(self.amount):
            aus.checked({"AU12": value})
        missing = [code for code in self._rows if code not in self._rows[code]]
        if missing:
            raise BadSpec(f"The table does not say how often {missing[0]} is on. Add {missing[0]} to its own row.")
        for one in self.codes:
            for other in self._rows[one]:
                self._check_pair(one, other)
        return self

    @cached_property
    def _rows(self) -> dict[str, dict[str, float]]:
        return {
            aus.parse(code): {aus.parse(other): share for other, share in row.items()}
            for code, row in self.table.items()
        }

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self._rows)

    def draw(self, draws: Draws, cell: Odometer) -> dict[str, float]:
        """The units that are on, with their amounts."""
        own = [draws.child(code).normal(clip=_SURE) for code in self.codes]
        mixed = self._mixing @ np.array(own)
        on = [code for code, value, most in zip(self.codes, mixed, self._thresholds, strict=True) if value < most]
        return {code: drawn(self.amount, draws.child(code, "amount"), cell) for code in on}

    @cached_property
    def _thresholds(self) -> list[float]:
        return [_quantile(self._rows[code][code]) for code in self.codes]

    @cached_property
    def _mixing(self) -> NDArray[np.float64]:
        """(K, K): independent numbers to correlated ones; the nearest table that exists, where the asked one cannot."""
        correlations = np.eye(len(self.codes))
        for i, one in enumerate(self.codes):
            for j, other in enumerate(self.codes[:i]):
                both = self._both(one, other)
                if both is not None:
                    found = _correlation(both, self._thresholds[i], self._thresholds[j])
                    correlations[i, j] = correlations[j, i] = found
        values, vectors = np.linalg.eigh(correlations)
        root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        mixing: NDArray[np.float64] = root / np.linalg.norm(root, axis=1, keepdims=True)
        return mixing

    def _both(self, one: str, other: str) -> float | None:
        return self._rows[one].get(other, self._rows[other].get(one))

    def _check_pair(self, one: str, other: str) -> None:
        if other not in self._rows:
            raise BadSpec(f"{one} is said to appear with {other}, which has no row of its own. Add one.")
        if one == other:
            return
        if self._rows[other].get(one, self._rows[one][other]) != self._rows[one][other]:
            raise BadSpec(f"{one} with {other} and {other} with {one} differ. Keep one of the two.")
        alone = self._rows[one][one], self._rows[other][other]
        least, most = max(0.0, sum(alone) - 1), min(alone)
        if not least - 1e-9 <= self._rows[one][other] <= most + 1e-9:
            raise BadSpec(
                f"{one} and {other} cannot be on together in {self._rows[one][other]:g} of all faces: they are in "
                f"{alone[0]:g} and {alone[1]:g}. Give a number from {least:g} to {most:g}."
            )


def _correlation(both: float, one: float, other: float) -> float:
    """The correlation of two normal numbers that lie below their thresholds together that often."""
    low, high = -_MOST, _MOST
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(one, other, middle) < both else (low, middle)
    return (low + high) / 2


def _below(h: float, k: float, correlation: float) -> float:
    """P(x < h, y < k) of a normal pair: the product at no correlation, and Plackett's integral from there."""
    r = correlation * (_NODES + 1) / 2
    square = 1 - r * r
    density = np.exp(-(h * h - 2 * r * h * k + k * k) / (2 * square)) / (2 * math.pi * np.sqrt(square))
    return _normal(h) * _normal(k) + float(correlation / 2 * (_WEIGHTS * density).sum())


def _normal(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def _quantile(p: float) -> float:
    """The number that a standard normal one stays below with probability p, by halving."""
    low, high = -_SURE, _SURE
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _normal(middle) < p else (low, middle)
    return -2 * _SURE if p == 0 else 2 * _SURE if p == 1 else (low + high) / 2

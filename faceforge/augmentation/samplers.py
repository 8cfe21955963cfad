"""How a value of an edit is drawn: constant, uniform, normal, chosen, or walked through as a grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator

from faceforge.augmentation.strict import Strict
from faceforge.synth.draws import Draws

Finite = Annotated[float, Field(allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Pair = tuple[Finite, Finite]

_REDRAWN = 1000
_CLIP = 3.0  # deviations beyond which Draws never goes


class Odometer:
    """Which cell of all grids together a position stands for; every grid takes one digit."""

    def __init__(self, position: int) -> None:
        self._left = position

    def digit(self, base: int) -> int:
        """
        >>> meter = Odometer(5); meter.digit(2), meter.digit(3)
        (1, 2)
        """
        self._left, found = divmod(self._left, base)
        return found


class Numbers(Strict):
    """One way to draw a number."""

    uniform: Pair | None = Field(default=None, description="From low to high, all equally likely.")
    normal: Pair | None = Field(default=None, description="Mean and standard deviation; never beyond three deviations.")
    within: Pair | None = Field(default=None, description="Bounds of a normal number; drawn anew beyond them.")
    choice: tuple[Finite, ...] | None = Field(default=None, min_length=1, description="One of these.")
    weights: tuple[Weight, ...] | None = Field(default=None, description="How likely each choice is.")
    grid: tuple[Finite, ...] | None = Field(
        default=None, min_length=1, description="One after the other, over all variants."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        _check_ways(self, ("uniform", "normal", "choice", "grid"))
        for name in ("uniform", "within"):
            pair = getattr(self, name)
            if pair is not None and pair[0] > pair[1]:
                raise ValueError(f"{name}={list(pair)} has its bounds the wrong way round. Give the smaller one first.")
        if self.normal is not None and self.normal[1] < 0:
            raise ValueError(f"normal={list(self.normal)} has a negative deviation. Give mean and deviation.")
        if self.within is not None:
            self._check_within(self.within)
        return self

    def _check_within(self, within: Pair) -> None:
        if self.normal is None:
            raise ValueError("'within' holds a normal number. Leave it out, or give 'normal'.")
        reach = _CLIP * self.normal[1]
        if within[1] < self.normal[0] - reach or within[0] > self.normal[0] + reach:
            raise ValueError(f"normal={list(self.normal)} never falls within {list(within)}. Widen the bounds.")

    @property
    def extremes(self) -> tuple[float, float]:
        """The least and the greatest number that may come."""
        if self.normal is not None:
            mean, reach = self.normal[0], _CLIP * self.normal[1]
            low, high = self.within or (mean - reach, mean + reach)
            return max(low, mean - reach), min(high, mean + reach)
        values = self.uniform or self.choice or self.grid or ()
        return min(values), max(values)

    def draw(self, draws: Draws, cell: Odometer) -> float:
        """One number; where it comes from a grid, the one of this cell."""
        if self.uniform is not None:
            return draws.uniform(*self.uniform)
        if self.normal is not None:
            return self._normal(draws, *self.normal)
        return float(_picked(draws, cell, self.choice, self.weights, self.grid))

    def _normal(self, draws: Draws, mean: float, deviation: float) -> float:
        low, high = self.within or self.extremes
        for _ in range(_REDRAWN):
            found = draws.normal(mean, deviation, clip=_CLIP)
            if low <= found <= high:
                return found
        return min(max(mean, low), high)


class Words(Strict):
    """One way to draw a word."""

    choice: tuple[str, ...] | None = Field(default=None, min_length=1, description="One of these.")
    weights: tuple[Weight, ...] | None = Field(default=None, description="How likely each choice is.")
    grid: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="One after the other, over all variants."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        _check_ways(self, ("choice", "grid"))
        return self

    @property
    def all(self) -> tuple[str, ...]:
        return self.choice or self.grid or ()

    def draw(self, draws: Draws, cell: Odometer) -> str:
        return str(_picked(draws, cell, self.choice, self.weights, self.grid))


def _kind(value: Any) -> str:
    if isinstance(value, dict | Strict):
        return "sampler"
    return "flag" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


Number = Annotated[Annotated[Finite, Tag("number")] | Annotated[Numbers, Tag("sampler")], Discriminator(_kind)]
Word = Annotated[Annotated[str, Tag("text")] | Annotated[Words, Tag("sampler")], Discriminator(_kind)]
Setting = Annotated[
    Annotated[bool, Tag("flag")]
    | Annotated[str, Tag("text")]
    | Annotated[int | float, Tag("number")]
    | Annotated[Numbers, Tag("sampler")],
    Discriminator(_kind),
]


def drawn(value: Any, draws: Draws, cell: Odometer) -> Any:
    """A constant itself, or what a sampler draws."""
    return value.draw(draws, cell) if isinstance(value, Numbers | Words) else value


def extremes(value: Any) -> Sequence[Any]:
    """The values by which a constant or sampler is checked before anything is drawn."""
    if isinstance(value, Numbers):
        return value.extremes
    return value.all if isinstance(value, Words) else (value,)


def _picked(draws: Draws, cell: Odometer, choice: Any, weights: Any, grid: Any) -> Any:
    return grid[cell.digit(len(grid))] if grid is not None else draws.choice(choice, weights)


def _check_ways(sampler: Any, ways: Sequence[str]) -> None:
    given = [name for name in ways if getattr(sampler, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise ValueError(f"a sampler has one of {', '.join(ways)}; this has {found}.")
    weights = sampler.weights
    if weights is None:
        return
    if sampler.choice is None:
        raise ValueError("'weights' belong to a 'choice'. Leave them out, or give one.")
    if len(weights) != len(sampler.choice) or not sum(weights) > 0:
        raise ValueError(f"weights={list(weights)} do not fit {len(sampler.choice)} choices. Give one each, not all 0.")

"""What values may be: rules by which the parts of a portrait check themselves, so that every label is true."""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from faceforge.errors import BadSpec, nearest

Rule = Callable[[str, Any], None]


def check(values: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Refuse the first value that its rule does not allow; names without a rule may be anything."""
    for name, value in values.items():
        if name in rules:
            rules[name](name, value)


def number(low: float, high: float) -> Rule:
    """A finite number within bounds."""

    def rule(name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not finite(value):
            raise BadSpec(f"{name}={value!r} is not a number. Give a finite one.")
        if not low <= value <= high:
            raise BadSpec(f"{name}={value!r} is out of range. Give a number from {low:g} to {high:g}.")

    return rule


def whole(low: int, high: int | None = None) -> Rule:
    """A whole number within bounds."""
    span = f"from {low}" if high is None else f"from {low} to {high}"

    def rule(name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadSpec(f"{name}={value!r} is not a whole number. Give one {span}.")
        if value < low or (high is not None and value > high):
            few = "too few" if value < low and low == 1 else "out of range"
            raise BadSpec(f"{name}={value!r} is {few}. Give a whole number {span}.")

    return rule


def optional(rule: Rule) -> Rule:
    """None, or what a rule allows."""

    def either(name: str, value: Any) -> None:
        if value is not None:
            rule(name, value)

    return either


def word(known: tuple[str, ...]) -> Rule:
    def rule(name: str, value: Any) -> None:
        if value not in known:
            raise BadSpec(f"{name}={value!r} is not known. {nearest(str(value), known)}")

    return rule


def instance(kind: type) -> Rule:
    """A value of a type whose numbers, at any depth, are all finite."""

    def rule(name: str, value: Any) -> None:
        if not isinstance(value, kind):
            raise BadSpec(f"{name}={value!r} is a {type(value).__name__}. Give a {kind.__name__}.")
        if not finite(value):
            raise BadSpec(f"{name}={value!r} holds a number that is not finite. Give finite ones.")

    return rule


def row(count: int, low: float, high: float) -> Rule:
    """A tuple of so many numbers within bounds."""
    each = number(low, high)

    def rule(name: str, value: Any) -> None:
        if not isinstance(value, tuple) or len(value) != count:
            raise BadSpec(f"{name}={value!r} is not a tuple of {count} numbers. Give one.")
        for place, part in enumerate(value):
            each(f"{name}[{place}]", part)

    return rule


def table(rows: int, columns: int, low: float, high: float) -> Rule:
    """A tuple of so many rows of numbers within bounds."""
    each = row(columns, low, high)

    def rule(name: str, value: Any) -> None:
        if not isinstance(value, tuple) or len(value) != rows:
            raise BadSpec(f"{name}={value!r} is not a tuple of {rows} rows. Give one.")
        for place, part in enumerate(value):
            each(f"{name}[{place}]", part)

    return rule


def finite(value: Any) -> bool:
    """Whether all numbers in dataclasses and tuples are finite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, tuple):
        return all(map(finite, value))
    if is_dataclass(value):
        return all(finite(getattr(value, each.name)) for each in fields(value))
    return True

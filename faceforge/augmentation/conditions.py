"""What the labels of a source have to be: a value, one of several, or within a range."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Tag

from faceforge.augmentation.samplers import Finite
from faceforge.augmentation.strict import Strict

Label = str | int | float | bool
Labels = Mapping[str, Any]


class Range(Strict):
    """Numbers that a label may be."""

    least: Finite = float("-inf")
    most: Finite = float("inf")


def _wanted_kind(value: Any) -> str:
    return "range" if isinstance(value, dict | Range) else "several" if isinstance(value, tuple) else "one"


Wanted = Annotated[
    Annotated[Label, Tag("one")] | Annotated[tuple[Label, ...], Tag("several")] | Annotated[Range, Tag("range")],
    Discriminator(_wanted_kind),
]
Condition = dict[str, Wanted]


def fits(labels: Labels, condition: Condition) -> bool:
    """Whether a source has the labels that a condition asks for.

    >>> fits({"smile": "0.7", "sex": "female"}, {"smile": Range(least=0.5), "sex": ("female", "male")})
    True
    """
    return all(name in labels and _fits(labels[name], wanted) for name, wanted in condition.items())


def _fits(label: Any, wanted: Any) -> bool:
    if isinstance(wanted, Range):
        try:
            return wanted.least <= float(label) <= wanted.most
        except (TypeError, ValueError):
            return False
    several = wanted if isinstance(wanted, tuple) else (wanted,)
    # A table of text knows no numbers: "3" is 3 there.
    return any(label == each or str(label) == str(each) for each in several)

"""Where a visitor dragged the light to, as values of the widgets."""

from __future__ import annotations

from typing import Any

from faceforge.errors import BadSpec
from faceforge_demos.controls import DIRECTION
from faceforge_demos.edits import Values

MOST = 90.0  # degrees: in front of the face


def lit(values: Values, sent: Any) -> Values:
    """The wish with its light from where a browser's ball has it, so nothing about it is certain."""
    return {**values, "light": DIRECTION, **{name: _degrees(sent, name) for name in ("across", "up")}}


def _degrees(sent: Any, name: str) -> float:
    angle = sent.get(name) if isinstance(sent, dict) else None
    if isinstance(angle, int | float) and not isinstance(angle, bool) and -MOST <= angle <= MOST:
        return float(angle)
    raise BadSpec(f"A light's {name} is a number of degrees from -{MOST:g} to {MOST:g}, not {angle!r}.")

"""A pull on the face, from where the pointer went down to where it let go, as an edit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faceforge.errors import BadSpec
from faceforge.spec import EditSpec
from faceforge.warp.pull import Point, pulled
from faceforge_demos.controls import spec_of, values_of
from faceforge_demos.edits import Edit, Values
from faceforge_demos.model import units_of
from faceforge_demos.session import Session


def pull(session: Session, values: Values, sent: Any, progress: Callable[[Any], None] | None = None) -> Edit:
    """What the widgets say and the pull besides, made; `sent` is a browser's, so nothing about it is certain."""
    photograph = session.photograph
    start, end = _places(sent, photograph.picture.image.size)
    spec = spec_of(values, session.knobs)
    reading = photograph.readings(1 if spec.face == "all" else spec.face)[0]
    wish = pulled(photograph.plate(reading), spec, start, end, units_of(session.forge))
    return session.finish(values_of(_in_tenths(wish), session.knobs), progress)


def _places(sent: Any, size: tuple[int, int]) -> tuple[Point, Point]:
    """Two places in pixels, from shares of the picture's width and height."""
    shares = sent.get("pull") if isinstance(sent, dict) else None
    if not (isinstance(shares, list) and len(shares) == 4 and all(_is_share(each) for each in shares)):
        raise BadSpec(f"A pull is four shares of the picture, x and y of its two ends within 0..1, not {shares!r}.")
    (x, y, to_x, to_y), (width, height) = shares, size
    return (x * width, y * height), (to_x * width, to_y * height)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _in_tenths(spec: EditSpec) -> EditSpec:
    """As finely as the sliders stand."""
    return spec.with_(aus={code: round(value, 1) for code, value in spec.aus.items()})

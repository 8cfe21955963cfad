"""What is seen of a finished edit: which action units moved, and whether it is still the same person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from PIL import Image

from faceforge.errors import NoFace
from faceforge.face.found import Face
from faceforge.io.pictures import fit
from faceforge.mer import judges, preservation
from faceforge.mer.looking import looker
from faceforge.result import Result

_ROOM = 0.6  # around a face, of its longer side


@dataclass(frozen=True)
class Measured:
    """By how much each unit changed, in FACS units, and how alike the two faces are, as a cosine."""

    aus: Mapping[str, float]
    identity: float
    confusion: float | None  # how often that identity takes two people for one, where somebody measured it


def measured(result: Result, face: Face | None = None) -> Measured | None:
    """What a judge sees of an edit, None where it finds no face; `face` where another than the largest was edited."""
    before, after = result.source, result.image
    assert before is not None, "the studio measures edits of photographs"
    assert after is not None, "a model without pictures is refused"
    if face is not None and before.size == after.size:
        before, after = (each.crop(_around(face)) for each in (before, after))
    return _seen(fit(before, *after.size), after)


def _seen(before: Image.Image, after: Image.Image) -> Measured | None:
    judge, who = _judge(), _embedding()
    try:
        pair = looker().pair(before, after)
        aus = dict(zip(judge.codes, map(float, judge.delta(before, after)), strict=True))
    except NoFace:
        return None
    return Measured(aus, preservation.identity(*pair, who), who.equal_error_rate)


def _around(face: Face) -> tuple[int, int, int, int]:
    """A face with room for the judge to find it again, within the picture."""
    left, top, right, bottom = face.box
    room, (height, width) = _ROOM * max(right - left, bottom - top), face.size
    start = max(int(left - room), 0), max(int(top - room), 0)
    return *start, min(int(right + room), width), min(int(bottom + room), height)


@cache
def _judge() -> judges.Judge:
    return judges.judge()


@cache
def _embedding() -> preservation.Embedding:
    return preservation.embedding()

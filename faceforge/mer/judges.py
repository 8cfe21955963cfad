"""Judges: whoever says which action units moved between two pictures, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Literal, Protocol

from PIL import Image

from faceforge.errors import BadPlugin, nearest

GROUP = "faceforge.judges"
DEFAULT = "intensity"


@dataclass(frozen=True)
class Facts:
    """What every score says of the judge behind it."""

    name: str
    finder: str = ""  # who finds the faces it looks at
    weights: str = ""  # SHA-256 of its weights; empty for closed forms
    flow: str = ""  # flow backend, for judges of motion
    preset: str = ""  # what it sees of the flow
    unit: Literal["facs", "motion"] = "facs"  # FACS units, or -1..1 without a scale
    least: float = 0.5  # the smallest change that counts, in its unit


class Judge(Protocol):
    """Says by how much each of its action units changed between two pictures: signed, exactly 0 for equal ones."""

    codes: Sequence[str]
    facts: Facts

    def delta(self, source: Image.Image, edited: Image.Image) -> Sequence[float]:
        """Changes (K,) in the order of `codes`."""
        ...


def _built_in(**places: str) -> dict[str, EntryPoint]:
    return {name: EntryPoint(name, f"faceforge.mer.{place}", GROUP) for name, place in places.items()}


BUILT_IN = _built_in(
    landmarks="proxies:LandmarkJudge",
    flow="proxies:FlowJudge",
    intensity="intensity:IntensityJudge",
    motion="motion:MotionJudge",
    blendshapes="blendshapes:BlendshapeJudge",
)


def judges() -> dict[str, EntryPoint]:
    """Built-in and installed judges by name; none is loaded."""
    return {each.name: each for each in entry_points(group=GROUP)} | BUILT_IN


def judge(name: str = "") -> Judge:
    """A judge by name; the default one if no name is given."""
    found, wanted = judges(), name or DEFAULT
    if wanted not in found:
        raise BadPlugin(f"No judge is called {wanted!r}. {nearest(wanted, found)}")
    made: Judge = found[wanted].load()()
    return made

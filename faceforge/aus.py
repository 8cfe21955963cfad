"""Facial action units (FACS): the one home of their names, muscles, ranges and named orders."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from faceforge.errors import BadSpec, nearest

LIMIT = 10.0  # FACS intensities run 0..5; changes beyond twice that are a typo, not a wish


@dataclass(frozen=True)
class ActionUnit:
    """One action unit: what moves, which muscle moves it, and where on the face."""

    code: str
    name: str
    muscle: str
    region: str


def _table(*rows: tuple[int, str, str, str]) -> dict[str, ActionUnit]:
    return {f"AU{number}": ActionUnit(f"AU{number}", name, muscle, region) for number, name, muscle, region in rows}


UNITS = _table(
    (1, "inner brow raiser", "frontalis, medial part", "brow"),
    (2, "outer brow raiser", "frontalis, lateral part", "brow"),
    (4, "brow lowerer", "corrugator supercilii", "brow"),
    (5, "upper lid raiser", "levator palpebrae superioris", "eye"),
    (6, "cheek raiser", "orbicularis oculi, orbital part", "eye"),
    (7, "lid tightener", "orbicularis oculi, palpebral part", "eye"),
    (9, "nose wrinkler", "levator labii superioris alaeque nasi", "nose"),
    (10, "upper lip raiser", "levator labii superioris", "mouth"),
    (12, "lip corner puller", "zygomaticus major", "mouth"),
    (14, "dimpler", "buccinator", "mouth"),
    (15, "lip corner depressor", "depressor anguli oris", "mouth"),
    (16, "lower lip depressor", "depressor labii inferioris", "mouth"),
    (17, "chin raiser", "mentalis", "mouth"),
    (18, "lip pucker", "incisivii labii", "mouth"),
    (20, "lip stretcher", "risorius", "mouth"),
    (22, "lip funneler", "orbicularis oris", "mouth"),
    (23, "lip tightener", "orbicularis oris", "mouth"),
    (24, "lip pressor", "orbicularis oris", "mouth"),
    (25, "lips part", "depressor labii inferioris", "mouth"),
    (26, "jaw drop", "masseter, relaxed", "jaw"),
    (27, "mouth stretch", "pterygoids, digastric", "jaw"),
    (28, "lip suck", "orbicularis oris", "mouth"),
    (33, "cheek blow", "buccinator", "mouth"),
    (43, "eyes closed", "levator palpebrae superioris, relaxed", "eye"),
    (45, "blink", "levator palpebrae superioris, relaxed", "eye"),
)

ORDERS: dict[str, tuple[str, ...]] = {
    "disfa12": ("AU1", "AU2", "AU4", "AU5", "AU6", "AU9", "AU12", "AU15", "AU17", "AU20", "AU25", "AU26"),
    "cd6me12": ("AU1", "AU2", "AU4", "AU5", "AU6", "AU7", "AU9", "AU10", "AU12", "AU14", "AU15", "AU17"),
}

# Mixtures at full amount, in units every 12-AU model knows; after the EMFACS prototypes.
PRESETS: dict[str, dict[str, float]] = {
    "anger": {"AU4": 4.0, "AU5": 2.5, "AU17": 2.0},
    "disgust": {"AU9": 4.0, "AU15": 2.0, "AU17": 2.0, "AU4": 1.0},
    "doubt": {"AU1": 1.5, "AU2": 1.5, "AU15": 2.0, "AU17": 3.0},
    "duchenne-smile": {"AU6": 3.0, "AU12": 4.0, "AU25": 1.5},
    "fear": {"AU1": 3.5, "AU2": 2.5, "AU4": 2.5, "AU5": 3.5, "AU20": 3.0, "AU25": 2.0},
    "polite-smile": {"AU12": 2.5},
    "sadness": {"AU1": 3.0, "AU4": 2.0, "AU15": 3.0, "AU17": 1.5},
    "surprise": {"AU1": 3.5, "AU2": 3.5, "AU5": 3.0, "AU25": 2.0, "AU26": 3.0},
}


def parse(name: str) -> str:
    """The canonical code of an action unit; an L or R at the end names one side of the face.

    >>> parse("au12"), parse("12"), parse("AU12l")
    ('AU12', 'AU12', 'AU12L')
    """
    code = str(name).strip().upper()
    code = code if code.startswith("AU") else f"AU{code}"
    if unsided(code) not in UNITS:
        raise BadSpec(f"{name!r} is not an action unit. {nearest(code, UNITS)}")
    return code


def unsided(code: str) -> str:
    """The unit without its side: 'AU12L' is one half of 'AU12'."""
    return code[:-1] if code[-1:] in ("L", "R") else code


def order(name: str | Iterable[str]) -> tuple[str, ...]:
    """A named order, or an explicit one, as canonical codes."""
    if not isinstance(name, str):
        return tuple(parse(code) for code in name)
    if name not in ORDERS:
        raise BadSpec(f"{name!r} is not a named AU order. {nearest(name, ORDERS)}")
    return ORDERS[name]


def checked(intensities: Mapping[str, Any]) -> dict[str, float]:
    """Intensities under canonical names; refuses unknown units, repeats, NaN and numbers beyond the limit."""
    found: dict[str, float] = {}
    for name, given in intensities.items():
        code = parse(name)
        try:
            value = float(given)
        except (TypeError, ValueError):
            raise BadSpec(f"{code}={given!r} is not a number. Give one from {-LIMIT:g} to {LIMIT:g}.") from None
        if code in found:
            raise BadSpec(f"{code} is given twice, as {name!r} and before it. Keep one.")
        if not math.isfinite(value) or abs(value) > LIMIT:
            raise BadSpec(f"{code}={value!r} is out of range. Give a number from {-LIMIT:g} to {LIMIT:g} (FACS: 0..5).")
        found[code] = value
    return found


def vector(intensities: Mapping[str, float], codes: Iterable[str]) -> list[float]:
    """Intensities in the given order, absent units at zero.

    >>> vector({"AU4": 1.5}, ("AU1", "AU2", "AU4"))
    [0.0, 0.0, 1.5]
    """
    return [float(intensities.get(code, 0.0)) for code in codes]


def preset(name: str, amount: float = 1.0) -> dict[str, float]:
    """A named expression as AU intensities, scaled by an amount.

    >>> preset("polite-smile", 0.5)
    {'AU12': 1.25}
    """
    if name not in PRESETS:
        raise BadSpec(f"{name!r} is not a preset. {nearest(name, PRESETS)}")
    return checked({code: value * amount for code, value in PRESETS[name].items()})


def added(*mixtures: Mapping[str, float]) -> dict[str, float]:
    """Several AU mixtures on one face: intensities of the same unit add up."""
    total: dict[str, float] = {}
    for mixture in mixtures:
        for code, value in mixture.items():
            total[code] = total.get(code, 0.0) + value
    return checked(total)

"""Several sittings of one person: pairs that differ in one thing, and clips in which an expression comes and goes."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

from faceforge.aus import unsided
from faceforge.errors import BadSpec
from faceforge.synth import limits
from faceforge.synth.draws import Draws
from faceforge.synth.shots import Light
from faceforge.synth.sitting import (
    GAZE_DEG,
    MOST,
    PITCH_DEG,
    YAW_DEG,
    Sitting,
    expression,
    light_in,
    pose,
    sample,
)


def pair(
    seed: int, change: tuple[str, ...] = ("aus",), *, allow_reserved: bool = False, **overrides: Any
) -> tuple[Sitting, Sitting]:
    """Two pictures of one person; only what `change` names differs, visibly (aus, pose, light).

    The background stays aligned.
    """
    unknown = [name for name in change if name not in CHANGES]
    if isinstance(change, str) or unknown or not change:
        told = repr(unknown[0]) if unknown and not isinstance(change, str) else repr(change)
        raise BadSpec(f"A pair cannot change {told}. Choose from 'aus', 'pose' and 'light', as in ('aus',).")
    first = sample(seed, allow_reserved=allow_reserved, **overrides)
    draws = Draws(seed, "pair")
    other = replace(first, noise=draws.noise_seed())
    if "aus" in change:
        aus = _until(draws.child("aus"), expression, lambda found: _apart(first.aus, found) >= _LEAST_AU)
        other = replace(other, aus=aus)
    if "pose" in change:
        now = (first.yaw_deg, first.pitch_deg, first.roll_deg)
        yaw, pitch, roll = _until(
            draws.child("pose"),
            pose,
            lambda found: max(abs(new - old) for new, old in zip(found, now, strict=True)) >= _LEAST_DEG,
        )
        other = replace(other, yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)
    if "light" in change:
        light = _until(
            draws.child("light"),
            lambda some: light_in(some, first.scene),
            lambda found: _relit(first.light, found) >= _LEAST_LIGHT,
        )
        other = replace(other, light=light)
    return first, other


CHANGES = ("aus", "pose", "light")
# By how much the two of a pair differ at least: intensity, degrees, and light as a share of the brighter one.
_LEAST_AU, _LEAST_DEG, _LEAST_LIGHT = 1.0, 5.0, 0.2
_T = TypeVar("_T")


def _until(draws: Draws, drawn: Callable[[Draws], _T], good: Callable[[_T], bool]) -> _T:
    """The first draw that is good; most are."""
    tries = (drawn(draws if number == 0 else draws.child(f"again {number}")) for number in count())
    return next(found for found in tries if good(found))


def _apart(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The largest difference of any unit on either side of the face."""
    units = {unsided(code) for code in (*one, *other)}
    sides = ((unit, side) for unit in units for side in "LR")
    return max((abs(_on(one, *side) - _on(other, *side)) for side in sides), default=0.0)


def _on(aus: Mapping[str, float], unit: str, side: str) -> float:
    return aus.get(unit, 0.0) + aus.get(unit + side, 0.0)


def _relit(one: Light, other: Light) -> float:
    """The largest change of the light on faces of a cube, as a share of the brighter of the two."""
    shares = []
    for normal, sky in zip(_CUBE, range(5), strict=True):
        old, new = (_falling(light, normal, sky) for light in (one, other))
        shares.append(abs(old - new) / max(old, new, 0.05))
    return max(shares)


_CUBE = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1))  # what lies behind is not seen


def _falling(light: Light, normal: tuple[int, int, int], sky: int) -> float:
    """Light on a plane with this normal, grey."""
    total = sum(light.sky[sky]) / 3
    for direction, colour in zip(light.directions, light.colours, strict=True):
        cosine = sum(along * part for along, part in zip(direction, normal, strict=True))
        total += max(0.0, cosine) * sum(colour) / 3
    return total


def clip(seed: int, frames: int, fps: float = 25.0, *, allow_reserved: bool = False, **overrides: Any) -> list[Sitting]:
    """One person over time: an expression comes and goes, the head drifts, the eyes blink.

    Held action units are what the expression comes to; held angles are what the head drifts about.
    """
    limits.check({"frames": frames, "fps": fps}, _FILM)
    start = sample(seed, allow_reserved=allow_reserved, **overrides)
    draws = Draws(seed, "clip")
    target = start.aus if "aus" in overrides else expression(draws.child("aus")) or {"AU12": 3.0}
    onset, apex = draws.uniform(0.1, 0.4), draws.uniform(0.45, 0.7)
    blink = draws.uniform(0.2, 0.8)
    waves = [(draws.normal(0, 1.0), draws.uniform(0.1, 0.35), draws.uniform()) for _ in range(5)]
    return [*_film(start, target, (onset, apex, blink), waves, frames, fps)]


_FILM = {"frames": limits.whole(1), "fps": limits.number(1e-3, 1e6)}


def _film(
    start: Sitting,
    target: Mapping[str, float],
    times: tuple[float, float, float],
    waves: list[tuple[float, float, float]],
    frames: int,
    fps: float,
) -> Iterator[Sitting]:
    onset, apex, blink = times
    for frame in range(frames):
        time, share = frame / fps, frame / max(1, frames - 1)
        drift = [size * _wave(rate * time + phase) for size, rate, phase in waves]
        amount = _eased((share - onset) / (apex - onset)) * (1 - 0.7 * _eased((share - apex) / (1 - apex)))
        aus = {code: round(amount * value, 3) for code, value in target.items()}
        yield replace(
            start,
            aus=_blinking(aus, max(0.0, 1 - abs(share - blink) * (frames / fps) / 0.12)),
            yaw_deg=_turned(start.yaw_deg + 5 * drift[0], YAW_DEG),
            pitch_deg=_turned(start.pitch_deg + 3 * drift[1], PITCH_DEG),
            roll_deg=_turned(start.roll_deg + 2 * drift[2], 180.0),
            gaze_yaw_deg=_turned(start.gaze_yaw_deg + 4 * drift[3], GAZE_DEG),
            gaze_pitch_deg=_turned(start.gaze_pitch_deg + 2 * drift[4], GAZE_DEG),
            noise=Draws(start.seed, "frame", str(frame)).noise_seed(),
        )


def _blinking(aus: dict[str, float], shut: float) -> dict[str, float]:
    """Intensities with both eyes closed by a share; an eye that was closed alone closes no further than that."""
    if shut <= 0:
        return aus
    both = round(min(MOST, aus.get("AU43", 0.0) + MOST * shut), 3)
    most = {"AU43L": round(MOST - both, 3), "AU43R": round(MOST - both, 3)}
    return {code: min(value, most.get(code, MOST)) for code, value in aus.items()} | {"AU43": both}


def _turned(angle_deg: float, most: float) -> float:
    return round(max(-most, min(most, angle_deg)), 6)


def _wave(turns: float) -> float:
    return round(math.sin(2 * math.pi * turns), 9)  # libraries differ in the last digits


def _eased(share: float) -> float:
    share = max(0.0, min(1.0, share))
    return share * share * (3 - 2 * share)

"""The same people several times, drawn once and kept: pictures that differ in action units alone, and others.

Everybody sits three times. The first session has four pictures, the second two, in which head, light and camera have
drifted a little, the third two, elsewhere and in another light. Within a session only the face moves, as between an
edit and its source.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from faceforge.aus import ORDERS
from faceforge.synth.draws import Draws
from faceforge.synth.shots import Light
from faceforge.synth.sitting import MOST, Sitting, sample
from faceforge_training.portraits import Arrays, Portraits, kept, portraits_of, taken

UNITS = ORDERS["disfa12"]
SESSIONS = (4, 2, 2)  # pictures of each
SHOTS = sum(SESSIONS)  # of one person
SIZE = 128
SEEDS = range(3_000_000, 3_900_000)  # of people who teach; the hundred thousand after them judge
HELD_OUT = range(3_900_000, 4_000_000)
BLOCK = 2  # people of one file
_OTHERS = ("AU7", "AU10", "AU14", "AU16", "AU18", "AU22", "AU23", "AU24", "AU28", "AU43")  # nobody is asked for these


@dataclass(frozen=True, eq=False)
class People:
    """P people in SHOTS pictures each, one person after another."""

    portraits: Portraits
    aus: Tensor  # (N, 12) intensities of UNITS, the mean of both sides

    def __len__(self) -> int:
        return len(self.aus) // SHOTS

    def __iter__(self) -> Iterator["People"]:
        """Everybody on their own."""
        for start in range(0, len(self.aus), SHOTS):
            own = slice(start, start + SHOTS)
            yield People(self.portraits[own], self.aus[own])


def people(folder: Path, count: int, seed: int, *, size: int = SIZE) -> People:
    """`count` people of the seeds from `seed` on, three each; those that the folder does not hold yet are drawn."""
    names = [f"people-{size}-{seed}-{number:05d}.npz" for number in range(-(-count // BLOCK))]
    joined = kept(folder, names, lambda number: _block(seed, number, size), count * SHOTS)
    return People(portraits_of(joined), joined["aus"])


def _block(seed: int, number: int, size: int) -> Arrays:
    first = seed + number * BLOCK * len(SESSIONS)
    sittings = [each for own in range(BLOCK) for each in shots(first + own * len(SESSIONS))]
    return {**taken(sittings, size), "aus": np.array([intensities(each) for each in sittings], np.float32)}


def intensities(sitting: Sitting) -> list[float]:
    """What UNITS are at, each the mean of both sides."""
    given = sitting.aus
    return [given.get(u, 0.0) + 0.5 * (given.get(f"{u}L", 0.0) + given.get(f"{u}R", 0.0)) for u in UNITS]


def shots(seed: int) -> list[Sitting]:
    """The pictures of one person, in which nothing lies before the face."""
    who = sample(seed).person
    draws = Draws(seed, "people")
    usual = [_posed(sample(seed + number, person=who, occluder=None, aus={}), draws) for number in (0, 2)]
    sessions = (usual[0], _drifted(usual[0], draws.child("drift")), usual[1])
    found = []
    for number, (session, count) in enumerate(zip(sessions, SESSIONS, strict=True)):
        some = draws.child("aus", str(number))
        first = _expression(some)
        for place in range(count):
            aus = first if place == 0 else _changed(first, some)
            gaze = some.uniform(-20, 20) if some.chance(0.15) else session.gaze_yaw_deg
            found.append(replace(session, aus=_sided(aus, some), noise=some.noise_seed(), gaze_yaw_deg=gaze))
    return found


def _posed(sitting: Sitting, draws: Draws) -> Sitting:
    """Nearer than usual, and turned less far."""
    own = draws.child("pose", str(sitting.seed))
    camera = replace(sitting.camera, half_extent=own.uniform(10.5, 14.0))
    wide = own.choice((8.0, 18.0), (2, 1))
    return replace(sitting, camera=camera, yaw_deg=own.normal(0, wide, clip=2.2))


def _drifted(sitting: Sitting, draws: Draws) -> Sitting:
    """As a head and a lamp do not stay quite where they were."""
    much, camera = draws.uniform(0.2, 1.5), sitting.camera
    moved = {name: draws.normal(0, 0.3 * much) for name in ("x", "y")}
    return replace(
        sitting,
        yaw_deg=sitting.yaw_deg + draws.normal(0, 4 * much),
        pitch_deg=sitting.pitch_deg + draws.normal(0, 3 * much),
        roll_deg=sitting.roll_deg + draws.normal(0, 2 * much),
        light=_dimmed(sitting.light, draws),
        camera=replace(camera, **{name: getattr(camera, name) + by for name, by in moved.items()}),
    )


def _dimmed(light: Light, draws: Draws) -> Light:
    gains = [draws.uniform(0.7, 1.3) for _ in light.colours]
    colours = tuple((gain * r, gain * g, gain * b) for gain, (r, g, b) in zip(gains, light.colours, strict=True))
    return replace(light, colours=colours)


def _expression(draws: Draws) -> dict[str, float]:
    """Nothing, or up to four units of any size, often with one that nobody is asked for."""
    if draws.chance(0.3):
        return {}
    chosen = draws.shuffled(UNITS)[: draws.integer(1, 4)]
    return {code: draws.uniform(0.2, MOST) for code in chosen} | _beside(draws)


def _changed(before: dict[str, float], draws: Draws) -> dict[str, float]:
    """One to four units set anew, or moved by anything from a fifth up."""
    after = dict(before)
    for code in draws.shuffled(UNITS)[: draws.choice((1, 2, 3, 4), (4, 3, 2, 1))]:
        now = after.get(code, 0.0)
        step = draws.log_uniform(0.2, 2.5) * (1 if now < 0.2 or draws.chance(0.5) else -1)
        after[code] = draws.uniform(0, MOST) if draws.chance(0.6) else max(0.0, min(MOST, now + step))
    return after | _beside(draws)


def _beside(draws: Draws) -> dict[str, float]:
    if not draws.chance(0.25):
        return {}
    return {draws.choice(_OTHERS): draws.uniform(0.3, MOST)}


def _sided(aus: dict[str, float], draws: Draws) -> dict[str, float]:
    """Now and then a unit of one side of the face only."""
    whole = ("AU25", "AU26", "AU17")
    sided = {
        code + draws.choice("LR") if code not in whole and draws.chance(0.04) else code: round(value, 3)
        for code, value in aus.items()
    }
    return {code: value for code, value in sided.items() if value > 0}

"""Contact sheets: what to look at before believing a dataset."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from faceforge.aus import UNITS
from faceforge.errors import BadSpec, nearest
from faceforge.synth import places
from faceforge.synth.draws import Draws
from faceforge.synth.person import HAIR_STYLES
from faceforge.synth.photo import Photo
from faceforge.synth.portrait import photograph
from faceforge.synth.shots import Camera, Light
from faceforge.synth.sitting import Sitting, sample

_STUDIO = Light(
    directions=((0.45, 0.5, 0.74), (-0.8, 0.2, 0.56), (0.0, 0.3, -0.95)),
    colours=((1.1, 1.05, 1.0), (0.2, 0.22, 0.26), (0.0, 0.0, 0.0)),
    sky=((0.3,) * 3, (0.3,) * 3, (0.44,) * 3, (0.14,) * 3, (0.32,) * 3, (0.1,) * 3),
)


def plain(seed: int, **held: Any) -> Sitting:
    """The person of a seed at rest, looking into a perfect camera in studio light."""
    return replace(
        sample(seed, aus={}, yaw_deg=0.0, pitch_deg=0.0, roll_deg=0.0, gaze_yaw_deg=0.0, gaze_pitch_deg=0.0, **held),
        light=_STUDIO,
        camera=Camera(),
        scene=places.of_kind("studio", Draws(1)),
        photo=Photo(),
        occluder=None,
    )


def identities(seed: int, count: int) -> list[Sitting]:
    """People as `sample` draws them."""
    return [sample(seed + number) for number in range(count)]


def units(seed: int, count: int) -> list[Sitting]:
    """One person at rest, and with every action unit at intensity 5."""
    rest = plain(seed)
    return [rest, *(replace(rest, aus={code: 5.0}) for code in UNITS)][:count]


def poses(seed: int, count: int) -> list[Sitting]:
    """One person turning from one side to the other, then from down to up."""
    rest, half = plain(seed), max(2, (count + 1) // 2)
    turned = [replace(rest, yaw_deg=round(-60 + 120 * n / (half - 1), 3)) for n in range(half)]
    nodding = [replace(rest, pitch_deg=round(-25 + 50 * n / (half - 1), 3)) for n in range(half)]
    return [*turned, *nodding][:count]


def lights(seed: int, count: int) -> list[Sitting]:
    """One person in the light of different places."""
    rest = plain(seed)
    drawn = (sample(seed + number) for number in range(count))
    return [replace(rest, light=each.light, scene=each.scene) for each in drawn]


def ages(seed: int, count: int) -> list[Sitting]:
    """One person over the years."""
    years = [round(18 + 62 * number / max(1, count - 1), 6) for number in range(count)]
    return [plain(seed, age=age) for age in years]


def hair(seed: int, count: int) -> list[Sitting]:
    """One person with every style of hair."""
    rest = plain(seed)
    styles = [HAIR_STYLES[number % len(HAIR_STYLES)] for number in range(count)]
    return [replace(rest, person=replace(rest.person, hair_style=style)) for style in styles]


KINDS: dict[str, tuple[Callable[[int, int], list[Sitting]], int]] = {
    "identities": (identities, 64), "aus": (units, len(UNITS) + 1), "poses": (poses, 14), "lights": (lights, 16),
    "ages": (ages, 8), "hair": (hair, len(HAIR_STYLES)),
}  # fmt: skip


def sheet(kind: str, seed: int = 0, count: int | None = None, size: int = 128, columns: int = 8) -> Image.Image:
    """A contact sheet of one of the KINDS, its portraits row by row."""
    if kind not in KINDS:
        raise BadSpec(f"There is no sheet of {kind!r}. {nearest(kind, KINDS)}")
    draw, usual = KINDS[kind]
    tiles = [portrait.image for portrait in photograph(draw(seed, count or usual), size)]
    columns = min(columns, len(tiles))
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[first : first + columns], 1) for first in range(0, len(tiles), columns)]
    return Image.fromarray(np.concatenate(rows, 0))

"""What stands behind a face, in linear light: a wash of colour, noise, boxes, a pattern, and lights out of focus.

A scene is nothing but numbers. Lengths and places count in picture heights from the centre, x to the right and y down,
so that it looks the same at every size. `places` draws scenes of many kinds, `backdrop` paints them.
"""

from dataclasses import dataclass
from typing import NamedTuple

from faceforge.synth.palettes import Rgb, mixed


class Box(NamedTuple):
    """A rectangle with soft edges."""

    x: float
    y: float
    half_width: float
    half_height: float
    rgb: Rgb
    opacity: float = 1.0
    edge: float = 0.008


class Disc(NamedTuple):
    """A point of light out of focus, or with a wide edge a glow; its light adds to what is behind."""

    x: float
    y: float
    radius: float
    rgb: Rgb
    edge: float = 0.008
    rim: float = 0.0  # how much brighter its border is


class Mass(NamedTuple):
    """Noise between two colours in a band of heights: clouds, hills, foliage."""

    seed: int
    cells: float
    dark: Rgb
    light: Rgb
    cover: float = 0.5  # part of the band that it fills
    softness: float = 0.1
    top: float = -2.0
    bottom: float = 2.0
    feather: float = 0.1


class Pattern(NamedTuple):
    """Tiles or bricks with joints; very high tiles are stripes."""

    seed: int
    width: float
    height: float
    shift: float  # of every other row, in tile widths
    joint: float  # in picture heights
    rgb: Rgb
    joint_rgb: Rgb
    spread: float  # how much tiles differ in brightness


@dataclass(frozen=True)
class Scene:
    """One background. Painted in this order: wash, far, pattern, boxes, near, blur, lights, mottle."""

    kind: str
    wash: tuple[Rgb, Rgb, Rgb, Rgb]  # top left, top right, bottom left, bottom right
    far: tuple[Mass, ...] = ()
    pattern: Pattern | None = None
    boxes: tuple[Box, ...] = ()
    near: tuple[Mass, ...] = ()
    lights: tuple[Disc, ...] = ()
    blur: float = 0.02  # Gaussian deviation in picture heights
    mottle: float = 0.0  # how strongly slow noise darkens and lightens it
    mottle_cells: float = 3.0
    mottle_seed: int = 0
    roll_deg: float = 0.0
    keystone: float = 0.0  # the right side is nearer, if positive


class Surroundings(NamedTuple):
    """The average light that comes from each side of a scene."""

    left: Rgb
    right: Rgb
    top: Rgb
    bottom: Rgb


def surroundings(scene: Scene) -> Surroundings:
    """The light from each side, from the numbers alone and hence the same to the last digit everywhere."""
    left_top, right_top, left_bottom, right_bottom = scene.wash
    sides = (
        ((left_top, left_bottom), (-0.5, -0.1, -0.5, 0.5)),
        ((right_top, right_bottom), (0.1, 0.5, -0.5, 0.5)),
        ((left_top, right_top), (-0.5, 0.5, -0.5, -0.1)),
        ((left_bottom, right_bottom), (-0.5, 0.5, 0.1, 0.5)),
    )
    return Surroundings(*(_average(scene, mixed(*ends, 0.5), region) for ends, region in sides))


def _average(scene: Scene, light: Rgb, region: tuple[float, float, float, float]) -> Rgb:
    """The mean light of a region (left, right, top, bottom), taking each layer by the area that it covers."""
    light = _behind(light, scene.far, region)
    if scene.pattern:
        _, width, height, _, joint, face, gap, _ = scene.pattern
        light = mixed(gap, face, max(0.0, 1 - 2 * joint / width) * max(0.0, 1 - 2 * joint / height))
    for box in scene.boxes:
        across = _overlap(box.x - box.half_width, box.x + box.half_width, *region[:2])
        down = _overlap(box.y - box.half_height, box.y + box.half_height, *region[2:])
        light = mixed(light, box.rgb, box.opacity * across * down)
    light = _behind(light, scene.near, region)
    for disc in scene.lights:
        across = _overlap(disc.x - disc.radius, disc.x + disc.radius, *region[:2])
        down = _overlap(disc.y - disc.radius, disc.y + disc.radius, *region[2:])
        part = 0.75 * across * down
        light = (light[0] + part * disc.rgb[0], light[1] + part * disc.rgb[1], light[2] + part * disc.rgb[2])
    return (round(light[0], 6), round(light[1], 6), round(light[2], 6))


def _behind(light: Rgb, masses: tuple[Mass, ...], region: tuple[float, float, float, float]) -> Rgb:
    for mass in masses:
        part = min(1.0, mass.cover) * _overlap(mass.top, mass.bottom, *region[2:])
        light = mixed(light, mixed(mass.dark, mass.light, 0.5), part)
    return light


def _overlap(low: float, high: float, start: float, end: float) -> float:
    """The part of an interval from start to end that lies between low and high."""
    return max(0.0, min(high, end) - max(low, start)) / (end - start)

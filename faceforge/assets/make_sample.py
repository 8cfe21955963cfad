"""Draws sample.png: an invented, softly lit face, so that every command has something to work on out of the box.

Run it again with `python -m faceforge.assets.make_sample`; nobody's photograph went into it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float64]

SIDE = 256
FINE = 4  # drawn this many times larger, then averaged down
SKIN = (0.87, 0.66, 0.54)
HAIR = (0.25, 0.15, 0.10)
SHIRT = (0.22, 0.42, 0.50)
LIGHT = (-0.34, -0.36, 0.87)  # from the upper left, towards the viewer


class Canvas:
    """A square of pixels with coordinates in -1..1, y downwards."""

    def __init__(self, side: int) -> None:
        line = (np.arange(side) + 0.5) / side * 2 - 1
        self.x, self.y = np.meshgrid(line, line)
        self.pixels = np.zeros((side, side, 3))

    def paint(self, colour: tuple[float, float, float], mask: Plane, shade: Plane | float = 1.0) -> None:
        """Cover the mask with a colour, multiplied by its shading."""
        layer = np.asarray(colour) * np.broadcast_to(shade, mask.shape)[..., None]
        self.pixels = self.pixels * (1 - mask[..., None]) + layer * mask[..., None]

    def glow(self, colour: tuple[float, float, float], mask: Plane) -> None:
        """Tint what is there towards a colour."""
        self.pixels = self.pixels * (1 - mask[..., None] * (1 - np.asarray(colour)))

    def ellipse(self, x: float, y: float, width: float, height: float, soft: float = 0.01) -> Plane:
        """One inside an ellipse, zero outside, with an edge of the given softness."""
        distance = np.hypot((self.x - x) / width, (self.y - y) / height)
        return _step((1 - distance) * min(width, height) / soft)

    def bump(self, x: float, y: float, width: float, height: float) -> Plane:
        """A smooth hill of height one."""
        hill: Plane = np.exp(-(((self.x - x) / width) ** 2) - ((self.y - y) / height) ** 2)
        return hill

    def stroke(self, curve: Plane, left: float, right: float, thickness: Plane | float, soft: float = 0.008) -> Plane:
        """A line along y = curve between two x, fading at both ends."""
        ends = _step((self.x - left) / 0.03) * _step((right - self.x) / 0.03)
        return _step((thickness - np.abs(self.y - curve)) / soft) * ends


def portrait() -> Image.Image:
    """The sample as 256 x 256 RGB."""
    canvas = Canvas(SIDE * FINE)
    _room(canvas)
    _hair_behind(canvas)
    _body(canvas)
    _head(canvas)
    for side in (-1, 1):
        _eye(canvas, side)
    _mouth(canvas)
    _fringe(canvas)
    cells = np.clip(canvas.pixels, 0, 1).reshape(SIDE, FINE, SIDE, FINE, 3).mean(axis=(1, 3))
    return Image.fromarray((cells * 255).round().astype(np.uint8))


def _room(canvas: Canvas) -> None:
    wall = 0.80 - 0.22 * np.hypot(canvas.x + 0.4, canvas.y + 0.5)
    canvas.paint((0.74, 0.82, 0.84), np.ones_like(canvas.x), wall + 0.25)


def _hair_behind(canvas: Canvas) -> None:
    mass = np.maximum(canvas.ellipse(0, -0.26, 0.575, 0.66), canvas.ellipse(0, 0.12, 0.555, 0.60))
    canvas.paint(HAIR, mass, 0.75 + 0.15 * _strands(canvas))


def _body(canvas: Canvas) -> None:
    neck = canvas.ellipse(0, 0.62, 0.225, 0.42)
    canvas.paint(SKIN, neck, 0.88 - 0.40 * canvas.bump(0.04, 0.56, 0.30, 0.15) - 0.25 * canvas.x)
    shirt = canvas.ellipse(0, 1.22, 0.86, 0.50) * (1 - canvas.ellipse(0, 0.70, 0.21, 0.16))
    canvas.paint(SHIRT, shirt, 1.0 - 0.35 * canvas.x - 0.5 * canvas.bump(0, 0.78, 0.36, 0.10))


def _head(canvas: Canvas) -> None:
    for side in (-1, 1):
        ear = canvas.ellipse(0.47 * side, 0.02, 0.075, 0.135)
        canvas.paint(SKIN, ear, 0.86 - 0.18 * side - 0.3 * canvas.bump(0.47 * side, 0.02, 0.04, 0.08))
    jaw = 1 - 0.20 * np.clip(canvas.y, 0, 1) ** 1.5
    distance = np.hypot(canvas.x / (0.475 * jaw), (canvas.y - 0.02) / 0.63)
    face = _step((1 - distance) * 45)
    canvas.paint(SKIN, face, _lit(canvas, distance))
    for side in (-1, 1):
        canvas.glow((1.0, 0.86, 0.82), 0.55 * face * canvas.bump(0.27 * side, 0.20, 0.15, 0.12))
    canvas.glow((1.0, 0.92, 0.88), 0.7 * canvas.bump(0, 0.20, 0.09, 0.07))
    for side in (-1, 1):
        canvas.glow((0.62, 0.42, 0.38), 0.75 * canvas.ellipse(0.045 * side, 0.232, 0.022, 0.012, 0.012))


def _lit(canvas: Canvas, distance: Plane) -> Plane:
    """Lambert shading of a head with brow, nose, cheeks, lips and chin, as a height map."""
    height = 0.52 * np.sqrt(np.clip(1 - distance**2, 0.003, 1))
    ridge = np.clip((canvas.y + 0.14) / 0.34, 0, 1)
    height += 0.11 * ridge * canvas.bump(0, 0.16, 0.065, 0.16) * _step((0.25 - canvas.y) / 0.03)
    height += 0.035 * canvas.bump(0, 0.19, 0.10, 0.05)
    height += 0.03 * canvas.bump(0, -0.33, 0.34, 0.16) + 0.02 * canvas.bump(0, 0.57, 0.12, 0.07)
    height -= 0.012 * canvas.bump(0, 0.30, 0.02, 0.04)
    for side in (-1, 1):
        height += 0.04 * canvas.bump(0.27 * side, 0.18, 0.14, 0.12)
        height -= 0.035 * canvas.bump(0.20 * side, -0.06, 0.12, 0.07)
    down, right = np.gradient(height, canvas.y[:, 0], canvas.x[0])
    length = np.sqrt(down**2 + right**2 + 1)
    lambert = (-right * LIGHT[0] - down * LIGHT[1] + LIGHT[2]) / length
    return np.asarray(0.60 + 0.50 * np.clip(lambert, 0, None))


def _eye(canvas: Canvas, side: int) -> None:
    x, y = 0.195 * side, -0.055
    across = (canvas.x - x) / 0.105
    upper = y - 0.062 * np.clip(1 - across**2, 0, 1) ** 0.75
    lower = y + 0.042 * np.clip(1 - across**2, 0, 1) ** 0.8
    opening = _step((canvas.y - upper) / 0.008) * _step((lower - canvas.y) / 0.008) * (np.abs(across) < 1)
    canvas.glow((0.80, 0.62, 0.55), 0.45 * canvas.bump(x, y - 0.02, 0.14, 0.08))
    canvas.paint((0.97, 0.95, 0.93), opening, 1 - 0.45 * _step((upper + 0.03 - canvas.y) / 0.02))
    canvas.paint((0.24, 0.42, 0.40), opening * canvas.ellipse(x, y - 0.008, 0.049, 0.049), 0.85 + 3 * (canvas.y - y))
    canvas.paint((0.05, 0.05, 0.06), opening * canvas.ellipse(x, y - 0.008, 0.023, 0.023))
    canvas.paint((1, 1, 1), opening * canvas.ellipse(x - 0.018, y - 0.026, 0.012, 0.012, 0.006))
    lash = canvas.stroke(upper, x - 0.108, x + 0.108, 0.007 + 0.006 * np.clip(1 - across**2, 0, 1))
    canvas.paint((0.13, 0.08, 0.07), lash * (np.abs(across) < 1.02))
    canvas.glow((0.75, 0.58, 0.52), 0.6 * canvas.stroke(upper - 0.035, x - 0.09, x + 0.09, 0.003, 0.012))
    arch = -0.205 + 0.9 * (canvas.x - x - 0.03 * side) ** 2 * (1 + 0.5 * side * np.sign(canvas.x - x))
    taper = 0.018 - 0.05 * np.clip(side * (canvas.x - x), 0, 1)
    canvas.paint(HAIR, 0.9 * canvas.stroke(arch, x - 0.115, x + 0.125, taper, 0.016))


def _mouth(canvas: Canvas) -> None:
    x = canvas.x / 0.165
    middle = 0.392 - 0.022 * np.abs(x) ** 2.2  # corners a little up: friendly at rest
    rise = np.clip(1 - x**2, 0, 1)
    bow = 0.038 * rise**0.9 * (1 - 0.28 * np.exp(-((x / 0.16) ** 2)))
    upper = _step((middle - canvas.y) / 0.006) * _step((canvas.y - middle + bow) / 0.010) * (rise > 0)
    lower = _step((canvas.y - middle) / 0.006) * _step((middle + 0.052 * rise - canvas.y) / 0.012) * (rise > 0)
    canvas.paint((0.72, 0.38, 0.37), 0.85 * upper, 0.92 - 0.3 * canvas.x)
    canvas.paint((0.82, 0.46, 0.44), 0.85 * lower, 1.0 + 0.22 * canvas.bump(-0.03, 0.415, 0.06, 0.012) - 0.3 * canvas.x)
    canvas.glow((0.45, 0.22, 0.22), 0.85 * canvas.stroke(middle, -0.165, 0.165, 0.004, 0.007))
    canvas.glow((0.78, 0.62, 0.56), 0.6 * canvas.bump(0, 0.475, 0.09, 0.02))


def _fringe(canvas: Canvas) -> None:
    """Hair over the forehead, parted on one side."""
    top = canvas.ellipse(0, -0.28, 0.56, 0.63)
    left_edge = -0.52 + 2.6 * np.clip(-0.16 - canvas.x, 0, 1) ** 1.7
    right_edge = -0.52 + 1.15 * np.clip(canvas.x + 0.16, 0, 1) ** 2.1
    edge = np.where(canvas.x < -0.16, left_edge, right_edge)
    hair = top * _step((edge - canvas.y) / 0.02)
    canvas.glow((0.62, 0.48, 0.44), 0.55 * top * _step((edge + 0.045 - canvas.y) / 0.07))
    canvas.paint(HAIR, hair, 1.0 + 0.45 * _strands(canvas) + 0.9 * canvas.bump(-0.22, -0.66, 0.22, 0.10))


def _strands(canvas: Canvas) -> Plane:
    """Fine light and dark lines that follow the round of the head."""
    angle = np.arctan2(canvas.x + 0.12, canvas.y + 1.05)
    waves = [np.sin(angle * pitch + phase) for pitch, phase in ((61, 0.3), (97, 1.7), (149, 4.1))]
    return np.asarray(sum(waves) / 6)


def _step(value: Plane) -> Plane:
    """From 0 to 1 as the value goes from -1/2 to 1/2, without corners."""
    t = np.clip(value + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


if __name__ == "__main__":
    portrait().save(Path(__file__).with_name("sample.png"), optimize=True)

"""Backgrounds that show no one: shapes laid over shapes until nothing is left empty, and cloudy noise.

Sizes of shapes are drawn so that large and small ones matter alike; pictures of the world have the same statistics.
"""

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn.functional import interpolate


def clutter(count: int, size: int, seed: int) -> Tensor:
    """Grey pictures (count, size, size) uint8, a quarter of them noise; three are pieces of one, at any scale."""
    random = np.random.default_rng(seed)
    large = 2 * size
    drawn: list[np.ndarray] = []
    while len(drawn) < count:
        whole = _noise(random, large) if random.random() < 0.25 else _leaves(random, large)
        drawn += [_piece(random, whole, size) for _ in range(3)]
    return torch.from_numpy(np.stack(drawn[:count]))


def clouds(batch: int, size: int, generator: torch.Generator) -> Tensor:
    """Smooth noise (batch, 1, size, size) of several octaves about 0, most of it within -1..1."""
    total = torch.zeros(batch, 1, size, size)
    for cells in (3, 6, 12, 24):
        grain = torch.randn(batch, 1, cells, cells, generator=generator)
        weight = torch.rand(batch, 1, 1, 1, generator=generator)
        total += weight * interpolate(grain, size=(size, size), mode="bilinear", align_corners=False)
    return total / 1.5


def _piece(random: np.random.Generator, whole: np.ndarray, size: int) -> np.ndarray:
    side = random.uniform(0.3, 1.0) * len(whole)
    left, top = random.uniform(0, len(whole) - side, 2)
    box = (left, top, left + side, top + side)
    piece = Image.fromarray(whole).resize((size, size), Image.Resampling.BILINEAR, box=box)
    return np.asarray(piece)[:: random.choice((-1, 1)), :: random.choice((-1, 1))]


def _leaves(random: np.random.Generator, size: int) -> np.ndarray:
    picture = Image.new("L", (size, size), int(random.integers(256)))
    draw = ImageDraw.Draw(picture)
    smallest = random.uniform(1.5, 8)
    for _ in range(int(random.integers(60, 400))):
        radius = smallest / (1 - random.random() * (1 - smallest / (0.45 * size)))
        x, y = random.uniform(-10, size + 10, 2)
        _leaf(draw, random, (x, y, radius))
    found: np.ndarray = np.asarray(picture, dtype=np.float32)
    if random.random() < 0.6:
        found = found + random.uniform(2, 30) * _rough(random, size)
    return np.clip(found, 0, 255).astype(np.uint8)


def _leaf(draw: ImageDraw.ImageDraw, random: np.random.Generator, place: tuple[float, float, float]) -> None:
    x, y, radius = place
    grey, turn, flat = int(random.integers(256)), random.uniform(0, 2 * np.pi), random.uniform(0.15, 1)
    corners = (3, 4, 4, 5, 24, 24)[random.integers(6)]
    around = turn + np.arange(corners) * (2 * np.pi / corners)
    across, up = radius * np.cos(around), radius * flat * np.sin(around)
    lean = random.uniform(0, np.pi)
    points = np.stack([x + across * np.cos(lean) - up * np.sin(lean), y + across * np.sin(lean) + up * np.cos(lean)], 1)
    draw.polygon([(float(a), float(b)) for a, b in points], fill=grey)


def _noise(random: np.random.Generator, size: int) -> np.ndarray:
    found = 128 + random.uniform(10, 80) * _rough(random, size) + random.uniform(-60, 60)
    return np.clip(found, 0, 255).astype(np.uint8)


def _rough(random: np.random.Generator, size: int) -> np.ndarray:
    """Noise whose amplitude falls with frequency, of standard deviation 1."""
    rate = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    shaped = np.fft.fft2(random.standard_normal((size, size))) / (rate + 1 / size) ** random.uniform(0.5, 1.6)
    found = np.fft.ifft2(shaped).real
    return (found - found.mean()) / found.std()

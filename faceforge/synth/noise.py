"""Noise from integer hashes: the same on every machine, and for every picture whatever stands beside it in a batch.

Seeds are (B,) int64, one per picture, and speak for the first axis of the points. Values lie in 0..1.
"""

import math
from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor

from faceforge.errors import BadSpec

# Words are int32 and products wrap, which every device does alike and several times faster than int64 arithmetic.
_MIX = (0x7FEB352D, 0x31848BAB)
_AXES = (0x27D4EB2F, 0x165667B1, 0x5851F42D)
_FOUR_BYTES_SD = math.sqrt(4 * (256**2 - 1) / 12)
_CONTRAST = 1.75  # brings the spline-smoothed lattice back to about the spread of value noise


def hashed(seed: Tensor, *keys: Tensor) -> Tensor:
    """An int32 word for every combination of int64 seeds and up to three int32 keys; everything broadcasts."""
    word = _begun(seed)
    for key, factor in zip(keys, _AXES, strict=False):
        word = word ^ key * factor
    return _mixed(word)


def unit(words: Tensor) -> Tensor:
    """Words as float32 in 0..1, the end excluded; 24 bits, so that the conversion is exact."""
    return ((words >> 8) & 0xFFFFFF).to(torch.float32).mul_(2.0**-24)


def white(seed: Tensor, *shape: int) -> Tensor:
    """Uniform noise (B, *shape) without any correlation, addressed by the position in the shape."""
    return unit(_white_words(seed, shape))


def gaussian(seed: Tensor, *shape: int) -> Tensor:
    """Nearly normal noise (B, *shape), mean 0 and deviation 1: the four bytes of a word added up, within 3.46."""
    words = _white_words(seed, shape)
    # Two additions sum the four bytes; integers, so exact everywhere.
    pairs = (words & 0x00FF00FF) + ((words >> 8) & 0x00FF00FF)
    total = (pairs & 0xFFFF) + (pairs >> 16)
    return (total.to(torch.float32) - 510.0) / _FOUR_BYTES_SD


def value_noise(points: Tensor, seed: Tensor) -> Tensor:
    """Smooth noise of unit period at points (B, ..., 2 or 3), shape (B, ...)."""
    corners, lows, highs = _lattice(points, seed)
    total = torch.zeros(points.shape[:-1], device=points.device)
    low_high = [_blend(fraction) for fraction in corners]
    for sides in product((0, 1), repeat=points.shape[-1]):
        word = _start(seed, points)
        weight: Tensor | None = None
        for axis, side in enumerate(sides):
            word = word ^ (highs[axis] if side else lows[axis])
            weight = low_high[axis][side] if weight is None else weight * low_high[axis][side]
        assert weight is not None
        total.addcmul_(unit(_mixed(word)), weight)
    return total


def fbm(points: Tensor, seed: Tensor, octaves: int = 3, gain: float = 0.5) -> Tensor:
    """Value noise in octaves, each twice as fine and `gain` times as strong; (B, ..., D) to (B, ...)."""
    return _octaves(points, seed, octaves, gain, ridge=False)


def ridged(points: Tensor, seed: Tensor, octaves: int = 3, gain: float = 0.5) -> Tensor:
    """Octaves of noise folded at the middle: bright crests, as of wrinkles or strands; (B, ..., D) to (B, ...)."""
    return _octaves(points, seed, octaves, gain, ridge=True)


def cell_noise(points: Tensor, seed: Tensor, jitter: float = 1.0) -> Tensor:
    """Round spots, one per unit cell: 1 at its centre, 0 from distance 1 on; points (B, ..., 2 or 3) to (B, ...)."""
    _check(points, seed)
    cell = points.detach().floor()
    fraction, index = points - cell, cell.to(torch.int32)
    total = torch.zeros(points.shape[:-1], device=points.device)
    for offset in product((-1, 0, 1), repeat=points.shape[-1]):
        total += _spot(fraction, index, offset, _start(seed, points), jitter)
    # The eighth root of a sum of eighth powers: a maximum without a crease.
    return total.sqrt().sqrt().sqrt().clamp(max=1.0)


def grid_noise(
    seed: Tensor,
    size: tuple[int, int],
    cells: float | Sequence[float],
    octaves: int = 1,
    *,
    gain: float = 0.5,
    stretch: float = 1.0,
) -> Tensor:
    """Smooth noise on a regular grid, (B, h, w), `cells` periods (one number, or one per picture) over its height.

    Hashes the lattice only and interpolates with cubic splines, hence many times faster than noise at points.
    Columns see `stretch` times as many periods per pixel as rows. The same picture at any size.
    """
    height, width = size
    counts = _counts(seed, cells)
    periods = torch.tensor(counts, device=seed.device)[:, None]
    rows = _centred(height, seed.device) * (periods / height)
    columns = _centred(width, seed.device) * (periods * stretch / height)
    reach = 0.5 * max(counts, default=0.0) * max(1.0, stretch * width / height)
    total = torch.zeros(len(seed), height, width, device=seed.device)
    for octave in range(octaves):
        scale = 2.0**octave
        total += gain**octave * _splined(_octave_seed(seed, octave), rows * scale, columns * scale, reach * scale)
    total = total / sum(gain**octave for octave in range(octaves))
    return ((total - 0.5) * _CONTRAST + 0.5).clamp(0.0, 1.0)


def _mixed(word: Tensor) -> Tensor:
    """Every bit of a 32-bit word spread over all of them."""
    # The mask makes the arithmetic shift of a signed word a logical one.
    word = word ^ ((word >> 16) & 0xFFFF)
    word *= _MIX[0]
    word ^= (word >> 15) & 0x1FFFF
    word *= _MIX[1]
    word ^= (word >> 16) & 0xFFFF
    return word


def _begun(seed: Tensor) -> Tensor:
    """The word that all of a seed's keys are mixed into."""
    folded = (seed ^ (seed >> 32)) & 0xFFFFFFFF
    return _mixed(((folded ^ 0x80000000) - 0x80000000).to(torch.int32))


def _white_words(seed: Tensor, shape: Sequence[int]) -> Tensor:
    count = torch.Size(shape).numel()
    index = torch.arange(count, dtype=torch.int32, device=seed.device)
    return hashed(seed[:, None], index).reshape(len(seed), *shape)


def _check(points: Tensor, seed: Tensor) -> None:
    if points.ndim < 2 or points.shape[-1] not in (2, 3):
        raise BadSpec(f"Noise is asked at points of shape {tuple(points.shape)}. Give (B, ..., 2) or (B, ..., 3).")
    if seed.dtype != torch.int64 or seed.shape != points.shape[:1]:
        raise BadSpec(
            f"Noise for {len(points)} pictures got seeds of shape {tuple(seed.shape)} and type {seed.dtype}. "
            f"Give one int64 each, shape ({len(points)},)."
        )


def _start(seed: Tensor, points: Tensor) -> Tensor:
    """The word of each seed, shaped to broadcast against the points without their last axis."""
    return _begun(seed).reshape(-1, *[1] * (points.ndim - 2))


def _lattice(points: Tensor, seed: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """For each axis: the fraction inside the cell, and the hash keys of the cell's two sides."""
    _check(points, seed)
    fractions, lows, highs = [], [], []
    for coordinate, factor in zip(points.unbind(-1), _AXES, strict=False):
        floor = coordinate.detach().floor()
        key = floor.to(torch.int32) * factor
        fractions.append(coordinate - floor)
        lows.append(key)
        highs.append(key + factor)
    return fractions, lows, highs


def _blend(fraction: Tensor) -> tuple[Tensor, Tensor]:
    high = fraction * fraction * fraction * (fraction * (fraction * 6 - 15) + 10)
    return 1 - high, high


def _octaves(points: Tensor, seed: Tensor, octaves: int, gain: float, *, ridge: bool) -> Tensor:
    total = torch.zeros(points.shape[:-1], device=points.device)
    for octave in range(octaves):
        layer = value_noise(points * 2.0**octave, _octave_seed(seed, octave))
        total = total + gain**octave * (1 - (2 * layer - 1).abs() if ridge else layer)
    return total / sum(gain**octave for octave in range(octaves))


def _spot(fraction: Tensor, index: Tensor, offset: tuple[int, ...], start: Tensor, jitter: float) -> Tensor:
    """The eighth power of one neighbouring cell's spot."""
    word = start
    for axis, step in enumerate(offset):
        word = word ^ (index[..., axis] + step) * _AXES[axis]
    distance = torch.zeros(fraction.shape[:-1], device=fraction.device)
    for axis, step in enumerate(offset):
        word = _mixed(word)
        centre = step + 0.5 + jitter * (unit(word) - 0.5)
        distance = distance + (fraction[..., axis] - centre).square()
    return (1 - distance).clamp(min=0.0).square().square().square()


def _counts(seed: Tensor, cells: float | Sequence[float]) -> list[float]:
    counts = [float(cells)] * len(seed) if isinstance(cells, int | float) else [float(count) for count in cells]
    if len(counts) != len(seed) or not all(0 < count <= 1024 for count in counts):
        raise BadSpec(f"Grid noise for {len(seed)} pictures got cells={cells!r}. Give one number from 0 to 1024 each.")
    return counts


def _octave_seed(seed: Tensor, octave: int) -> Tensor:
    return seed + 0x9E3779B9 * octave


def _centred(count: int, device: torch.device) -> Tensor:
    """Pixel centres (count,) along one axis, counted from its middle."""
    return torch.arange(count, device=device) + 0.5 - 0.5 * count


def _splined(seed: Tensor, rows: Tensor, columns: Tensor, reach: float) -> Tensor:
    """The hashed lattice, as far as `reach` from its origin, splined at rows (B, h) and columns (B, w)."""
    end = math.ceil(reach) + 2
    index = torch.arange(-end, end + 1, dtype=torch.int32, device=seed.device)
    lattice = unit(hashed(seed[:, None, None], index[:, None], index))
    first_column, right = _taps(columns)
    first_row, down = _taps(rows)
    picture = _spread(lattice.mT.contiguous(), first_column + end, right).mT.contiguous()
    return _spread(picture, first_row + end, down)


def _taps(positions: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The first of four lattice indices for each position, and the weights of the four."""
    floor = positions.floor()
    t = positions - floor
    weights = [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 3 * (t + t**2 - t**3) + 1, t**3]
    return floor.long() - 1, [weight / 6 for weight in weights]


def _spread(lattice: Tensor, first: Tensor, weights: list[Tensor]) -> Tensor:
    """Rows of a lattice (B, rows, n) gathered and weighted to (B, h, n)."""
    batch = torch.arange(len(lattice), device=lattice.device)[:, None]
    total = lattice[batch, first] * weights[0][..., None]
    for tap in range(1, 4):
        total.addcmul_(lattice[batch, first + tap], weights[tap][..., None])
    return total

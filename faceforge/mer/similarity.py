"""How alike two pictures are, in closed forms: PSNR, SSIM, and a perceptual distance that needs no network.

The perceptual distance is the gradient magnitude similarity deviation (Xue, Zhang, Mou and Bovik 2014): 0 for equal
pictures, about 0.1 where differences are plain, 0.3 where little is left.
"""

import numpy as np
from numpy.typing import NDArray

from faceforge.mer.agreement import Numbers

Pixels = NDArray[np.uint8]
Inside = NDArray[np.bool_]

BEST_DB = 100.0  # what PSNR says of equal pixels
_RGB = (0.299, 0.587, 0.114)
_STEADY = 170.0  # GMSD's constant, for gradients of 8-bit levels
_SPREAD, _REACH = 1.5, 5  # SSIM's window: a Gaussian on 11 pixels
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr(left: Pixels, right: Pixels, where: Inside) -> float:
    """Decibels over the pixels (H, W) that count, at most 100; NaN where none do."""
    apart = (left.astype(np.float64) - right)[where]
    if not apart.size:
        return float("nan")
    error = float((apart**2).mean())
    return min(BEST_DB, float(10 * np.log10(255**2 / error))) if error else BEST_DB


def ssim(left: Pixels, right: Pixels, where: Inside) -> float:
    """Structural similarity (Wang et al. 2004) of greys, averaged over the pixels that count; NaN where none do."""
    if not where.any():
        return float("nan")
    x, y = _grey(left), _grey(right)
    mean_x, mean_y = _window(x), _window(y)
    var_x, var_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    both = _window(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + _C1) * (2 * both + _C2)
    return float((alike / ((mean_x**2 + mean_y**2 + _C1) * (var_x + var_y + _C2)))[where].mean())


def gmsd(left: Pixels, right: Pixels) -> float:
    """Gradient magnitude similarity deviation of two pictures at half their size."""
    x, y = (_edges(_halved(_grey(each))) for each in (left, right))
    return float(((2 * x * y + _STEADY) / (x * x + y * y + _STEADY)).std())


def _grey(pixels: Pixels) -> Numbers:
    return np.asarray(pixels.astype(np.float64) @ _RGB)


def _halved(grey: Numbers) -> Numbers:
    height, width = (side // 2 * 2 for side in grey.shape)
    return np.asarray(grey[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3)))


def _edges(grey: Numbers) -> Numbers:
    """Prewitt's gradient magnitude, in levels per pixel."""
    padded = np.pad(grey, 1, mode="edge")
    rows = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    columns = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3
    return np.hypot(rows[:, 2:] - rows[:, :-2], columns[2:] - columns[:-2])


def _window(field: Numbers) -> Numbers:
    offsets = np.arange(-_REACH, _REACH + 1)
    weights = np.exp(-0.5 * (offsets / _SPREAD) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        padded = np.pad(field, [(_REACH, _REACH) if axis == each else (0, 0) for each in (0, 1)], mode="symmetric")
        field = np.asarray(
            sum(w * np.take(padded, range(i, i + field.shape[axis]), axis) for i, w in enumerate(weights))
        )
    return field

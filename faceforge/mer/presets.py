"""What a network sees of a flow: three channels (u, v, strain) under one of two presets.

`meb` repeats the public benchmark's features for networks trained on them: every channel is stretched to 0..1 for each
pair, so that a motion of 0.1 pixels and one of 10 look alike. `metric` keeps the dose: units are shares of the eye
distance, the motion of the head is taken out, and nothing depends on the pair as a whole.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.face.found import Points
from faceforge.mer.flow import Flow
from faceforge.mer.strain import Field, strain, strain_meb

Channels = NDArray[np.floating[Any]]  # (3, side, side)

STABLE = (27, 28, 29, 36, 39, 42, 45)  # iBUG's bridge of the nose and corners of the eyes: no unit moves them much
LIMIT = 5.0
_UNIT = 100.0  # flow in hundredths of the eye distance
_STRAIN = 10.0  # strain in tenths, so that it fills the same range
_NEAR = 0.04  # eye distances around a stable point over which its motion is averaged


def meb(flow: Flow, side: int) -> Channels:
    """Channels (3, side, side) as the MEB benchmark has them, but 0.5 where a channel is constant."""
    return resized(np.stack([_stretched(each) for each in (*flow.astype(np.float64), strain_meb(flow))]), side)


def metric(flow: Flow, landmarks: Points, side: int, *, limit: float = LIMIT) -> Channels:
    """Channels (3, side, side): motion of the skin in hundredths of the eye distance and strain in tenths, clipped.

    Landmarks (68, 2) are those of the picture that the flow starts from.
    """
    eye = float(np.hypot(*(landmarks[42:48].mean(0) - landmarks[36:42].mean(0))))
    own = flow - head_motion(flow, landmarks, _NEAR * eye)
    channels = np.concatenate([_UNIT / eye * own, _STRAIN * strain(own)[None]])
    return resized(np.clip(channels, -limit, limit), side)


def head_motion(flow: Flow, landmarks: Points, radius: float) -> Flow:
    """The motion (2, H, W) of the similarity that stable points follow: what the head did, not the face."""
    height, width = flow.shape[1:]
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    points = landmarks[list(STABLE)]
    inside = [np.hypot(x - px, y - py) <= max(radius, 1.0) for px, py in points]
    used = [number for number, each in enumerate(inside) if each.any()]
    if len(used) < 2:
        return np.zeros_like(flow)
    moved = np.array([np.median(flow[:, inside[number]], 1) for number in used])
    a, b, right, down = similarity(points[used], points[used] + moved)
    return np.stack([(a - 1) * x - b * y + right, b * x + (a - 1) * y + down])


def similarity(source: Points, target: Points) -> tuple[float, float, float, float]:
    """a, b, right and down of (a x - b y + right, b x + a y + down), which brings points (N, 2) nearest to others."""
    middle, there = source.mean(0), target.mean(0)
    (x, y), (u, v) = (source - middle).T, (target - there).T
    size = (x * x + y * y).sum()
    a, b = float((x * u + y * v).sum() / size), float((x * v - y * u).sum() / size)
    right, down = there - np.array([[a, -b], [b, a]]) @ middle
    return a, b, float(right), float(down)


def resized(channels: Channels, side: int) -> Channels:
    """Channels (C, H, W) on a square: blurred as far as they shrink (deviation (n - 1) / 2), then linear."""
    small = np.stack([_resampled(_resampled(each, side).T, side).T for each in channels])
    return np.clip(small, channels.min((1, 2), keepdims=True), channels.max((1, 2), keepdims=True))


def _stretched(plane: Field) -> Field:
    low, high = plane.min(), plane.max()
    return np.full_like(plane, 0.5) if low == high else (plane - low) / (high - low)


def _resampled(rows: Field, count: int) -> Field:
    """Rows (N, M) as (count, M); the border is a mirror through the outermost row."""
    size = len(rows)
    blurred = _blurred(rows, (size / count - 1) / 2)
    place = (np.arange(count) + 0.5) * size / count - 0.5
    before = np.floor(place).astype(int)
    share = (place - before)[:, None]
    return np.asarray(blurred[_mirrored(before, size)] * (1 - share) + blurred[_mirrored(before + 1, size)] * share)


def _blurred(rows: Field, deviation: float) -> Field:
    reach = int(4 * deviation + 0.5) if deviation > 0 else 0
    if reach == 0:
        return rows
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / deviation) ** 2)
    padded = np.pad(rows, ((reach, reach), (0, 0)), mode="reflect")
    return np.asarray(sum(w * padded[i : i + len(rows)] for i, w in enumerate(weights / weights.sum())))


def _mirrored(index: NDArray[np.int_], size: int) -> NDArray[np.int_]:
    back = np.abs(index)
    return np.where(back >= size, 2 * (size - 1) - back, back)

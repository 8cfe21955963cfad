"""A first guess: the average face at rest, laid on the landmarks as if seen from far away."""

from functools import cache

import numpy as np

from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.fitting.unknowns import COUNT, DISTANCE, POSE, SCALE, SHIFT, Frame, Numbers, rows_of
from faceforge.face3d.head import HeadParams

_FIXED = slice(17, 68)  # the jaw's landmarks slide
_FAR = np.log(110.0)
_MOST = np.radians([75.0, 45.0, 80.0])


@cache
def _average() -> Numbers:
    head = EmbeddedHead()
    return rows_of(head.landmarks68(head(HeadParams())))[_FIXED] * 100


def start(points: Numbers, frame: Frame) -> Numbers:
    """Pose, place and scale of the average head for points (68 or more, 2) in pixels; the rest is zero."""
    space, seen = _average(), (points[_FIXED] - frame.middle) * (1, -1)
    across, *_ = np.linalg.lstsq(np.column_stack([space, np.ones(len(space))]), seen, rcond=None)
    scale = np.sqrt(np.linalg.norm(across[0:3, 0]) * np.linalg.norm(across[0:3, 1]))
    first, second = (across[:3] / np.linalg.norm(across[:3], axis=0)).T
    third = np.cross(first, second)
    yaw = np.arctan2(first[2], third[2])
    pitch = np.arcsin(np.clip(second[2], -1, 1))
    roll = np.arctan2(first[1], second[1])
    x = np.zeros(COUNT)
    x[POSE] = np.clip([yaw, pitch, roll], -_MOST, _MOST)
    x[SCALE], x[DISTANCE] = np.log(scale), _FAR
    x[SHIFT] = across[3] / scale
    return x

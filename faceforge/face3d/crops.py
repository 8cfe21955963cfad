"""The square around a face that DECA and SMIRK look at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from faceforge.errors import BadHead
from faceforge.face3d.camera import CROP

DECA_SCALE, SMIRK_SCALE = 1.3, 1.4  # RigFace's and MagicPortrait's scripts; DECA's own default is 1.25
_AROUND_LANDMARKS = 1.1  # what landmarks enclose is smaller than a face
_CHINWARDS = 0.12  # detectors' boxes reach too high


class Box(NamedTuple):
    """A rectangle of a picture, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, points: Tensor) -> Box:
        """The box of landmarks (N, 2)."""
        if points.ndim != 2 or points.shape[1] != 2 or not len(points):
            raise BadHead(f"Landmarks have shape {tuple(points.shape)}, expected (N, 2).")
        (left, top), (right, bottom) = points.amin(0).tolist(), points.amax(0).tolist()
        return cls(left, top, right, bottom)

    @classmethod
    def whole(cls, width: int, height: int) -> Box:
        """All of a picture, where no face was found."""
        return cls(0.0, 0.0, width - 1.0, height - 1.0)


@dataclass(frozen=True)
class Square:
    """What is cut out: its centre and its side, in pixels of the picture."""

    x: float
    y: float
    size: int

    def transform(self) -> Tensor:
        """Pixels of the picture to pixels of the crop, (3, 3): corners go to centres of the crop's corner pixels."""
        scale = (CROP - 1) / self.size
        left, top = self.x - self.size / 2, self.y - self.size / 2
        return torch.tensor([[scale, 0, -scale * left], [0, scale, -scale * top], [0, 0, 1]], dtype=torch.float64)


def deca_square(landmarks: Box, scale: float = DECA_SCALE) -> Square:
    """From the box around 68 landmarks."""
    return _square(landmarks, _side(landmarks) * _AROUND_LANDMARKS, scale)


def deca_square_of_face(face: Box, scale: float = DECA_SCALE) -> Square:
    """From the box of a face detector."""
    side = _side(face)
    return _square(face, side, scale, down=_CHINWARDS * side)


def smirk_square(landmarks: Box, scale: float = SMIRK_SCALE) -> Square:
    """From the box around MediaPipe's 478 landmarks."""
    return _square(landmarks, _side(landmarks), scale)


def _side(box: Box) -> float:
    side = (box.right - box.left + box.bottom - box.top) / 2
    if not (math.isfinite(side) and box.right > box.left and box.bottom > box.top):
        raise BadHead(f"A face cannot be cut out of {tuple(box)}, expected left, top, right, bottom in pixels.")
    return side


def _square(box: Box, side: float, scale: float, down: float = 0.0) -> Square:
    size = int(side * scale)  # truncated, as the releases do
    if size < 1:
        raise BadHead(f"A face of {size} pixels cannot be cut out. Give a larger picture.")
    return Square((box.left + box.right) / 2, (box.top + box.bottom) / 2 + down, size)

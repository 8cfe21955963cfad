"""The squares that the published systems look at, as transforms that go both ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from faceforge.errors import BadPicture
from faceforge.face.found import Face, Points
from faceforge.face3d.camera import CROP
from faceforge.face3d.crops import Box, Square, deca_square, smirk_square

Matrix = NDArray[np.float64]

SIDE = 512
_INNER = 352.0  # where the square around the face lies in the canvas: [80, 432]
_CLOSE = 1.45  # widths of the face's box on all of the canvas
_SQUARE = 1.5  # its side, in widths of the face's box; the height is not consulted

# From the box of our landmarks to the detector's boxes that the releases used: the mean over their seven photographs.
_WIDER = 1.05
_UP = 0.18  # of the width; detectors' boxes hold the forehead


@dataclass(frozen=True, eq=False)
class Crop:
    """A part of a picture on a grid of its own. Pixels have their centres at halves in both."""

    matrix: Matrix  # (3, 3) a place in the picture to its place in the crop
    size: tuple[int, int]  # (width, height)

    @property
    def inverse(self) -> Matrix:
        """A place in the crop to its place in the picture."""
        return np.asarray(np.linalg.inv(self.matrix), np.float64)

    @property
    def scale(self) -> float:
        """Pixels of the crop for one of the picture."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:2, :2]))))

    def to_crop(self, points: Points) -> Points:
        """Places (N, 2) of the picture in the crop."""
        return points @ self.matrix[:2, :2].T + self.matrix[:2, 2]

    def to_picture(self, points: Points) -> Points:
        """Places (N, 2) of the crop in the picture."""
        inverse = self.inverse
        return points @ inverse[:2, :2].T + inverse[:2, 2]

    def cut(self, image: Image.Image) -> Image.Image:
        """The crop's pixels, bilinear, black beyond the picture; large faces are averaged down first."""
        factor = max(1, int(1 / self.scale))
        if factor == 1:
            return self.cut_plainly(image)
        left, top, right, bottom = self.reach(image.size, factor)
        if right <= left or bottom <= top:
            return Image.new(image.mode, self.size)
        small = image.reduce(factor, (left, top, right, bottom))
        shrink = np.array([[factor, 0, left], [0, factor, top], [0, 0, 1.0]])
        return Crop(self.matrix @ shrink, self.size).cut_plainly(small)

    def cut_plainly(self, image: Image.Image) -> Image.Image:
        """The crop's pixels as the releases take them: bilinear between neighbours at any scale, black beyond."""
        six = tuple(float(each) for each in self.inverse[:2].ravel())
        return image.transform(self.size, Image.Transform.AFFINE, six, Image.Resampling.BILINEAR)

    def reach(self, size: tuple[int, int], margin: int = 1) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of what the crop touches of a picture (width, height)."""
        (w, h), (width, height) = self.size, size
        corners = self.to_picture(np.array([[0, 0], [w, 0], [0, h], [w, h]], np.float64))
        low, high = np.floor(corners.min(0)) - margin, np.ceil(corners.max(0)) + margin
        return (max(0, int(low[0])), max(0, int(low[1])), min(width, int(high[0])), min(height, int(high[1])))


def box_crop(box: tuple[float, float, float, float]) -> Crop:
    """The 512 px square of a detector's box: its middle at (256, 256), 1.5 of its widths on 352 pixels."""
    left, top, right, bottom = box
    if not (np.isfinite(box).all() and right > left and bottom > top):
        raise BadPicture(f"A face cannot be cut out of {box}, expected left, top, right, bottom in pixels.")
    scale = _INNER / (_SQUARE * (right - left))
    x, y = (left + right) / 2, (top + bottom) / 2
    matrix = np.array([[scale, 0, SIDE / 2 - scale * x], [0, scale, SIDE / 2 - scale * y], [0, 0, 1]])
    return Crop(matrix, (SIDE, SIDE))


def face_crop(face: Face) -> Crop:
    """The 512 px square of MagicFace, RigFace and MagicPortrait around a face."""
    return box_crop(detector_box(face))


def close_crop(face: Face) -> Crop:
    """The 512 px square of a face without much around it: small models need every pixel."""
    left, top, right, bottom = detector_box(face)
    scale = SIDE / (_CLOSE * (right - left))
    x, y = (left + right) / 2, (top + bottom) / 2
    return Crop(np.array([[scale, 0, SIDE / 2 - scale * x], [0, scale, SIDE / 2 - scale * y], [0, 0, 1]]), (SIDE, SIDE))


def detector_box(face: Face) -> tuple[float, float, float, float]:
    """The box that a face detector would give: wider than the landmarks and with the forehead."""
    left, top, right, bottom = face.box
    width = _WIDER * (right - left)
    x, y = (left + right) / 2, (top + bottom) / 2 - _UP * (right - left)
    height = max(bottom - y, y - top) * 2
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def whole_crop(size: tuple[int, int], side: int = SIDE) -> Crop:
    """FineFace's: a whole picture (width, height) on a square, its proportions not kept."""
    return Crop(np.diag([side / size[0], side / size[1], 1.0]), (side, side))


def deca_crop(face: Face) -> Crop:
    """The 224 px square that RigFace and MagicPortrait show to DECA, from 68 landmarks."""
    return _on_grid(deca_square(_box(face.landmarks)))


def smirk_crop(face: Face) -> Crop:
    """The 224 px square that MagicPortrait shows to SMIRK, from MediaPipe's mesh where there is one."""
    return _on_grid(smirk_square(_box(face.landmarks if face.mesh is None else face.mesh[:, :2])))


def _box(points: Points) -> Box:
    return Box.around(torch.from_numpy(points - 0.5))  # the encoders' pixels have their centres at whole numbers


def _on_grid(square: Square) -> Crop:
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    return Crop(half @ square.transform().numpy() @ np.linalg.inv(half), (CROP, CROP))

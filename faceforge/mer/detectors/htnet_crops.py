"""What HTNet sees: four squares of a flow picture, around both eyes and both corners of the mouth, two by two."""

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, cat

from faceforge.errors import BadPicture
from faceforge.mer.detectors.htnet import SIDE

_HALF = SIDE // 4  # of a square, 7 pixels
_USED = (0, 1, 3, 4)  # eyes and corners of the mouth; the tip of the nose between them is not looked at
USUAL = ((9.53, 11.06), (21.40, 10.92), (15.38, 17.38), (10.26, 22.12), (20.58, 22.26))  # where no face was found


def regions(flow: Tensor, landmarks: ArrayLike = USUAL, faithful_crops: bool = True) -> Tensor:
    """Squares of 14 pixels of a flow picture (C, 28, 28), joined to (C, 28, 28).

    `landmarks` are five points (x, y): eye, eye, nose, corner and corner of the mouth; they are kept 7 pixels from the
    border and rounded down. As published x is taken for the row; `faithful_crops=False` takes it for the column.
    """
    points = np.asarray(landmarks, float)
    if flow.shape[-2:] != (SIDE, SIDE) or points.shape != (5, 2):
        raise BadPicture(
            f"HTNet takes five points of a picture of {SIDE} by {SIDE} pixels, not {points.shape} of {flow.shape}."
        )
    rows, columns = points.T if faithful_crops else points.T[::-1]
    corners = np.clip(np.stack([rows, columns], 1), _HALF, SIDE - _HALF).astype(int) - _HALF
    squares = [flow[..., row : row + 2 * _HALF, column : column + 2 * _HALF] for row, column in corners[list(_USED)]]
    return cat([cat(squares[:2], -1), cat(squares[2:], -1)], -2)

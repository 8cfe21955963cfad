"""The square in which judges look at a face: upright, and every face in it of one size."""

import numpy as np

from faceforge.face.crops import Crop
from faceforge.face.found import Face

SIDE = 192  # pixels
_EYE_DISTANCE = 0.3  # of the side; leaves room for raised brows and a dropped jaw
_EYES_AT = (0.5, 0.32)  # the point between the eyes


def frame(face: Face, side: int = SIDE) -> Crop:
    """The upright square around a face, from its eyes alone."""
    right, left = face.landmarks[36:42].mean(0), face.landmarks[42:48].mean(0)
    across = (left - right) / (left - right).dot(left - right) * _EYE_DISTANCE * side
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]])
    shift = np.array(_EYES_AT) * side - turn @ ((right + left) / 2)
    return Crop(np.block([[turn, shift[:, None]], [np.zeros((1, 2)), np.ones((1, 1))]]), (side, side))

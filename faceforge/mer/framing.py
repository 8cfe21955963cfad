"""The square in which judges look at a face: upright, and every face in it of one size."""

import numpy as np

from faceforge.face.crops import Crop
from faceforge.face.found import Face, Points

SIDE = 192  # pixels
EYE_DISTANCE = 0.3  # of the side; leaves room for raised brows and a dropped jaw
EYES_AT = (0.5, 0.32)  # the point between the eyes
_MOVED = 0.04  # sides: how far corners of frames lie apart before a head counts as moved; finders err by less


def frame(face: Face, side: int = SIDE) -> Crop:
    """The upright square around a face, from its eyes alone."""
    return framed(face.landmarks, side)


def framed(landmarks: Points, side: int = SIDE) -> Crop:
    """The square of 68 landmarks."""
    right, left = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    across = (left - right) / (left - right).dot(left - right) * EYE_DISTANCE * side
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]])
    shift = np.array(EYES_AT) * side - turn @ ((right + left) / 2)
    return Crop(np.block([[turn, shift[:, None]], [np.zeros((1, 2)), np.ones((1, 1))]]), (side, side))


def frames(one: Face, other: Face) -> tuple[Crop, Crop]:
    """The squares of a face in two pictures: one and the same for both, unless the head has moved between them."""
    own = frame(one), frame(other)
    corners = np.array([[0.0, 0.0], [0.0, SIDE], [SIDE, 0.0], [SIDE, SIDE]])
    apart = [each.to_crop(rest.to_picture(corners)) - corners for each, rest in (own, own[::-1])]
    if np.abs(apart).max() > _MOVED * SIDE:
        return own
    shared = framed((one.landmarks + other.landmarks) / 2)
    return shared, shared

"""Which pixels belong to a person, without a parsing network."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceforge.face.found import Points
from faceforge.face.ibug import outline
from faceforge.face.masks import filled

Inside = NDArray[np.bool_]

_ROUNDS = 5
_GRID = 256  # the longer side on which colours are told apart


def person(image: Image.Image, landmarks: Points, *, sure: Inside | None = None) -> Inside:
    """Where the person of a face is, (H, W): by colour with OpenCV's GrabCut, by shape alone without OpenCV.

    `sure` marks pixels that are the person's for certain, such as the silhouette of a fitted head.
    """
    likely, certain, possible = _shape(landmarks, image.size)
    certain = certain if sure is None else certain | sure
    try:
        import cv2
    except ImportError:
        return likely | certain
    return _by_colour(cv2, image, likely, certain, possible)


def hair(image: Image.Image, landmarks: Points, *, sure: Inside | None = None) -> Inside:
    """Where the person is above the chin and beside the face: mostly hair and ears."""
    everything = person(image, landmarks, sure=sure)
    rows = np.arange(image.height)[:, None] < landmarks[8, 1]
    inside: Inside = everything & rows & ~face(landmarks, image.size)
    return inside


def face(landmarks: Points, size: tuple[int, int]) -> Inside:
    """The inside of the face's own outline, (H, W)."""
    return filled(outline(landmarks), size) > 0.5


def _shape(landmarks: Points, size: tuple[int, int]) -> tuple[Inside, Inside, Inside]:
    """Where a person with such a face is as a rule, for certain, and at most: head, neck and shoulders."""
    middle, width = landmarks[[27, 8]].mean(0), float(np.ptp(landmarks[:17, 0]))
    width = max(width, 0.8 * float(np.linalg.norm(landmarks[8] - landmarks[27])))
    head = middle - (0, 0.22 * width)
    chin = landmarks[8]
    likely = _ellipse(head, 0.62 * width, 0.88 * width, size) | _bust(chin, (0.42, 1.35), width, size)
    certain = face(landmarks, size) | _ellipse(head, 0.46 * width, 0.74 * width, size)
    certain |= _bust(chin, (0.25, 0.85), width, size)
    possible = _ellipse(head, 1.05 * width, 1.2 * width, size) | _bust(chin - (0, width), (1.0, 2.4), width, size)
    return likely, certain, possible


def _ellipse(middle: Points, across: float, down: float, size: tuple[int, int]) -> Inside:
    x, y = np.arange(size[0]) + 0.5 - middle[0], np.arange(size[1])[:, None] + 0.5 - middle[1]
    inside: Inside = (x / across) ** 2 + (y / down) ** 2 < 1
    return inside


def _bust(chin: Points, halves: tuple[float, float], width: float, size: tuple[int, int]) -> Inside:
    """Below the chin: half a neck and half of the shoulders, in face widths; the one becomes the other."""
    x, y = np.abs(np.arange(size[0]) + 0.5 - chin[0]) / width, (np.arange(size[1])[:, None] + 0.5 - chin[1]) / width
    neck, shoulders = halves
    inside: Inside = (y > -0.2) & (x < neck + (shoulders - neck) * np.clip((y - 0.1) / 0.5, 0, 1))
    return inside


def _by_colour(cv2: Any, image: Image.Image, likely: Inside, sure: Inside, possible: Inside) -> Inside:
    scale = min(1.0, _GRID / max(image.size))
    size = (max(8, round(image.width * scale)), max(8, round(image.height * scale)))
    small = np.ascontiguousarray(image.convert("RGB").resize(size, Image.Resampling.BOX))
    near, certain, far = (_resized(each, size) > 0.5 for each in (likely, sure, possible))
    labels = np.where(certain, 1, np.where(near, 3, np.where(far, 2, 0))).astype(np.uint8)
    cv2.setRNGSeed(0)  # the same picture, the same mask
    cv2.grabCut(small, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = np.isin(labels, (1, 3)).astype(np.float32)
    return _resized(_largest(cv2, found), image.size) > 0.5


def _largest(cv2: Any, mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest piece of a mask with its holes filled."""
    for value in (1.0, 0.0):  # first the person's crumbs, then the background's
        count, pieces, stats, _ = cv2.connectedComponentsWithStats((mask == value).astype(np.uint8), connectivity=4)
        least = 0.01 * mask.size if value == 0.0 else (stats[1:, 4].max() if count > 1 else 0)
        for number in range(1, count):
            if stats[number, 4] < least:
                mask[pieces == number] = 1 - value
    return mask


def _resized(mask: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.float32]:
    image = Image.fromarray(mask.astype(np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR), np.float32)

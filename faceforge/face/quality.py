"""What to tell somebody before a face of theirs is edited."""

from collections.abc import Iterable

import numpy as np
from PIL import Image

from faceforge.face.crops import detector_box, face_crop
from faceforge.face.found import Face
from faceforge.face.masks import filled, oval

SMALLEST = 96.0  # pixels between the ears; below, a crop of 512 invents more than it keeps
LEAST_SHARP = 0.032  # see `sharpness`: sharp photographs lie above, the same blurred by 2 % of the face below
LEAST_SURE = 0.5  # of a finder's score: upright faces of photographs lie above, those upside down and half ones below
WIDEST_DEG = (45.0, 30.0, 45.0)  # yaw, pitch, roll
_FILLS = 0.6  # of the picture's shorter side
_EMPTY = 0.2  # of the crop
_CUT = 0.02  # of the face's size
_TOUCH = 0.05  # of the smaller face
_BLACK = 8  # levels


def advice(image: Image.Image, face: Face, *, others: Iterable[Face] = ()) -> tuple[str, ...]:
    """What makes a good edit of this face unlikely, in plain sentences; nothing where all is well."""
    checks = (
        _unsure(face),
        _small(face),
        _blurred(image, face),
        _cut_off(face),
        _turned(face),
        _empty(image, face),
        _tight(face),
    )
    return tuple(each for each in (*checks, _covered(face, others)) if each)


def sharpness(image: Image.Image, face: Face) -> float:
    """How much of a face's contrast lies between neighbours on a grid where the face is 117 pixels wide."""
    crop = face_crop(face)
    grey = np.asarray(crop.cut(image.convert("L")).reduce(2), np.float64)
    inside = filled(crop.to_crop(oval(face)) / 2, (grey.shape[1], grey.shape[0]))[1:-1, 1:-1] > 0.5
    if not inside.any():
        return 0.0
    middle = grey[1:-1, 1:-1]
    edges = 4 * middle - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float(edges[inside].std() / max(1.0, 4 * middle[inside].std()))


def _unsure(face: Face) -> str:
    if face.score >= LEAST_SURE:
        return ""
    return "It is not certain that this is an upright face. Turn the picture, or use --finder mediapipe."


def _small(face: Face) -> str:
    width = face.box[2] - face.box[0]
    if width >= SMALLEST:
        return ""
    return f"The face is {width:.0f} pixels wide; from {SMALLEST:.0f} on its details are kept. Use a larger picture."


def _blurred(image: Image.Image, face: Face) -> str:
    if sharpness(image, face) >= LEAST_SHARP:
        return ""
    return "The face is blurred, and so will the edit be. Use a sharper picture."


def _cut_off(face: Face) -> str:
    (height, width), (left, top, right, bottom) = face.size, face.box
    beyond = max(-left, -top, right - width, bottom - height)
    if beyond <= _CUT * (right - left):
        return ""
    return "The face is cut off by the picture's border. Use a picture that shows all of it."


def _turned(face: Face) -> str:
    angles = zip(
        ("sideways", "up or down", "over"), (face.yaw_deg, face.pitch_deg, face.roll_deg), WIDEST_DEG, strict=True
    )
    for how, angle, most in angles:
        if abs(angle) > most:
            return f"The head is turned {how} by {abs(angle):.0f} degrees; up to {most:.0f} works well."
    return ""


def _empty(image: Image.Image, face: Face) -> str:
    crop = face_crop(face)
    beyond = np.asarray(crop.cut(Image.new("L", image.size, 255))) < 128
    black = np.asarray(crop.cut(image)).max(-1) <= _BLACK
    share = float((beyond | _bars(black)).mean())
    if share <= _EMPTY:
        return ""
    return f"{share:.0%} of the square around the face is black border. Use a picture with more around the head."


def _bars(black: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Rows and columns at the border that are black all along."""
    rows, columns = black.mean(1) > 0.98, black.mean(0) > 0.98
    bars = np.zeros_like(black)
    for line, part in ((rows, bars), (columns, bars.T)):
        first, last = np.argmin(line), np.argmin(line[::-1])
        part[:first], part[len(part) - last :] = True, True
    return bars


def _tight(face: Face) -> str:
    share = (face.box[2] - face.box[0]) / min(face.size)
    if share <= _FILLS:
        return ""
    return f"The face fills {share:.0%} of the picture, so that hair and neck are missing. Use a wider picture."


def _covered(face: Face, others: Iterable[Face]) -> str:
    left, top, right, bottom = detector_box(face)
    for other in others:
        a, b, c, d = detector_box(other)
        shared = max(0.0, min(right, c) - max(left, a)) * max(0.0, min(bottom, d) - max(top, b))
        if other is not face and shared > _TOUCH * min((right - left) * (bottom - top), (c - a) * (d - b)):
            return "Another face overlaps this one; the edit may change both. Crop the picture to one person first."
    return ""

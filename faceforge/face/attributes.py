"""The pictures that say what around a face has to stay: MagicFace's with jaw dots, RigFace's with a grey person."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceforge.face.found import Points
from faceforge.face.people import Inside, face, person

GREY = 127
DOTS = 17
_COLOURS = 69  # the palette is spread over the 68 landmarks, of which only the jaw is drawn
_TEMPLATE = np.array(
    [[92.5892, 103.3926], [163.0636, 103.0028], [128.0504, 143.4732], [99.0986, 184.731], [157.4598, 184.4082]]
)
_CANVAS = 256  # the dots are drawn on this square and warped to the picture with it
_RADIUS = 2


def attribute_picture(crop: Image.Image, landmarks: Points, *, hidden: Inside | None = None) -> Image.Image:
    """MagicFace's second picture of a 512 px crop: black where `hidden` says, and the jaw as coloured dots.

    What is hidden by default is the whole person, as in the release's own examples; pass `face_only` to keep hair.
    """
    black = person(crop, landmarks) if hidden is None else hidden
    kept = np.where(black[..., None], 0, np.asarray(crop.convert("RGB"))).astype(np.int32)
    return Image.fromarray(np.minimum(kept + jaw_dots(landmarks, crop.size), 255).astype(np.uint8))


def face_only(landmarks: Points, size: tuple[int, int]) -> Inside:
    """A smaller thing to hide: the face alone, so that hair, ears and clothes stay as they are."""
    return face(landmarks, size)


def grey_person(crop: Image.Image, landmarks: Points, *, also: Inside | None = None) -> Image.Image:
    """RigFace's background picture: the crop with the person in grey 127, and `also` where another pose will be."""
    grey = person(crop, landmarks)
    grey = grey if also is None else grey | also
    return Image.fromarray(np.where(grey[..., None], GREY, np.asarray(crop.convert("RGB"))).astype(np.uint8))


def dot_colour(number: int) -> tuple[int, int, int]:
    """The colour of a jaw dot, from the viewer's left.

    >>> dot_colour(0), dot_colour(16)
    ((255, 0, 127), (238, 169, 9))
    """
    x = number / _COLOURS
    return (int(255 * math.cos(math.pi / 2 * x)), int(255 * math.sin(math.pi * x)), int(255 * abs(2 * x - 0.5)))


def jaw_dots(landmarks: Points, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The 17 jaw points as discs on black (h, w, 3): radius 2 on the release's 256 px face, which is then warped."""
    matrix = to_template(landmarks)
    canvas = np.zeros((_CANVAS, _CANVAS, 3), np.uint8)
    rows, columns = np.mgrid[:_CANVAS, :_CANVAS]
    places = np.rint(landmarks[:DOTS] @ matrix[:2, :2].T + matrix[:2, 2] - 0.5)
    for number, (x, y) in enumerate(places):
        canvas[(columns - x) ** 2 + (rows - y) ** 2 <= _RADIUS**2] = dot_colour(number)
    six = tuple(float(each) for each in matrix[:2].ravel())
    return np.asarray(Image.fromarray(canvas).transform(size, Image.Transform.AFFINE, six, Image.Resampling.BILINEAR))


def to_template(landmarks: Points) -> NDArray[np.float64]:
    """The similarity (3, 3) that brings eyes, nose and mouth corners of 68 points closest to the release's template."""
    five = np.stack([landmarks[36:42].mean(0), landmarks[42:48].mean(0), landmarks[30], landmarks[48], landmarks[54]])
    here, there = five - five.mean(0), _TEMPLATE + 0.5 - (_TEMPLATE + 0.5).mean(0)
    spread = (here**2).sum()
    a = (here * there).sum() / spread
    b = (here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0]).sum() / spread
    turn = np.array([[a, -b], [b, a]])
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = (_TEMPLATE + 0.5).mean(0) - turn @ five.mean(0)
    return matrix

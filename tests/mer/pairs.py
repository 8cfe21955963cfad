"""Pairs of pictures of which it is known what lies between them."""

import io
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from faceforge.errors import HubError
from faceforge.evaluation.subjects import portraits
from faceforge.face.found import Points
from faceforge.mer.judges import Judge, judge
from faceforge.mer.looking import looker
from faceforge.synth import photograph, sample

BROWS, CORNERS = tuple(range(17, 27)), (48, 54)


def judged_by(name: str) -> Judge:
    """A judge, or a skip where its landmark model is not at hand."""
    found = _ready(name)
    if found is None:
        pytest.skip("no landmark model (set FACEFORGE_LANDMARKER)")
    return found


@cache
def _ready(name: str) -> Judge | None:
    try:
        made = judge(name)
        made.delta(face(), face())
    except HubError:
        return None
    return made


@cache
def face() -> Image.Image:
    """A neutral face of somebody nobody trains on."""
    (subject,) = portraits(1)
    return subject.picture.image


@cache
def smiling(seed: int = 700_000_500, **aus: float) -> Image.Image:
    """A portrait in an expression: the same person, light and camera whatever the expression."""
    sitting = sample(seed, aus=dict(aus), yaw_deg=2.0, pitch_deg=0.0, roll_deg=0.0, occluder=None, hair_style="short")
    return Image.fromarray(photograph([sitting], 256)[0].image)


def moved(image: Image.Image, degrees: float, pixels: float) -> Image.Image:
    """Turned about its middle and shifted to the right, the border repeated."""
    pixels_around = np.pad(np.asarray(image), ((40, 40), (40, 40), (0, 0)), mode="edge")
    turned = Image.fromarray(pixels_around).rotate(degrees, Image.Resampling.BICUBIC, translate=(pixels, 0))
    return turned.crop((40, 40, 40 + image.width, 40 + image.height))


def brighter(image: Image.Image, share: float) -> Image.Image:
    return image.point(lambda level: min(255, round(level * (1 + share))))


def as_jpeg(image: Image.Image, quality: int = 90) -> Image.Image:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=quality)
    return Image.open(written).convert("RGB")


def raised(image: Image.Image, points: Sequence[int], share: float) -> Image.Image:
    """Some landmarks and the skin about them lifted by a share of the eye distance."""
    seen = looker().look(image).face
    return pulled(image, seen.landmarks[list(points)], (0.0, -share * seen.eye_distance), 0.16 * seen.eye_distance)


def pulled(image: Image.Image, places: Points, by: tuple[float, float], reach: float) -> Image.Image:
    """The picture with its skin pulled along at some places, less further away."""
    pixels = np.asarray(image, np.float64)
    y, x = np.mgrid[: image.height, : image.width].astype(np.float64)
    near = np.max([np.exp(-((x + 0.5 - px) ** 2 + (y + 0.5 - py) ** 2) / (2 * reach**2)) for px, py in places], 0)
    return Image.fromarray(np.uint8(bilinear(pixels, x - near * by[0], y - near * by[1]).round()))


def bilinear(pixels: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = pixels.shape[:2]
    x, y = np.clip(x, 0, width - 1.001), np.clip(y, 0, height - 1.001)
    left, top = x.astype(int), y.astype(int)
    across, down = (x - left)[..., None], (y - top)[..., None]
    above = pixels[top, left] * (1 - across) + pixels[top, left + 1] * across
    below = pixels[top + 1, left] * (1 - across) + pixels[top + 1, left + 1] * across
    return np.asarray(above * (1 - down) + below * down)


def named(by: Judge, found: Sequence[float]) -> Mapping[str, float]:
    return dict(zip(by.codes, found, strict=True))

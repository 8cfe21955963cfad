"""Strangers to every judge, and what may happen to their pictures."""

import io
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import grid_sample

from faceforge.face.found import Points
from faceforge.mer.looking import looker
from faceforge.synth import photograph, sample

FIRST = 5_100_000  # no recipe trains on these
SIZE = 256
BROWS, MOUTH_CORNERS = tuple(range(17, 27)), (48, 54)


@cache
def taken(number: int, **aus: float) -> Image.Image:
    """Somebody who looks ahead, with some action units; all else is the same whatever they are."""
    sitting = sample(FIRST + number, aus=aus, yaw_deg=4.0, pitch_deg=0.0, roll_deg=2.0)
    return Image.fromarray(photograph([replace(sitting, occluder=None)], SIZE)[0].image)


def at_rest(count: int = 3) -> list[Image.Image]:
    return [taken(number) for number in range(count)]


def brighter(image: Image.Image, factor: float) -> Image.Image:
    return Image.fromarray(np.clip(np.asarray(image, np.float32) * factor, 0, 255).astype(np.uint8))


def compressed(image: Image.Image, quality: int = 90) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def turned(image: Image.Image, degrees: float = 3.0, pixels: float = 3.0) -> Image.Image:
    """Turned about its middle and moved to the right."""
    return image.rotate(degrees, Image.Resampling.BICUBIC, translate=(round(pixels), 0))


def raised(image: Image.Image, points: tuple[int, ...], share: float) -> Image.Image:
    """The skin around some landmarks moved up by a share of the eye distance, less and less farther away."""
    face = looker().look(image).face
    return _moved(image, face.landmarks[list(points)], share * face.eye_distance, 0.18 * face.eye_distance)


def _moved(image: Image.Image, places: Points, up: float, reach: float) -> Image.Image:
    y, x = np.mgrid[: image.height, : image.width] + 0.5
    near = np.stack([np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * reach**2)) for px, py in places]).max(0)
    grid = np.stack([2 * x / image.width - 1, 2 * (y + up * near) / image.height - 1], -1)
    pixels = torch.from_numpy(np.array(image, np.float32)).permute(2, 0, 1)[None]
    there = grid_sample(pixels, torch.from_numpy(grid).float()[None], "bilinear", "border", align_corners=False)
    return Image.fromarray(there[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy())

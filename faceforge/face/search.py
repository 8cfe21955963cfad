"""Where to look for faces in a picture of any size, and which findings are the same face."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceforge.face.found import Points

Pixels = NDArray[np.uint8]

LOOKED_AT = 512  # pixels a window is shrunk to at most
LONGEST = 2048  # larger pictures are searched as if they had this side: the memory and the time are bounded
_PLAIN = 512  # pictures up to this side are seen at once
_TILES = (800, 400)  # sides of the squares that are looked at besides, of a picture as searched
_STEP = 0.75  # of a side
_SAME = 0.3  # overlap of boxes


class _Meshed(Protocol):
    @property
    def mesh(self) -> Points: ...


Found = TypeVar("Found", bound=_Meshed)


@dataclass(frozen=True)
class Window:
    """A rectangle of whole pixels; it may reach beyond the picture."""

    left: int
    top: int
    width: int
    height: int

    @classmethod
    def around(cls, points: Points, times: float) -> "Window":
        """The square about points (N, 2), so many times as large as their box."""
        low, high = points.min(0), points.max(0)
        side = max(8, round(float((high - low).max()) * times))
        left, top = np.round((low + high) / 2 - side / 2).astype(int)
        return cls(int(left), int(top), side, side)


def windows(image: Pixels) -> Iterator[Window]:
    """The whole picture, then squares of two sizes that overlap by a quarter."""
    height, width = image.shape[:2]
    yield Window(0, 0, width, height)
    unit = max(1.0, max(height, width) / LONGEST)
    for tile in _TILES:
        side = round(tile * unit)
        if max(height, width) > max(_PLAIN, side):
            yield from (Window(x, y, side, side) for y in _starts(height, side) for x in _starts(width, side))


def _starts(length: int, side: int) -> list[int]:
    count = 1 if length <= side else int(np.ceil((length - side) / (side * _STEP))) + 1
    return [round(each) for each in np.linspace(0, max(0, length - side), count)]


def piece(image: Pixels, window: Window) -> tuple[Pixels, float]:
    """A window's pixels, black beyond the picture, at most LOOKED_AT a side, and how much they were scaled."""
    height, width = image.shape[:2]
    right, bottom = window.left + window.width, window.top + window.height
    part = image[max(0, window.top) : max(0, bottom), max(0, window.left) : max(0, right)]
    around = ((max(0, -window.top), max(0, bottom - height)), (max(0, -window.left), max(0, right - width)))
    if any(max(each) for each in around):
        part = np.pad(part, (*around, (0, 0)))
    longest = max(part.shape[:2])
    if longest <= LOOKED_AT:
        return part, 1.0
    return _shrunk(part, LOOKED_AT / longest), LOOKED_AT / longest


def _shrunk(part: Pixels, scale: float) -> Pixels:
    height, width = part.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    factor = int(0.5 / scale)
    if factor > 1:  # means of blocks first: Pillow would copy a large picture
        rows, columns = height // factor * factor, width // factor * factor
        blocks = part[:rows, :columns].reshape(height // factor, factor, width // factor, factor, 3)
        part = blocks.mean((1, 3), dtype=np.float32).astype(np.uint8)
        box = (0.0, 0.0, width / factor, height / factor)
        box = (0.0, 0.0, min(box[2], part.shape[1]), min(box[3], part.shape[0]))
        return np.asarray(Image.fromarray(part).resize(size, Image.Resampling.BILINEAR, box))
    return np.asarray(Image.fromarray(np.ascontiguousarray(part)).resize(size, Image.Resampling.BILINEAR))


def distinct(found: Iterable[Found], near: Any = None) -> list[Found]:
    """Findings of different faces, the earliest of each; only of one known face where `near` says which."""
    kept: list[Found] = []
    for each in found:
        wanted = near is None or overlap(each.mesh, near.mesh) > _SAME
        if wanted and not any(overlap(each.mesh, other.mesh) > _SAME for other in kept):
            kept.append(each)
    return kept


def overlap(first: Points, second: Points) -> float:
    """Intersection over union of the boxes of points."""
    low = np.maximum(first.min(0), second.min(0))[:2]
    high = np.minimum(first.max(0), second.max(0))[:2]
    shared = float(np.prod(np.maximum(0.0, high - low)))
    areas = [float(np.prod((each.max(0) - each.min(0))[:2])) for each in (first, second)]
    return shared / max(1e-9, sum(areas) - shared)

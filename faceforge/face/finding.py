"""Which faces are in a picture, whoever finds them."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceforge.errors import FaceForgeError, MissingPackage
from faceforge.face.found import Face

Pixels = NDArray[np.uint8]


class Finder(Protocol):
    """Something that finds faces in pictures."""

    name: str

    def find(self, image: Pixels) -> list[Face]:
        """All faces in an RGB picture (height, width, 3)."""


def find_faces(image: Image.Image | Pixels, *, backend: Finder | None = None) -> list[Face]:
    """The faces of a picture, the one with the largest area first; none is an empty list."""
    pixels = np.ascontiguousarray(image.convert("RGB") if isinstance(image, Image.Image) else image)
    faces = (backend or default_finder()).find(pixels)
    return sorted(faces, key=_area, reverse=True)


def default_finder() -> Finder:
    """MediaPipe where it and its file are at hand, and the embedded finder otherwise."""
    from faceforge.face.mediapipe import MediaPipeFinder

    try:
        return MediaPipeFinder()
    except FaceForgeError as without:
        try:
            from importlib import import_module

            finder: Finder = import_module("faceforge.face.embedded").EmbeddedFinder()
            return finder
        except ImportError:
            raise MissingPackage(str(without)) from without


def _area(face: Face) -> float:
    left, top, right, bottom = face.box
    return (right - left) * (bottom - top)

"""Which faces are in a picture, whoever finds them."""

from functools import cache
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceforge.errors import BadSpec, HubError, MissingPackage, NoFace, nearest
from faceforge.face.found import Face
from faceforge.io.pictures import read_picture

Pixels = NDArray[np.uint8]


class Finder(Protocol):
    """Something that finds faces in pictures."""

    name: str

    def find(self, image: Pixels) -> list[Face]:
        """All faces in an RGB picture (height, width, 3), in any order."""


def find_faces(image: Image.Image | Pixels, *, backend: Finder | None = None) -> list[Face]:
    """The faces of a picture, the one with the largest area first; an empty list where there is none."""
    pixels = np.asarray(read_picture(image).image if isinstance(image, Image.Image) else image)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        pixels = np.asarray(read_picture(pixels).image)  # grey becomes RGB, anything else is refused there
    return sorted((backend or default_finder()).find(pixels), key=lambda face: -face.area)


def named_finder(name: str | None) -> Finder:
    """A finder by name; without one the default."""
    if name is None:
        return default_finder()
    if name == "mediapipe":
        from faceforge.face.mediapipe import MediaPipeFinder

        return MediaPipeFinder()
    embedded = _embedded() if name == "embedded" else None
    if embedded is None:
        raise BadSpec(f"There is no finder {name!r}. {nearest(name, ('mediapipe', 'embedded'))}")
    return embedded


@cache
def default_finder() -> Finder:
    """MediaPipe where it is installed and its file can be had, and the embedded finder otherwise."""
    from faceforge.face.mediapipe import MediaPipeFinder

    try:
        return MediaPipeFinder()
    except (MissingPackage, HubError) as without:
        finder = _embedded()
        if finder is None:
            raise without
        return finder


def _embedded() -> Finder | None:
    from importlib import import_module
    from importlib.util import find_spec

    if find_spec("faceforge.face.embedded") is None:
        return None
    finder: Finder = import_module("faceforge.face.embedded").EmbeddedFinder()
    return finder


def choose(faces: list[Face], which: int | Literal["all"] = 1) -> list[Face]:
    """The face of a number, counted from 1 by area, or all of them; never none."""
    if not faces:
        raise NoFace(
            "No face was found in this picture. Give one where a face is seen from the front and not too small."
        )
    if which == "all":
        return faces
    if isinstance(which, bool) or not isinstance(which, int) or not 1 <= which <= len(faces):
        have = "1 face" if len(faces) == 1 else f"{len(faces)} faces"
        raise NoFace(
            f"There is no face {which!r}: {have} found. Give a number from 1 (the largest) to {len(faces)}, or 'all'."
        )
    return [faces[which - 1]]

"""One face of each picture, found once however many judges look."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceforge.errors import BadPicture, NoFace
from faceforge.face.finding import Finder, find_faces, named_finder
from faceforge.face.found import Face
from faceforge.io.files import sha256

_KEPT = 16


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture and its largest face."""

    image: Image.Image
    pixels: NDArray[np.uint8]  # (H, W, 3)
    face: Face


class Looker:
    """Looks at pairs of pictures, and remembers the last few faces."""

    def __init__(self, finder: Finder) -> None:
        self.finder = finder
        self._kept: OrderedDict[str, Face | None] = OrderedDict()

    def pair(self, source: Image.Image, edited: Image.Image) -> tuple[Seen, Seen]:
        """Both pictures with their faces; refused where they have two sizes, or where one shows no face."""
        if source.size != edited.size:
            raise BadPicture(
                f"Source and edit have two sizes, {source.size} and {edited.size} (width, height). "
                f"Give the edit in the size of its source."
            )
        return self.look(source, "source"), self.look(edited, "edited picture")

    def look(self, image: Image.Image, what: str = "picture") -> Seen:
        """The picture with its largest face."""
        pixels = np.asarray(image.convert("RGB"))
        key = sha256(f"{pixels.shape}".encode() + pixels.tobytes())
        if key not in self._kept:
            faces = find_faces(pixels, backend=self.finder)
            self._kept[key] = faces[0] if faces else None
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        face = self._kept[key]
        if face is None:
            raise NoFace(f"No face was found in the {what}, so no change of one can be judged. Give a clear face.")
        return Seen(image, pixels, face)

    def forget(self) -> None:
        """Find every face anew."""
        self._kept.clear()


def looker(finder: str = "embedded") -> Looker:
    """The one that all judges share; the embedded finder, so that a score is the same wherever it is computed."""
    return _looker(finder)


@cache
def _looker(finder: str) -> Looker:
    return Looker(named_finder(finder))

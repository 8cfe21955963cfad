"""A judge that others trained on real people: MediaPipe's blendshapes, read as action units."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from faceforge.face.mediapipe import MODEL
from faceforge.face.readings import action_units
from faceforge.mer.judges import Facts
from faceforge.mer.looking import looker


class BlendshapeJudge:
    """The difference of two readings, each of a single picture; the map to units is that of `face.readings`."""

    codes = tuple(action_units({}))

    def __init__(self) -> None:
        self._looker = looker("mediapipe")
        self.facts = Facts("blendshapes", finder="mediapipe", weights=MODEL.sha256)

    def delta(self, source: Image.Image, edited: Image.Image) -> Sequence[float]:
        before, after = (each.face.aus or {} for each in self._looker.pair(source, edited))
        return [after[code] - before[code] for code in self.codes]

"""A judge that others trained on real people: MediaPipe's blendshapes, read as action units."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image

from faceforge.face.calibration import READ, UNITS, calibration
from faceforge.face.mediapipe import MODEL
from faceforge.mer.agreement import Numbers
from faceforge.mer.judges import Facts
from faceforge.mer.looking import looker

_NOISE = 0.2  # FACS units: deviation of a reading's change where nothing changed
_USUAL = 2.0  # FACS units: deviation of a change


class BlendshapeJudge:
    """The changes behind two readings, each of a single picture.

    A reading is cautious: as people differ at rest, what it says of a unit grows by less than the unit does, and a
    little with other units. Of one person's change neither is wanted, and both are taken out.
    """

    codes = UNITS

    def __init__(self) -> None:
        self._looker = looker("mediapipe")
        self.facts = Facts("blendshapes", finder="mediapipe", weights=MODEL.sha256)

    def delta(self, source: Image.Image, edited: Image.Image) -> Sequence[float]:
        before, after = (each.face.aus or {} for each in self._looker.pair(source, edited))
        return [float(each) for each in _solver() @ [after[code] - before[code] for code in self.codes]]


@cache
def _solver() -> Numbers:
    """(K, K): ridge regression on how readings follow single units."""
    response = calibration("mediapipe").response[READ]
    trust = (_NOISE / _USUAL) ** 2
    return np.asarray(np.linalg.solve(response.T @ response + trust * np.eye(len(UNITS)), response.T))

"""What is likely before a picture is seen: average people, faces at rest, heads upright, cameras near by."""

from dataclasses import dataclass

import numpy as np

from faceforge.aus import unsided
from faceforge.face3d.embedded.expression import EXPRESSIONS
from faceforge.face3d.embedded.traits import LIMIT
from faceforge.face3d.fitting.unknowns import COUNT, DISTANCE, FORM, GAZE, JAW, LIDS, MOVES, POSE, Frame, Numbers

TRAIT_DEVIATION = 0.9  # as people are sampled for portraits
NEAREST_CM, FARTHEST_CM = 45.0, 220.0
WIDEST = 1.0  # half the picture's shorter side over the focal length, beyond which no photograph is taken
_SPARSE = 5.5  # what a unit at full intensity costs
_SIDED = 0.04  # how far the halves of a unit differ
_TOGETHER = ("AU17", "AU25")  # have no sides to speak of


@dataclass(frozen=True)
class Priors:
    """Half a quadratic form about a middle, a slope, and bounds; all over the unknowns."""

    middle: Numbers  # (COUNT,)
    form: Numbers  # (COUNT, COUNT)
    slope: Numbers  # (COUNT,)
    low: Numbers
    high: Numbers

    def cost(self, x: Numbers) -> float:
        off = x - self.middle
        return float(off @ self.form @ off / 2 + self.slope @ x)

    def gradient(self, x: Numbers) -> Numbers:
        found: Numbers = self.form @ (x - self.middle) + self.slope
        return found


def priors(frame: Frame, scale: float) -> Priors:
    """For a face of so many pixels per centimetre."""
    middle, deviation = np.zeros(COUNT), np.full(COUNT, np.inf)
    low, high = np.full(COUNT, -np.inf), np.full(COUNT, np.inf)
    deviation[POSE] = np.radians([25.0, 12.0, 15.0])
    nearest = max(NEAREST_CM, min(frame.size) / 2 / WIDEST / scale)
    farthest = max(FARTHEST_CM, 2 * nearest)
    low[DISTANCE], high[DISTANCE] = np.log(nearest), np.log(farthest)
    middle[DISTANCE], deviation[DISTANCE] = (low[DISTANCE] + high[DISTANCE]) / 2, 0.45
    deviation[GAZE] = np.radians([8.0, 14.0, 8.0, 14.0])
    deviation[FORM], low[FORM], high[FORM] = TRAIT_DEVIATION, -LIMIT, LIMIT
    low[JAW], high[JAW], deviation[JAW] = 0.0, 0.6, 0.3
    low[MOVES], high[MOVES], deviation[MOVES] = 0.0, 1.0, 1.0
    low[LIDS], high[LIDS], deviation[LIDS] = 0.0, 1.0, 1.0
    slope = np.zeros(COUNT)
    slope[MOVES], slope[LIDS], slope[JAW] = _SPARSE / 2, _SPARSE / 2, _SPARSE / 0.26
    return Priors(middle, np.diag(deviation**-2.0) + _halves(), slope, low, high)


def kept(found: Priors, x: Numbers, at: slice, deviation: float | Numbers) -> Priors:
    """The same, but some unknowns stay near what they are."""
    middle, form = found.middle.copy(), found.form.copy()
    middle[at] = x[at]
    index = np.arange(COUNT)[at]
    form[index, index] = np.asarray(deviation) ** -2.0
    return Priors(middle, form, found.slope, found.low, found.high)


def _halves() -> Numbers:
    """The two sides of a unit, of the lids and of the gaze tend to agree."""
    form = np.zeros((COUNT, COUNT))

    def tie(first: int, second: int, deviation: float) -> None:
        for one, other in ((first, second), (second, first)):
            form[one, one] += deviation**-2
            form[one, other] -= deviation**-2

    for index in range(0, len(EXPRESSIONS), 2):
        firm = unsided(EXPRESSIONS[index]) in _TOGETHER
        tie(MOVES.start + index, MOVES.start + index + 1, 0.02 if firm else _SIDED)
    tie(LIDS.start, LIDS.start + 1, _SIDED)
    tie(GAZE.start, GAZE.start + 2, np.radians(1.5))
    tie(GAZE.start + 1, GAZE.start + 3, np.radians(3.0))
    return form

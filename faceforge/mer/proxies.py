"""Judges in closed form: how the points of a face moved, explained by how the embedded head's units would move them.

They learn nothing and need no weights. One sees motion as landmarks show it, the other as optical flow does. Units that
hardly move a landmark, such as AU6, they hardly see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from PIL import Image

from faceforge.aus import ORDERS
from faceforge.face.found import Points
from faceforge.mer.agreement import Numbers
from faceforge.mer.flow import DEFAULT, backend, flow_between
from faceforge.mer.framing import SIDE, frame
from faceforge.mer.judges import Facts
from faceforge.mer.looking import Seen, looker
from faceforge.mer.presets import STABLE, head_motion, similarity

CODES = ORDERS["disfa12"]
_SEEN = slice(17, 60)  # the jaw's outline slides along the skin, and teeth appear between the inner lips
_AT = 2.0  # FACS units at which a unit's effect is measured
_NOISE = 0.012  # eye distances: deviation of a point that nothing moved
_USUAL = 2.0  # FACS units: deviation of a change
_NEAR = 0.03  # eye distances around a point over which flow is averaged

Move = Callable[[Seen, Seen], Points]  # (43, 2) in eye distances, upright


class LandmarkJudge:
    """Compares the landmarks of both pictures."""

    codes = CODES

    def __init__(self) -> None:
        self.facts = Facts("landmarks", finder="embedded")

    def delta(self, source: Image.Image, edited: Image.Image) -> Sequence[float]:
        return _both_ways(_by_landmarks, *looker().pair(source, edited))


class FlowJudge:
    """Follows the landmarks of one picture into the other by optical flow."""

    codes = CODES

    def __init__(self, flow: str = DEFAULT) -> None:
        self._flow = backend(flow)
        self.facts = Facts("flow", finder="embedded", flow=self._flow.name, preset="points")

    def delta(self, source: Image.Image, edited: Image.Image) -> Sequence[float]:
        return _both_ways(self._by_flow, *looker().pair(source, edited))

    def _by_flow(self, source: Seen, edited: Seen) -> Points:
        crop = frame(source.face)
        before, after = (np.asarray(crop.cut(each.image)) for each in (source, edited))
        flow = flow_between(before, after, self._flow)
        points = crop.to_crop(source.face.landmarks)
        eye = crop.scale * source.face.eye_distance
        own = flow - head_motion(flow, points, 0.04 * eye)
        return np.array([_around(own, point, _NEAR * eye) for point in points[_SEEN]]) / eye


def _by_landmarks(source: Seen, edited: Seen) -> Points:
    crop = frame(source.face)
    before, after = (crop.to_crop(each.face.landmarks) for each in (source, edited))
    a, b, right, down = similarity(after[list(STABLE)], before[list(STABLE)])
    aligned = after @ np.array([[a, b], [-b, a]]) + (right, down)
    return np.asarray((aligned - before)[_SEEN] / (crop.scale * source.face.eye_distance))


def _both_ways(move: Move, source: Seen, edited: Seen) -> list[float]:
    """Half of the way there less the way back: exactly antisymmetric, and exactly 0 between equal pictures."""
    forth, back = (_explained(move(*pair)) for pair in ((source, edited), (edited, source)))
    return [float(each) for each in (forth - back) / 2]


def _explained(moved: Points) -> Numbers:
    """The likeliest changes (K,) in FACS units behind the motion of 43 points."""
    return np.asarray(_solver() @ moved.ravel())


@cache
def _solver() -> Numbers:
    """(K, 86): ridge regression on the effects of single units."""
    effects = _effects().reshape(len(CODES), -1)
    trust = (_NOISE / _USUAL) ** 2
    return np.asarray(np.linalg.solve(effects @ effects.T + trust * np.eye(len(CODES)), effects))


def _effects() -> Numbers:
    """(K, 43, 2): how far one FACS unit moves each point of the mean head seen from the front, in eye distances."""
    import torch

    from faceforge.face3d.embedded.model import EmbeddedHead

    head = EmbeddedHead()
    each = [head.from_aus({code: _AT} if code else {}) for code in ("", *CODES)]
    stacked = {name: torch.cat([getattr(one, name) for one in each]) for name in ("expression", "jaw", "eyelids")}
    points = head.landmarks68(head(replace(each[0], **stacked)))[..., :2].numpy() * (1, -1)
    eye = np.hypot(*(points[0, 42:48].mean(0) - points[0, 36:42].mean(0)))
    return np.asarray((points[1:] - points[:1])[:, _SEEN] / (eye * _AT))


def _around(flow: Numbers, point: Points, radius: float) -> Points:
    """The mean motion (2,) about a place."""
    reach = int(np.ceil(radius))
    x, y = (int(np.clip(each, reach, SIDE - 1 - reach)) for each in point)
    return np.asarray(flow[:, y - reach : y + reach + 1, x - reach : x + reach + 1].mean((1, 2)))

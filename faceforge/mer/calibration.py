"""What makes a judge's numbers comparable: its noise on pictures without an edit, requests within reach, and one
monotone map for judges whose numbers are no intensities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faceforge.mer.agreement import Numbers

LEAST = 0.5  # FACS units that count as a change, however quiet a judge is
FACES = 200  # from which a noise floor can be trusted
FULL = 5.0  # the strongest intensity of FACS


@dataclass(frozen=True)
class Null:
    """What a judge says of edits of nothing: `offsets` (N, K), one row per face."""

    offsets: Numbers

    @property
    def noise(self) -> Numbers:
        """Standard deviation (K,) over faces; 0 where no face was judged."""
        known = self.offsets[~np.isnan(self.offsets).any(1)]
        return known.std(0, ddof=1) if len(known) > 1 else np.zeros(self.offsets.shape[1])

    def tau(self, least: float = LEAST) -> Numbers:
        """The change (K,) from which a unit counts as moved."""
        return np.maximum(least, 2 * self.noise)


def within_reach(requested: Numbers, present: Numbers) -> tuple[Numbers, int]:
    """Requests (N, K) cut so that present intensities (N, K) stay within 0..5, and how many were cut.

    An intensity that is not known (NaN) cuts nothing.
    """
    low = np.where(np.isnan(present), -np.inf, -present)
    high = np.where(np.isnan(present), np.inf, FULL - present)
    cut = np.clip(requested, np.minimum(low, 0), np.maximum(high, 0))
    return cut, int((cut != requested).sum())


@dataclass(frozen=True)
class Monotone:
    """A map that never falls, piecewise linear between knots and constant beyond them."""

    x: Numbers
    y: Numbers

    @classmethod
    def fitted(cls, x: Numbers, y: Numbers) -> Monotone:
        """The isotonic least-squares fit, by pooling adjacent violators."""
        known = ~np.isnan(x + y)
        if not known.any():
            return cls(np.zeros(1), np.zeros(1))
        places, where = np.unique(x[known], return_inverse=True)
        weights = np.bincount(where).astype(np.float64)
        heights = _pooled(np.bincount(where, y[known]) / weights, weights)
        return cls(places, heights)

    def __call__(self, x: Numbers) -> Numbers:
        return np.asarray(np.where(np.isnan(x), np.nan, np.interp(x, self.x, self.y)))


def as_intensities(requested: Numbers, detected: Numbers, identities: Sequence[str]) -> Numbers:
    """Detections (N, K) in the units of requests: each half of the identities is mapped as the other half teaches.

    With one identity there is nobody to learn from, and all are NaN.
    """
    people = sorted(set(identities))
    second = np.isin(identities, people[1::2])
    mapped = np.full_like(detected, np.nan)
    if second.any():
        for half in (second, ~second):
            teach = Monotone.fitted(detected[~half].ravel(), requested[~half].ravel())
            mapped[half] = teach(detected[half])
    return mapped


def _pooled(heights: Numbers, weights: Numbers) -> Numbers:
    blocks: list[tuple[float, float, int]] = []
    for height, weight in zip(heights.tolist(), weights.tolist(), strict=True):
        count = 1
        while blocks and blocks[-1][0] >= height:
            before, mass, length = blocks.pop()
            height = (before * mass + height * weight) / (mass + weight)
            weight, count = weight + mass, count + length
        blocks.append((height, weight, count))
    return np.repeat([each[0] for each in blocks], [each[2] for each in blocks])

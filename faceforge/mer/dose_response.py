"""What one unit more does: curves of detected change over requested dose, of one face and one action unit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faceforge.mer.agreement import Numbers

LEAST = 3  # doses from which a curve is one


@dataclass(frozen=True)
class Curve:
    """Facts of one sweep; NaN where there is none, such as the order of a response that never changes."""

    spearman: float
    monotone: float  # share of steps that increase
    slope: float
    r2: float
    saturation: float  # the first dose from 0 upwards after which the step is below the threshold


def curve(doses: Sequence[float], responses: Sequence[float], tau: float = math.nan) -> Curve:
    """Facts of responses to doses; responses that are NaN are left out."""
    known = [(d, r) for d, r in zip(doses, responses, strict=True) if not math.isnan(r)]
    if len({dose for dose, _ in known}) < LEAST:
        return Curve(*[math.nan] * 5)
    dose, response = np.array(sorted(known), np.float64).T
    steps = np.diff(response)
    slope, r2 = _line(dose, response)
    return Curve(spearman(dose, response), float((steps > 0).mean()), slope, r2, _saturation(dose, steps, tau))


def spearman(left: Numbers, right: Numbers) -> float:
    """The correlation of ranks; ties share theirs."""
    return _correlation(_ranks(left), _ranks(right))


def _line(dose: Numbers, response: Numbers) -> tuple[float, float]:
    apart = dose - dose.mean()
    slope = float((apart * (response - response.mean())).sum() / (apart**2).sum())
    return slope, _correlation(dose, response) ** 2


def _saturation(dose: Numbers, steps: Numbers, tau: float) -> float:
    flat = dose[:-1][(dose[:-1] >= 0) & (steps < tau)]
    return float(flat[0]) if len(flat) else math.nan


def _correlation(left: Numbers, right: Numbers) -> float:
    x, y = left - left.mean(), right - right.mean()
    spread = math.sqrt(float((x * x).sum() * (y * y).sum()))
    constant = left.min() == left.max() or right.min() == right.max()
    return math.nan if constant or spread == 0 else float((x * y).sum() / spread)


def _ranks(values: Numbers) -> Numbers:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[which].astype(np.float64)

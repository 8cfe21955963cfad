"""How well detected changes agree with requested ones, per action unit; NaN is 'not judged' going in and 'undefined'
coming out, never 0. Requests and detections are (N, K): N edits, K units."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def mean(values: Numbers, axis: int | None = 0) -> Any:
    """The mean of what is defined; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis)
    total = np.where(known, values, 0.0).sum(axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def mse(requested: Numbers, detected: Numbers) -> Numbers:
    return np.asarray(mean((detected - requested) ** 2))


def mae(requested: Numbers, detected: Numbers) -> Numbers:
    return np.asarray(mean(np.abs(detected - requested)))


def bias(requested: Numbers, detected: Numbers) -> Numbers:
    """How much more is detected than requested, on average."""
    return np.asarray(mean(detected - requested))


def pcc(requested: Numbers, detected: Numbers) -> Numbers:
    """Pearson's correlation; undefined where either is constant."""
    r, d = _judged(requested, detected)
    r_apart, d_apart = r - mean(r), d - mean(d)
    spread = np.sqrt(mean(r_apart**2) * mean(d_apart**2))
    return _where(_varies(r) & _varies(d), mean(r_apart * d_apart), spread)


def icc(requested: Numbers, detected: Numbers) -> Numbers:
    """ICC(3,1), consistency form, of request and detection as two raters; undefined where the request is constant."""
    r, d = _judged(requested, detected)
    between, within = 2 * _variance((r + d) / 2), _variance(d - r) / 2
    return _where(_varies(r), between - within, between + within)


def signed_f1(requested: Numbers, detected: Numbers, tau: Numbers | float) -> Numbers:
    """F1 of changes beyond tau; the wrong direction is both a false alarm and a miss. Undefined without any change."""
    r, d = _judged(requested, detected)
    asked, seen = np.abs(r) > tau, np.abs(d) > tau
    right = asked & seen & (r * d > 0)
    hits = right.sum(0)
    return _where(np.ones(hits.shape, bool), 2.0 * hits, (asked.sum(0) + seen.sum(0)).astype(float))


def _judged(requested: Numbers, detected: Numbers) -> tuple[Numbers, Numbers]:
    known = ~np.isnan(requested + detected)
    return np.where(known, requested, np.nan), np.where(known, detected, np.nan)


def _varies(values: Numbers) -> NDArray[np.bool_]:
    low = np.where(np.isnan(values), np.inf, values).min(0, initial=np.inf)
    high = np.where(np.isnan(values), -np.inf, values).max(0, initial=-np.inf)
    return np.asarray(high > low)


def _variance(values: Numbers) -> Numbers:
    count = (~np.isnan(values)).sum(0)
    return np.asarray(mean((values - mean(values)) ** 2) * count / np.maximum(count - 1, 1))


def _where(defined: NDArray[np.bool_], over: Numbers, under: Numbers) -> Numbers:
    fine = defined & (under > 0)
    return np.where(fine, over / np.where(fine, under, 1.0), np.nan)

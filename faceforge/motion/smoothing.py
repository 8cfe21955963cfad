"""Numbers over time: gaps filled, and shaking taken out, shot by shot."""

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import NoFace

Numbers = NDArray[np.float64]
_REACH = 3.0  # widths of the bell at which neighbours no longer count
_FEWEST = 4  # neighbours through which a curve says more than the values themselves


def filled(times: Numbers, values: Numbers, seen: NDArray[np.bool_], shots: NDArray[np.int64]) -> Numbers:
    """Values (F, N) with straight lines over the frames that were not seen; a shot's ends keep what is nearest."""
    if not seen.any():
        raise NoFace("No face was found in any frame. Give a video in which a face is seen from the front.")
    found = np.array(values, np.float64)
    for shot in np.unique(shots):
        here = shots == shot
        known = here & seen if (here & seen).any() else seen
        for column in range(found.shape[1]):
            found[here & ~seen, column] = np.interp(times[here & ~seen], times[known], found[known, column])
    return found


def smoothed(times: Numbers, values: Numbers, shots: NDArray[np.int64], seconds: float) -> Numbers:
    """Values (F, N), each from a parabola through its neighbours in time, which count less the farther they are.

    A parabola keeps the height of a blink or a nod, where a mean would flatten it (Savitzky and Golay, 1964).
    """
    if seconds <= 0:
        return np.array(values, np.float64)
    found = np.array(values, np.float64)
    for shot in np.unique(shots):
        index = np.flatnonzero(shots == shot)
        for row in index:
            away = (times[index] - times[row]) / seconds
            near = np.abs(away) <= _REACH
            if near.sum() < _FEWEST:
                continue
            weight = np.exp(-(away[near] ** 2) / 4)  # the root of the bell, as squares are summed
            powers = np.stack([np.ones(near.sum()), away[near], away[near] ** 2], 1) * weight[:, None]
            # About the value itself: what stands still stays the same to the last digit.
            off = (values[index[near]] - values[row]) * weight[:, None]
            found[row] = values[row] + np.linalg.lstsq(powers, off, rcond=None)[0][0]
    return found

"""Where finders of faces put the 68 landmarks against the head's own, and how far they scatter about that."""

from dataclasses import dataclass

import numpy as np

from faceforge.face3d.fit_unknowns import Numbers

EXACT = "synth"  # the landmarks of a synthetic portrait are the head's own
_REGIONS = {"jaw": slice(0, 17), "brows": slice(17, 27), "nose": slice(27, 36), "eyes": slice(36, 48),
            "mouth": slice(48, 68), "irises": slice(68, 70)}  # fmt: skip
_SCATTER = {"jaw": 0.08, "brows": 0.04, "nose": 0.035, "eyes": 0.018, "mouth": 0.025, "irises": 0.02}
_OFFSETS: dict[str, tuple[tuple[float, float], ...]] = {}


@dataclass(frozen=True)
class Finder:
    """Shares of the eye distance along the eyes' line and down from it: offsets (70, 2), deviations (70,)."""

    offset: Numbers
    deviation: Numbers


def finder(backend: str) -> Finder:
    """What is known of a backend; an unknown one is taken to be as good as MediaPipe, without its habits."""
    offset, deviation = np.zeros((70, 2)), np.zeros(70)
    if backend == EXACT:
        return Finder(offset, np.full(70, 0.006))
    for region, where in _REGIONS.items():
        deviation[where] = _SCATTER[region]
    if backend in _OFFSETS:
        offset[:68] = np.array(_OFFSETS[backend]) / 1000
    return Finder(offset, deviation)

"""Where finders of faces put the 68 landmarks against the head's own, and how far they scatter about that."""

from dataclasses import dataclass

import numpy as np

from faceforge.face3d.fitting.unknowns import Numbers

EXACT = "synth"  # the landmarks of a synthetic portrait are the head's own
_ROUNDING = (0.01, 0.03)  # all but the jaw's, and the jaw's, which jump from column to column as the head turns

# Thousandths of the eye distance, along the line from the right eye to the left and down from it: 68 landmarks, the
# left and the right iris. Medians over 96 synthetic people at rest, seen from the front in studio light, both halves
# of the face averaged; MediaPipe's points are the nearest of its 478 to iBUG's, as `benchmarks/landmarker.py` has them.
_MEDIAPIPE = (
    (-15, -75), (-7, 9), (-10, -8), (-9, -10), (3, 50), (-23, -6), (6, -57), (22, -31), (0, -30),
    (-22, -31), (-6, -57), (23, -6), (-3, 50), (9, -10), (10, -8), (7, 9), (15, -75), (-59, -43),
    (22, 12), (3, 10), (3, 8), (0, -16), (0, -16), (-3, 8), (-3, 10), (-22, 12), (59, -43), (0, 29),
    (0, 4), (0, 3), (0, -34), (31, -10), (-15, 38), (0, -11), (15, 38), (-31, -10), (29, -16), (-28,
    -11), (-6, -17), (14, 5), (17, -8), (-4, -7), (-14, 5), (6, -17), (28, -11), (-29, -16), (4,
    -7), (-17, -8), (-4, -9), (16, 6), (-5, 10), (0, 6), (5, 10), (-16, 6), (4, -9), (3, -12), (6,
    -4), (0, -7), (-6, -4), (-3, -12), (-15, -10), (6, -11), (0, -14), (-6, -11), (15, -10), (-5,
    12), (0, 11), (5, 12), (-5, -5), (5, -5),
)  # fmt: skip

# How far landmarks scatter about that, as a share of the eye distance: measured on the same people (.024 .014 .018 .010
# .010 .008), and half as much again for expressions and turned heads.
_SCATTER = {
    "jaw": (slice(0, 17), 0.040), "brows": (slice(17, 27), 0.022), "nose": (slice(27, 36), 0.026),
    "eyes": (slice(36, 48), 0.015), "mouth": (slice(48, 68), 0.017), "irises": (slice(68, 70), 0.015),
}  # fmt: skip


@dataclass(frozen=True)
class Finder:
    """Shares of the eye distance along the eyes' line and down from it: offsets (70, 2), deviations (70,)."""

    offset: Numbers
    deviation: Numbers


def finder(backend: str) -> Finder:
    """What is known of a backend; an unknown one is taken to scatter as MediaPipe does, without its habits."""
    if backend == EXACT:
        deviation = np.full(70, _ROUNDING[0])
        deviation[:17] = _ROUNDING[1]
        return Finder(np.zeros((70, 2)), deviation)
    deviation = np.zeros(70)
    for where, scatter in _SCATTER.values():
        deviation[where] = scatter
    known = backend.startswith("mediapipe")
    return Finder(np.array(_MEDIAPIPE) / 1000 if known else np.zeros((70, 2)), deviation)

"""What is known of each finder of faces: where it puts landmarks, how it reads poses and action units, and how well."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from faceforge.face.found import Face
from faceforge.face3d.fitting.offsets import MEDIAPIPE, MEDIAPIPE_TURNED
from faceforge.face3d.fitting.unknowns import Numbers

EXACT = "synth"  # the landmarks of a synthetic portrait are the head's own
_ROUNDING = (0.01, 0.03)  # all but the jaw's, and the jaw's, which jump from column to column as the head turns
_TURNED_DEG = 30.0
_TOGETHER = 1.7  # a finder is wrong about neighbours alike, so that many points tell less than as many chances

# How far MediaPipe's landmarks scatter about their offsets, as a share of the eye distance (offsets.py says where).
_SCATTER = {
    "jaw": (slice(0, 17), 0.061), "brows": (slice(17, 27), 0.026), "nose": (slice(27, 36), 0.028),
    "eyes": (slice(36, 48), 0.021), "mouth": (slice(48, 68), 0.021), "irises": (slice(68, 70), 0.020),
}  # fmt: skip


@dataclass(frozen=True)
class AuReading:
    """How a finder answers: `base` at rest, `slopes` more for every intensity that a unit has, all but `deviation`."""

    base: float
    deviation: float
    slopes: Mapping[str, float]


# By least squares over the same portraits; what it hardly answers to is left out. AU26 stands for AU27 as well.
_MEDIAPIPE_AUS = {
    "AU1": AuReading(0.78, 0.80, {"AU1": 0.39}),
    "AU2": AuReading(0.54, 0.54, {"AU2": 0.32}),
    "AU4": AuReading(0.21, 0.47, {"AU4": 0.14, "AU43": 0.18}),
    "AU5": AuReading(0.14, 0.16, {"AU5": 0.05}),
    "AU10": AuReading(0.03, 0.32, {"AU10": 0.29, "AU9": 0.17, "AU25": 0.12}),
    "AU12": AuReading(0.16, 0.51, {"AU12": 0.91, "AU14": 0.25, "AU25": 0.14, "AU20": 0.13}),
    "AU15": AuReading(0.0, 0.22, {"AU15": 0.25}),
    "AU16": AuReading(0.0, 0.13, {"AU16": 0.07}),
    "AU17": AuReading(0.57, 0.59, {"AU17": 0.25, "AU15": 0.19}),
    "AU18": AuReading(0.13, 0.34, {"AU18": 0.22}),
    "AU20": AuReading(0.05, 0.25, {"AU20": 0.23}),
    "AU26": AuReading(0.0, 0.22, {"AU26": 0.40}),
    "AU43": AuReading(0.36, 0.50, {"AU43": 0.41}),
}


@dataclass(frozen=True)
class Finder:
    """Shares of the eye distance along the eyes' line and down from it, and degrees."""

    offset: Numbers  # (70, 2)
    turned: Numbers  # (70, 2) added per _TURNED_DEG of yaw
    deviation: Numbers  # (70,)
    pose_bias_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)  # of yaw, pitch and roll
    pose_deviation_deg: tuple[float, float, float] = (np.inf, np.inf, np.inf)
    aus: Mapping[str, AuReading] = field(default_factory=dict)

    def offsets(self, face: Face) -> Numbers:
        """Where this face's points lie from the head's, (70, 2)."""
        found: Numbers = self.offset + self.turned * np.clip(face.yaw_deg / _TURNED_DEG, -1.5, 1.5)
        return found


def finder(backend: str) -> Finder:
    """What is known of a backend; an unknown one is taken to scatter as MediaPipe does, without its habits."""
    nowhere = np.zeros((70, 2))
    if backend == EXACT:
        deviation = np.full(70, _ROUNDING[0])
        deviation[:17] = _ROUNDING[1]
        return Finder(nowhere, nowhere, deviation)
    deviation = np.zeros(70)
    for where, scatter in _SCATTER.values():
        deviation[where] = scatter * _TOGETHER
    if not backend.startswith("mediapipe"):
        return Finder(nowhere, nowhere, deviation)
    return Finder(
        offset=np.array(MEDIAPIPE) / 1000,
        turned=np.array(MEDIAPIPE_TURNED) / 1000,
        deviation=deviation,
        pose_bias_deg=(0.0, -3.7, 0.0),
        pose_deviation_deg=(1.6, 2.6, 0.9),
        aus=_MEDIAPIPE_AUS,
    )

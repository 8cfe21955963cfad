"""What is known of each finder of faces, as measured on synthetic portraits: `benchmarks/calibrate.py` makes the table.

A finder tells 70 points, three angles and perhaps action units. Each of these numbers lies away from what is true: by a
habit, which changes as the face turns and with every unit that it shows, and by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from faceforge.face.found import Face
from faceforge.io.weights import read_tensors, without_prefix

Numbers = NDArray[np.float64]

TABLE = "calibration.safetensors"
FINDERS = ("mediapipe", "embedded")
# The units in the order of the table. AU26 stands for AU27 as well, which is told in its units.
UNITS = (
    "AU1", "AU2", "AU4", "AU5", "AU6", "AU7", "AU9", "AU10", "AU12", "AU14", "AU15", "AU16", "AU17", "AU18", "AU20",
    "AU22", "AU23", "AU24", "AU25", "AU28", "AU33", "AU43", "AU26",
)  # fmt: skip
# MediaPipe's blendshapes, sides left out. Those missing stay near zero on every face, or look and shift sideways.
BLENDSHAPES = (
    "browDown", "browInnerUp", "browOuterUp", "eyeBlink", "eyeLookDown", "eyeLookUp", "eyeSquint", "eyeWide", "jawOpen",
    "mouthClose", "mouthDimple", "mouthFrown", "mouthFunnel", "mouthLowerDown", "mouthPress", "mouthPucker",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmile", "mouthStretch",
    "mouthUpperUp",
)  # fmt: skip
POINTS, ANGLES, READ = slice(0, 140), slice(140, 143), slice(143, 143 + len(UNITS))
TOLD = READ.stop


@dataclass(frozen=True, eq=False)
class Calibration:
    """Of the numbers told: POINTS in eye distances along the eyes' line and down from it, ANGLES in degrees, units.

    A finder that reads no units has infinite deviations there.
    """

    habits: Numbers  # (TOLD, 4) by what `posture` says of a face
    response: Numbers  # (TOLD, K) for each unit's intensity
    deviation: Numbers  # (TOLD,) of what is left to chance


@cache
def calibration(finder: str) -> Calibration:
    """That of a finder of FINDERS."""
    own = tensors_of(finder)
    return Calibration(**{each.name: own[each.name] for each in fields(Calibration)})


@cache
def tensors_of(name: str) -> dict[str, Numbers]:
    """What the table holds under a name."""
    with as_file(files("faceforge.assets") / TABLE) as shipped:
        tensors = read_tensors(shipped)
    own = {key: each for key, each in tensors.items() if key.startswith(f"{name}.")}
    return {key: each.double().numpy() for key, each in without_prefix(own, f"{name}.").items()}


def posture(yaw_deg: float, pitch_deg: float) -> Numbers:
    """What the habits depend on, (4,)."""
    yaw, pitch = np.clip([yaw_deg / 30.0, pitch_deg / 15.0], -1.5, 1.5)
    return np.array([1.0, yaw, yaw**2, pitch])


def told(face: Face) -> Numbers:
    """What a finder tells of a face, (TOLD,), points from the eyes' middle; NaN for what is missing."""
    right, left = face.landmarks[36:42].mean(0), face.landmarks[42:48].mean(0)
    irises = np.full((2, 2), np.nan) if face.irises is None else face.irises
    points = (np.vstack([face.landmarks, irises]) - (left + right) / 2) @ along_the_eyes(face).T
    read = [np.nan if face.aus is None else face.aus.get(unit, np.nan) for unit in UNITS]
    return np.concatenate([points.ravel(), [face.yaw_deg, face.pitch_deg, face.roll_deg], read])


def along_the_eyes(face: Face) -> Numbers:
    """Takes pixels to eye distances along the line from the right eye to the left, and down from it, (2, 2)."""
    x, y = face.landmarks[42:48].mean(0) - face.landmarks[36:42].mean(0)
    turn: Numbers = np.array([[x, y], [-y, x]]) / (x**2 + y**2)
    return turn


def blendshape_signs(blendshapes: Mapping[str, float]) -> Numbers:
    """MediaPipe's blendshapes in the order of BLENDSHAPES; by their roots, as some speak in hundredths."""

    def value(name: str) -> float:
        if name in blendshapes:
            return blendshapes[name]
        return (blendshapes.get(f"{name}Left", 0.0) + blendshapes.get(f"{name}Right", 0.0)) / 2

    return np.sqrt([value(name) for name in BLENDSHAPES])

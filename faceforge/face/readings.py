"""What MediaPipe's blendshapes say in FACS units, and where the eyes look."""

from collections.abc import Mapping

import numpy as np

from faceforge.face.calibration import UNITS, Numbers, blendshape_signs, tensors_of

FULL = 5.0
GAZE_DEG = (40.0, 25.0)  # yaw and pitch of eyes that look as far as a blendshape goes; the yaw fits portraits
_FARTHEST = 6.0  # deviations from its middle, beyond which a blendshape is no longer believed


def action_units(blendshapes: Mapping[str, float]) -> dict[str, float]:
    """The likeliest FACS intensities 0..5 behind MediaPipe's blendshapes, both sides counting alike.

    What hardly shows in them stays near what faces have on average. AU26 stands for AU27 as well.

    >>> smiling = action_units({"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9})
    >>> max(smiling, key=smiling.get)
    'AU12'
    """
    found = units_behind(blendshape_signs(blendshapes), tensors_of("units"))
    return {code: float(value) for code, value in zip(UNITS, found, strict=True)}


def units_behind(signs: Numbers, table: Mapping[str, Numbers]) -> Numbers:
    """Intensities (..., K) in the order of UNITS from signs (..., M)."""
    away = np.clip((signs - table["middle"]) / table["spread"], -_FARTHEST, _FARTHEST)
    found: Numbers = np.clip(away @ table["weights"] + table["base"], 0.0, FULL)
    return found


def gaze_deg(blendshapes: Mapping[str, float]) -> tuple[float, float]:
    """Yaw to the picture's right and pitch up of both eyes within the head.

    >>> gaze_deg({"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5})
    (20.0, 0.0)
    """

    def towards(*names: str) -> float:
        return sum(blendshapes.get(name, 0.0) for name in names) / len(names)

    across = towards("eyeLookOutLeft", "eyeLookInRight") - towards("eyeLookInLeft", "eyeLookOutRight")
    upwards = towards("eyeLookUpLeft", "eyeLookUpRight") - towards("eyeLookDownLeft", "eyeLookDownRight")
    return (GAZE_DEG[0] * across, GAZE_DEG[1] * upwards)

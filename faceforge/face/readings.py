"""What MediaPipe's blendshapes say in FACS units, and where the eyes look."""

from collections.abc import Mapping

# Its cheekSquint and noseSneer stay near zero on every face, so AU6 and AU9 cannot be read from it.
_UNITS = {
    "AU1": ("browInnerUp",),
    "AU2": ("browOuterUpLeft", "browOuterUpRight"),
    "AU4": ("browDownLeft", "browDownRight"),
    "AU5": ("eyeWideLeft", "eyeWideRight"),
    "AU7": ("eyeSquintLeft", "eyeSquintRight"),
    "AU10": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "AU12": ("mouthSmileLeft", "mouthSmileRight"),
    "AU14": ("mouthDimpleLeft", "mouthDimpleRight"),
    "AU15": ("mouthFrownLeft", "mouthFrownRight"),
    "AU16": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "AU17": ("mouthShrugLower",),
    "AU18": ("mouthPucker",),
    "AU20": ("mouthStretchLeft", "mouthStretchRight"),
    "AU22": ("mouthFunnel",),
    "AU24": ("mouthPressLeft", "mouthPressRight"),
    "AU26": ("jawOpen",),
    "AU28": ("mouthRollLower", "mouthRollUpper"),
    "AU43": ("eyeBlinkLeft", "eyeBlinkRight"),
}
FULL = 5.0
GAZE_DEG = (40.0, 25.0)  # yaw and pitch of eyes that look as far as a blendshape goes; the yaw fits portraits


def action_units(blendshapes: Mapping[str, float]) -> dict[str, float]:
    """FACS 0..5 of the units that blendshapes can tell; both sides count alike, 1 is taken for 5.

    >>> action_units({"mouthSmileLeft": 1.0, "mouthSmileRight": 0.5})["AU12"]
    3.75
    """
    return {au: FULL * sum(blendshapes.get(name, 0.0) for name in names) / len(names) for au, names in _UNITS.items()}


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

"""Where the features of each face sit. Centimetres; the origin lies between the ears."""

from dataclasses import dataclass

from torch import Tensor

from faceforge.face3d.embedded.traits import Traits

EYEBALL = 1.21  # radius
LID = EYEBALL + 0.13  # radius on which the skin of the lids slides
TMJ = (0.0, 1.0, 1.5)  # the hinge of the jaw
NECK = (0.0, -8.5, -1.5)


@dataclass(frozen=True)
class Landmarks:
    """Where the features of each face sit; every number (B, 1, 1)."""

    eye_x: Tensor
    eye_y: Tensor
    eye_z: Tensor
    eye_half: Tensor  # half the width of the lid opening
    mouth_y: Tensor
    mouth_half: Tensor
    nose_base: Tensor
    tip: Tensor
    menton: Tensor


def landmarks(t: Traits) -> Landmarks:
    """Feature positions from the traits."""
    length = 0.30 * t("nose_length")
    return Landmarks(
        eye_x=3.15 + 0.15 * t("eye_separation"),
        eye_y=3.52 + 0.18 * t("eye_height"),
        eye_z=7.80 - 0.15 * t("eye_depth"),
        eye_half=1.32 * (1 + 0.05 * t("eye_size")),
        mouth_y=-3.36 + 0.22 * t("mouth_height") - 0.4 * length - 0.15 * t("face_length"),
        mouth_half=2.48 * (1 + 0.075 * t("mouth_width")),
        nose_base=-1.12 - length,
        tip=0.42 - 0.8 * length + 0.18 * t("tip_up"),
        menton=-8.45 - 0.28 * t("chin_height") - 0.35 * t("face_length"),
    )

"""Identity as named numbers, each with one standard deviation as its unit."""

import torch
from torch import Tensor

from faceforge.errors import BadHead

TRAITS = (
    "head_width", "head_height", "face_length", "forehead_slope", "forehead_height", "temple", "brow_ridge",
    "jaw_width", "jaw_angle", "chin_forward", "chin_width", "chin_height", "chin_cleft", "double_chin", "jowl",
    "cheekbone", "cheek_full", "nasolabial", "neck_width",
    "eye_separation", "eye_size", "eye_tilt", "eye_height", "eye_open", "eye_depth", "lid_fold", "eye_bag",
    "nose_length", "nose_width", "nose_bridge", "bridge_width", "nose_hump", "tip_up", "tip_size", "tip_forward", "ala",
    "mouth_width", "mouth_height", "lip_upper", "lip_lower", "lip_forward", "cupid", "philtrum", "corner_up",
    "ear_size", "ear_out", "brow_height", "brow_arch", "asym_jaw", "asym_brow", "asym_nose", "asym_mouth", "asym_eye",
)  # fmt: skip

LIMIT = 2.5  # standard deviations; beyond it lids and lips would fold


class Traits:
    """Identities (B, I) read by name, each as (B, 1, 1) to spread over rows and columns."""

    def __init__(self, values: Tensor) -> None:
        if values.ndim != 2 or values.shape[1] != len(TRAITS):
            raise BadHead(f"An identity has {len(TRAITS)} traits per head; got shape {tuple(values.shape)}.")
        if not len(values):
            raise BadHead("An identity has no rows. Give one per head, or none at all for the average adult.")
        if not torch.isfinite(values).all():
            raise BadHead("An identity holds NaN or infinity. Give finite numbers, in standard deviations.")
        self._values = values.double().clamp(-LIMIT, LIMIT)

    def __call__(self, name: str) -> Tensor:
        return self._values[:, TRAITS.index(name), None, None]

    @property
    def values(self) -> Tensor:
        return self._values

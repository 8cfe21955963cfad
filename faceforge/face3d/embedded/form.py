"""The resting skin: the bare head, and on it brow, eyes, nose, lips, jaw and neck. Centimetres."""

from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.embedded import features, rows, skull
from faceforge.face3d.embedded.places import EYEBALL, Landmarks, landmarks
from faceforge.face3d.embedded.traits import Traits

__all__ = ["EYEBALL", "Form", "Landmarks", "landmarks", "rest"]


@dataclass(frozen=True)
class Form:
    """Resting skin positions (B, ROWS, COLUMNS, 3) and where its features sit."""

    skin: Tensor
    at: Landmarks


def rest(t: Traits) -> Form:
    """The resting skin of every identity."""
    at = landmarks(t)
    across = rows.sideways(at)
    profile = rows.heights(t, at, across)
    x, y, z, front = skull.surface(t, at, profile, across)
    z = z + front * (features.bones(t, at, x, y) + features.nose(t, at, x, y) + features.mouth(t, at, x, y))
    x = x + front * features.wings(t, at, x, y)
    z = z + front * (features.over_eyes(t, at, x, y, z) - z)
    half = torch.stack([x, y, z], -1)
    mirrored = half[:, :, 1:].flip(2) * half.new_tensor([-1.0, 1.0, 1.0])
    return Form(features.asymmetric(t, at, torch.cat([mirrored, half], 2)), at)

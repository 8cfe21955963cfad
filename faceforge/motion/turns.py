"""Turns of a head as yaw, pitch and roll in degrees: one rotation about one axis, as an EditSpec turns a head."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faceforge.face3d.skinning import axis_angles, rotations

Numbers = NDArray[np.float64]


def matrices(turns_deg: Numbers) -> Tensor:
    """Turns (F, 3) as rotations (F, 3, 3) about the picture's axes."""
    yaw, pitch, roll = torch.deg2rad(torch.from_numpy(np.array(turns_deg, np.float64))).unbind(-1)
    return rotations(torch.stack([-pitch, yaw, -roll], -1))


def turns(rotation: Tensor) -> Numbers:
    """Rotations (F, 3, 3) as turns (F, 3) in degrees."""
    x, y, z = torch.rad2deg(axis_angles(rotation.double())).unbind(-1)
    found: Numbers = torch.stack([y, -x, -z], -1).numpy()
    return found


def between(before_deg: Numbers, after_deg: Numbers) -> Numbers:
    """The turns (F, 3) that take heads from one pose to another; exactly nothing where the two are equal."""
    found = turns(matrices(after_deg) @ matrices(before_deg).mT)
    same = (np.asarray(before_deg) == after_deg).all(-1)
    found[same] = 0.0
    return found

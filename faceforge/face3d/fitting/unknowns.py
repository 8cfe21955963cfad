"""What fitting looks for, as one vector: pose, place, gaze, jaw, lids, expression, traits; centimetres and radians."""

from dataclasses import dataclass
from math import atan, degrees

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faceforge.face3d.camera import Perspective
from faceforge.face3d.embedded.expression import EXPRESSIONS
from faceforge.face3d.embedded.model import FULL, JAW_OPEN
from faceforge.face3d.embedded.traits import TRAITS
from faceforge.face3d.head import HeadParams

Numbers = NDArray[np.float64]

# Where each group of unknowns sits.
POSE = slice(0, 3)  # yaw to the picture's right, pitch up, roll clockwise
SHIFT = slice(3, 5)  # of the head's origin from the picture's middle: right, up
SCALE, DISTANCE = 5, 6  # logarithms of pixels per centimetre there, and of centimetres from the camera
GAZE = slice(7, 11)  # of the left and of the right eye: about x, about y
JAW = 11
LIDS = slice(12, 14)
MOVES = slice(14, 14 + len(EXPRESSIONS))
FORM = slice(MOVES.stop, MOVES.stop + len(TRAITS))
COUNT = FORM.stop
NECK_SHARE = 0.75  # of the yaw; the body takes the rest, as people turn towards a camera

_CM = 0.01


@dataclass(frozen=True)
class Frame:
    """The picture that points are measured in, (height, width)."""

    size: tuple[int, int]

    @property
    def middle(self) -> tuple[float, float]:
        return (self.size[1] / 2, self.size[0] / 2)


def head_params(x: Numbers) -> HeadParams:
    """The head in metres, placed before a camera at the origin that looks along -z."""
    where = torch.from_numpy(np.array(x, np.float64))
    yaw, pitch, roll = where[POSE]
    zero = torch.zeros_like(yaw)
    right, up = where[SHIFT]
    left_x, left_y, right_x, right_y = where[GAZE]
    away = where[DISTANCE].exp()
    return HeadParams(
        identity=where[FORM][None],
        expression=where[MOVES][None],
        rotation=torch.stack([zero, (1 - NECK_SHARE) * yaw, zero])[None],
        neck=torch.stack([-pitch, NECK_SHARE * yaw, -roll])[None],
        jaw=torch.stack([where[JAW], zero, zero])[None],
        eyes=torch.stack([torch.stack([left_x, left_y, zero]), torch.stack([right_x, right_y, zero])])[None],
        eyelids=where[LIDS][None],
        translation=torch.stack([right, up, -away])[None] * _CM,
    )


def camera(x: Numbers, frame: Frame) -> Perspective:
    """The camera whose field of view gives the scale at the distance."""
    focal = float(np.exp(x[SCALE] + x[DISTANCE]))
    view = torch.diag(torch.tensor([-1.0, 1.0, -1.0], dtype=torch.float64))[None]
    none = torch.zeros(1, 3, dtype=torch.float64)
    return Perspective(view, none, degrees(2 * atan(min(frame.size) / 2 / focal)))


def unknowns(params: HeadParams, seen: Perspective, frame: Frame) -> Numbers:
    """The vector of a head that `head_params` and `camera` made."""
    x = np.zeros(COUNT)
    rows = {name: value[0].double().numpy(force=True) for name, value in vars(params).items() if value is not None}
    neck, place = rows["neck"], rows["translation"] / _CM
    x[POSE] = neck[1] / NECK_SHARE, -neck[0], -neck[2]
    x[SHIFT], x[DISTANCE] = place[:2], np.log(-place[2])
    focal = min(frame.size) / 2 / np.tan(np.radians(seen.fov_deg / 2))
    x[SCALE] = np.log(focal) - x[DISTANCE]
    x[GAZE] = rows["eyes"][:, :2].ravel()
    x[JAW], x[LIDS], x[MOVES], x[FORM] = rows["jaw"][0], rows["eyelids"], rows["expression"], rows["identity"]
    return x


def aus(x: Numbers) -> dict[str, float]:
    """The expression in FACS intensities, sided where the head is; `from_aus` of it gives the same expression."""
    found = {code: FULL * float(value) for code, value in zip(EXPRESSIONS, x[MOVES], strict=True)}
    found |= {f"AU43{side}": FULL * float(value) for side, value in zip("LR", x[LIDS], strict=True)}
    dropped = min(float(x[JAW]), JAW_OPEN["AU26"])
    found["AU26"] = FULL * dropped / JAW_OPEN["AU26"]
    found["AU27"] = FULL * (float(x[JAW]) - dropped) / JAW_OPEN["AU27"]
    return {code: round(value, 3) for code, value in found.items() if value > 0.005}


def rows_of(points: Tensor) -> Numbers:
    """Points (1, N, D) as plain numbers (N, D)."""
    plain: Numbers = points[0].detach().double().numpy(force=True)
    return plain

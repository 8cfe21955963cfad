"""A head that explains a photograph: what fitting finds and the warp moves."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from faceforge.face3d.camera import Camera
from faceforge.face3d.head import HeadParams


@dataclass(frozen=True)
class HeadFit:
    """One head in one picture. Its posed vertices, through the camera, lie on the photograph's face."""

    params: HeadParams  # one row: identity, expression, joints, pose; translation places it before the camera
    camera: Camera  # its `project` gives NDC of a picture of `size`
    size: tuple[int, int]  # (height, width) of the photograph
    light: Tensor  # (1, 9, 3) harmonics in display values; axes of posed heads: x to the picture's right, y up, z out
    albedo: Tensor  # (3,) mean colour of the skin, display values in 0..1
    aus: Mapping[str, float]  # the face's own expression, FACS 0..5, sided
    error: float  # landmarks: root mean square, as a share of the eye distance
    notes: tuple[str, ...] = ()  # what the user should know of it, in plain words

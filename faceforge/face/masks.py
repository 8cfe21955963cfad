"""Masks of a face and its parts from landmarks, as float32 in 0..1 on any grid."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from faceforge.face.found import Face, Points
from faceforge.face.ibug import outline

Mask = NDArray[np.float32]
Size = tuple[int, int]  # width, height

_FINER = 4  # edges are drawn on a finer grid and averaged
_STEPS = 24  # nested outlines of a feathered mask

# MediaPipe's own line around the face, from the middle of the forehead over the subject's left.
_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152),
    *(148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
_GROWN = 0.16  # of the face's width: how far an edit may leave the present lips, lids and brows
_CHIN = 0.14  # how far below the jaw an opened one may come, of the face's height
_BROWS_UP = 0.22  # how far above the brows an edit may reach, of the way from brows to chin


def oval(face: Face) -> Points:
    """The line around a face (N, 2): MediaPipe's where there is a mesh, otherwise the jaw and lifted brows."""
    return outline(face.landmarks) if face.mesh is None else face.mesh[list(_OVAL), :2]


def filled(line: Points, size: Size) -> Mask:
    """The inside of a closed line (N, 2), with smooth edges."""
    return _grey([line], size, [255])


def parts(landmarks: Points, size: Size) -> dict[str, Mask]:
    """Masks of what 68 landmarks outline: jaw, eyes, brows and mouth, those that move with a rim around them."""
    rim = _GROWN * 0.25 * float(np.ptp(landmarks[:17, 0]))
    jaw = np.concatenate([landmarks[2:15], landmarks[[54, 51, 48]]])
    return {
        "jaw": filled(jaw, size),
        "eyes": _union([landmarks[36:42], landmarks[42:48]], size, rim),
        "brows": _union([landmarks[17:22], landmarks[22:27]], size, rim),
        "mouth": _union([landmarks[48:60]], size, rim),
    }


def from_parts(labels: NDArray[np.uint8], *wanted: int) -> Mask:
    """Where a part map (H, W) of a rendered head has one of some labels."""
    return np.isin(labels, wanted).astype(np.float32)


def composite(landmarks: Points, size: Size, *, feather: float = 0.35, keep: Mask | None = None) -> Mask:
    """Where an edit replaces the picture: exactly 0 from the hairline and ears outwards, 1 where the face moves.

    It reaches below the jaw, so that an opened one fits. `keep` marks what has to stay whatever the landmarks say.
    """
    line = outline(landmarks, forehead=_BROWS_UP)
    middle = landmarks[[27, 33, 51]].mean(0)
    down = landmarks[8] - landmarks[27]
    lower = np.clip(1 - np.abs(np.arange(17) - 8) / 6.0, 0, 1)[:, None]
    line[:17] += _CHIN * lower * down
    shares = 1 - feather * np.arange(_STEPS + 1) / _STEPS
    ramp = np.linspace(0, 1, _STEPS + 2)[1:]
    eased = ramp * ramp * (3 - 2 * ramp)
    mask = _grey([middle + share * (line - middle) for share in shares], size, [round(255 * each) for each in eased])
    return mask if keep is None else (mask * (1 - keep)).astype(np.float32)


def agreement(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks; 1 where both are empty."""
    union = int(np.logical_or(first, second).sum())
    return int(np.logical_and(first, second).sum()) / union if union else 1.0


def _union(lines: Sequence[Points], size: Size, rim: float) -> Mask:
    """The insides of lines, grown by a rim in pixels."""
    canvas = Image.new("L", (size[0] * _FINER, size[1] * _FINER))
    draw = ImageDraw.Draw(canvas)
    for line in lines:
        corners = _corners(line)
        draw.polygon(corners, fill=255)
        draw.line([*corners, corners[0]], fill=255, width=max(1, round(2 * rim * _FINER)), joint="curve")
    return _averaged(canvas)


def _grey(lines: Sequence[Points], size: Size, values: Sequence[int]) -> Mask:
    """Nested insides, each over the one before."""
    canvas = Image.new("L", (size[0] * _FINER, size[1] * _FINER))
    draw = ImageDraw.Draw(canvas)
    for line, value in zip(lines, values, strict=True):
        draw.polygon(_corners(line), fill=value)
    return _averaged(canvas)


def _corners(line: Points) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in line * _FINER - 0.5]


def _averaged(canvas: Image.Image) -> Mask:
    return np.asarray(canvas.reduce(_FINER), np.float32) / np.float32(255)

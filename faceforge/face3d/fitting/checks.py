"""What cannot be fitted is refused, with what to do about it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import BadHead, BadPicture
from faceforge.face.found import Face

SMALLEST = 12.0  # pixels between the eyes; below it lids and lips are no longer seen
_MOST_OUTSIDE = 24  # landmarks beyond the picture's border, of 68


def checked_face(face: Face) -> Face:
    """A face whose landmarks can be fitted."""
    for name, shape in (("landmarks", (68, 2)), ("irises", (2, 2)), ("mesh", (478, 3))):
        points = getattr(face, name)
        if points is None:
            continue
        if np.shape(points) != shape:
            raise BadHead(f"The face's {name} have shape {np.shape(points)}, expected {shape}. Find the face again.")
        if not np.isfinite(points).all():
            row = int(np.flatnonzero(~np.isfinite(points).all(1))[0])
            raise BadHead(f"The face's {name}[{row}] is {points[row].tolist()}. Leave out faces that were half found.")
    height, width = face.size
    inside = ((face.landmarks >= 0) & (face.landmarks <= (width, height))).all(1)
    if (~inside).sum() > _MOST_OUTSIDE:
        raise BadPicture(
            f"{int((~inside).sum())} of 68 landmarks lie outside a picture of {width}x{height}. "
            "Give a picture that shows the whole face, and landmarks in its pixels."
        )
    if not face.eye_distance >= SMALLEST:
        raise BadPicture(
            f"The face's eyes lie {face.eye_distance:.1f} px apart, fewer than {SMALLEST:.0f}. "
            "Give a picture in which the face is larger."
        )
    return face


def checked_picture(picture: NDArray[Any], face: Face) -> NDArray[np.uint8 | np.float32]:
    """The picture (H, W, 3) in display values: as bytes, which a large one is better left in, or as floats in 0..1."""
    pixels: NDArray[Any] = np.asarray(picture)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise BadPicture(f"A picture of shape {pixels.shape}, expected (H, W, 3). Convert it to RGB.")
    if pixels.shape[:2] != tuple(face.size):
        raise BadPicture(
            f"The face was found in a picture of {face.size[1]}x{face.size[0]}, but this one has "
            f"{pixels.shape[1]}x{pixels.shape[0]}. Give the picture that it was found in."
        )
    if pixels.dtype == np.uint8:
        return pixels
    if not np.issubdtype(pixels.dtype, np.floating):
        raise BadPicture(f"A picture of {pixels.dtype}, expected bytes or floats in 0..1. Convert it.")
    if not np.isfinite(pixels).all() or pixels.min() < -0.01 or pixels.max() > 1.01:
        raise BadPicture(
            f"A picture with values from {pixels.min()!r} to {pixels.max()!r}, expected 0..1. Divide by what white is."
        )
    plain: NDArray[np.float32] = pixels.astype(np.float32)
    return plain

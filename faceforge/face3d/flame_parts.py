"""Which faces of FLAME are eyes, lips, neck: from its masks of vertices, or from where its eyeballs are known to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import BadHead

REST = "skin"
# FLAME's masks overlap; a face belongs to the first of these that holds all its corners.
_PARTS = {
    "eye_left": "left_eyeball",
    "eye_right": "right_eyeball",
    "lips": "lips",
    "nose": "nose",
    "ear_left": "left_ear",
    "ear_right": "right_ear",
    "eye_region_left": "left_eye_region",
    "eye_region_right": "right_eye_region",
    "forehead": "forehead",
    "boundary": "boundary",
    "neck": "neck",
    "scalp": "scalp",
}
_PUBLISHED = 5023
_EYEBALLS = {"left_eyeball": range(3931, 4477), "right_eyeball": range(4477, 5023)}


def parts_from(masks: Mapping[str, Any] | None, faces: NDArray[Any], count: int) -> dict[str, NDArray[np.int64]]:
    """Indices of the faces of every part; each face is in one of them."""
    if masks is None:
        masks = {name: np.array(span) for name, span in _EYEBALLS.items()} if count == _PUBLISHED else {}
    free = np.ones(len(faces), bool)
    parts = {}
    for part, mask in _PARTS.items():
        if mask in masks:
            inside = np.isin(faces, _vertices(masks[mask], mask, count)).all(1) & free
            parts[part] = np.flatnonzero(inside)
            free &= ~inside
    return {**{name: index for name, index in parts.items() if len(index)}, REST: np.flatnonzero(free)}


def _vertices(indices: Any, name: str, count: int) -> NDArray[Any]:
    array = np.asarray(indices) if isinstance(indices, np.ndarray) else np.zeros(0)
    if array.ndim != 1 or array.dtype.kind not in "iu" or (array.size and not 0 <= array.min() <= array.max() < count):
        raise BadHead(f"The mask {name!r} does not name vertices of a model that has {count}. Give FLAME's own masks.")
    return array

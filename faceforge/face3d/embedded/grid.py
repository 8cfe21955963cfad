"""The topology of the skin: rows that follow lids and lips, columns that meet their corners.

Rows run from the crown down to the collar, columns from the back seam over the subject's right side (-HALF), the
midline (0) and the left side to the back seam again (HALF). The eyes and the mouth are slits between two rows.
"""

from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

# Name of a control row and the number of quads between it and the row above.
_ROWS = (
    ("vertex", 0), ("dome", 3), ("crown", 4), ("hairline", 6), ("forehead", 5), ("brow_top", 4), ("brow_low", 4),
    ("fold", 4), ("crease", 2), ("lid_up", 4), ("lid_low", 1), ("bag", 3), ("orbit", 3), ("cheek", 4), ("ala", 5),
    ("nostril", 3), ("subnasal", 3), ("lip_up", 4), ("seam_up", 4), ("seam_low", 1), ("lip_low", 4), ("sulcus", 3),
    ("chin", 4), ("menton", 4), ("under", 3), ("throat", 4), ("neck", 5), ("collar", 5),
)  # fmt: skip
_COLUMNS = (("midline", 0), ("inner", 8), ("mouth", 3), ("outer", 9), ("temple", 6), ("ear", 5), ("nape", 14))


def _placed(counts: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """The index of each named line."""
    return dict(zip([name for name, _ in counts], accumulate(count for _, count in counts), strict=True))


ROW, COLUMN = _placed(_ROWS), _placed(_COLUMNS)
HALF = COLUMN["nape"]
ROWS, COLUMNS = ROW["collar"] + 1, 2 * HALF + 1


def strip(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Triangles between two rows of vertices, seen from outside when the upper row runs to the subject's left."""
    a, b, c, d = upper[:-1], upper[1:], lower[:-1], lower[1:]
    return np.concatenate([np.stack([a, c, d], 1), np.stack([a, d, b], 1)])


def _mirrored_strip(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """The same quads with their other diagonal, as a mirror shows those of `strip`."""
    a, b, c, d = upper[:-1], upper[1:], lower[:-1], lower[1:]
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])


def skin_faces() -> np.ndarray:
    """Triangles of the skin (F, 3), without the slits."""
    faces = []
    for row in range(ROWS - 1):
        spans = _spans(row)
        for first, last in spans:
            index = row * COLUMNS + np.arange(first, last + 1) + HALF
            right = max(0, min(last, 0) - first)  # quads on the subject's right side
            faces.append(_mirrored_strip(index[: right + 1], index[: right + 1] + COLUMNS))
            faces.append(strip(index[right:], index[right:] + COLUMNS))
    return np.concatenate(faces)


def _spans(row: int) -> list[tuple[int, int]]:
    """The runs of columns between which a row of quads exists."""
    if row == ROW["lid_up"]:
        inner, outer = COLUMN["inner"], COLUMN["outer"]
        return [(-HALF, -outer), (-inner, inner), (outer, HALF)]
    if row == ROW["seam_up"]:
        return [(-HALF, -COLUMN["mouth"]), (COLUMN["mouth"], HALF)]
    return [(-HALF, HALF)]


def skin_uv() -> Tensor:
    """One texture coordinate per skin vertex, by row and column: features keep their texels on every face. (V, 2)"""
    v, u = torch.meshgrid(
        torch.arange(ROWS, dtype=torch.float64) / (ROWS - 1),
        torch.arange(COLUMNS, dtype=torch.float64) / (COLUMNS - 1),
        indexing="ij",
    )
    return torch.stack([u, 1 - v], -1).reshape(-1, 2)

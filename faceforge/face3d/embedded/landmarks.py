"""The 68 iBUG landmarks of the embedded head, read off its grid."""

import torch
from torch import Tensor

from faceforge.face3d.embedded.grid import COLUMN, HALF, ROW

_INNER, _OUTER, _MOUTH = COLUMN["inner"], COLUMN["outer"], COLUMN["mouth"]


# Rows below the upper border of the brow, and columns, from its tail to its head.
_BROW = ((1.4, _OUTER + 5.0), (0.9, _OUTER + 2.1), (0.5, 19.0), (0.9, 13.2), (1.5, 6.9))


# Rows above the edge of the jaw, and columns, from below the corner of the mouth to beside the chin.
_JAW = ((0.3, 24.2), (1.3, 19.2), (0.9, 11.0))

# The rows on which the jaw's upper five points slide.
_EDGE_ROWS = [ROW["lid_up"], ROW["orbit"] + 2, ROW["ala"], ROW["lip_up"], ROW["sulcus"] + 3]
_CHIN = (ROW["menton"] - 0.6, 0.0)


def _row(name: str, offset: float = 0.0) -> float:
    return ROW[name] + offset


def _half() -> list[tuple[float, float]]:
    """Places (row, column) of the subject's right side and the midline, in iBUG order; columns are negative there."""
    lids, width = (ROW["lid_up"], ROW["lid_low"]), _OUTER - _INNER
    brow = [(_row("brow_top", row), -column) for row, column in _BROW]
    far, near = -(_INNER + 0.67 * width), -(_INNER + 0.33 * width)
    eye = [(lids[0], -_OUTER), (lids[0], far), (lids[0], near), (lids[0], -_INNER), (lids[1], near), (lids[1], far)]
    return brow + eye


def places68() -> list[tuple[float, float]]:
    """Grid places (row, column) of landmarks 17..67."""
    right = _half()
    brow_r, eye_r = right[:5], right[5:]
    brow_l = [(row, -column) for row, column in reversed(brow_r)]
    order = [3, 2, 1, 0, 5, 4]
    eye_l = [(eye_r[k][0], -eye_r[k][1]) for k in order]
    nose = [(_row("fold", 2.3), 0.0), (_row("orbit", -1.0), 0.0), (_row("cheek", 0.6), 0.0), (_row("ala", -1.9), 0.0)]
    base = [
        (_row("nostril", row), column) for row, column in ((-0.6, -6.2), (0.5, -3.9), (0, 0), (0.5, 3.9), (-0.6, 6.2))
    ]
    base[2] = (_row("subnasal", -1.0), 0.0)
    up, low = ROW["lip_up"], ROW["lip_low"]
    a, b = ROW["seam_up"], ROW["seam_low"]
    outer = [(a, -_MOUTH), (up, -6.8), (up, -3.2), (up, 0.0), (up, 3.2), (up, 6.8), (a, _MOUTH),
             (low, 6.4), (low, 3.3), (low, 0.0), (low, -3.3), (low, -6.4)]  # fmt: skip
    inner = [(a, -9.8), (a, -3.0), (a, 0.0), (a, 3.0), (a, 9.8), (b, 3.0), (b, 0.0), (b, -3.0)]
    return brow_r + brow_l + nose + base + eye_r + eye_l + outer + inner


def at_places(skin: Tensor, places: list[tuple[float, float]]) -> Tensor:
    """Skin positions (B, N, 3) between grid vertices, by bilinear interpolation."""
    where = torch.tensor(places, dtype=skin.dtype, device=skin.device)
    row, column = where[:, 0], where[:, 1] + HALF
    top, left = row.floor().long().clamp(max=skin.shape[1] - 2), column.floor().long().clamp(max=skin.shape[2] - 2)
    down, across = (row - top)[None, :, None], (column - left)[None, :, None]
    upper = skin[:, top, left] * (1 - across) + skin[:, top, left + 1] * across
    lower = skin[:, top + 1, left] * (1 - across) + skin[:, top + 1, left + 1] * across
    return upper * (1 - down) + lower * down


def contour68(skin: Tensor) -> Tensor:
    """All 68 landmarks (B, 68, 3) of a posed skin (B, ROWS, COLUMNS, 3), the jaw line as it is seen along z."""
    return torch.cat([_jaw(skin), at_places(skin, places68())], 1)


def _jaw(skin: Tensor) -> Tensor:
    """17 points along the outline of the face: the jaw edge in front, the side that shows farthest out above it."""
    sides = []
    for sign in (-1, 1):
        columns = HALF + sign * torch.arange(COLUMN["outer"], COLUMN["ear"] + 1, device=skin.device)
        edge = []
        for row in _EDGE_ROWS:
            line = skin[:, row, columns]
            far = (sign * line[..., 0]).argmax(1)
            edge.append(line[torch.arange(len(line)), far])
        lower = at_places(skin, [(ROW["menton"] - row, sign * column) for row, column in _JAW])
        sides.append(torch.cat([torch.stack(edge, 1), lower], 1))
    chin = at_places(skin, [_CHIN])
    return torch.cat([sides[0], chin, sides[1].flip(1)], 1)


def seen68(skin: Tensor) -> list[tuple[float, float]]:
    """Grid places (row, column) of the 68 landmarks of one posed skin (1, ROWS, COLUMNS, 3), the jaw as it is seen."""
    sides = []
    for sign in (-1, 1):
        columns = HALF + sign * torch.arange(COLUMN["outer"], COLUMN["ear"] + 1, device=skin.device)
        far = (sign * skin[0][_EDGE_ROWS][:, columns, 0]).argmax(1)
        edge = [(float(row), float(columns[k]) - HALF) for row, k in zip(_EDGE_ROWS, far.tolist(), strict=True)]
        sides.append(edge + [(_row("menton", -row), sign * column) for row, column in _JAW])
    return [*sides[0], _CHIN, *reversed(sides[1]), *places68()]

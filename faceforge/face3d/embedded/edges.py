"""What skin may not do: lids do not enter globes, and edges that touch do not pass through each other. Centimetres."""

from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.grid import COLUMN, HALF, ROW, ROWS
from faceforge.face3d.embedded.places import LID, Landmarks


def settled(at: Landmarks, skin: Tensor) -> Tensor:
    """The skin (B, ROWS, COLUMNS, 3) after units moved it, lids on their globes and no edge through another."""
    return _parted(_over_globes(at, _parted(_parted(skin, _LIDS), _LIPS)), _LIDS)


def _over_globes(at: Landmarks, skin: Tensor) -> Tensor:
    """Lids slide over the eyeballs, never through them."""
    rows = slice(ROW["fold"], ROW["orbit"] + 1)
    near = skin[:, rows]
    for sign in (-1, 1):
        centre = torch.cat([sign * at.eye_x, at.eye_y, at.eye_z], -1)[:, :, None]
        out = near - centre
        reach = out.norm(dim=-1, keepdim=True)
        inside = (reach < LID) & (out[..., 2:] > 0)
        near = torch.where(inside, centre + out * (LID / reach.clamp(min=0.3)), near)
    return torch.cat([skin[:, : rows.start], near, skin[:, rows.stop :]], 1)


@dataclass(frozen=True)
class _Slit:
    """Where two edges may touch: rows that follow the upper and the lower one, and the columns between its corners."""

    upper: str
    lower: str
    above: float  # rows over which the upper edge's shift fades
    below: float
    columns: tuple[int, int]


_LIDS = _Slit("lid_up", "lid_low", 6.0, 4.0, (COLUMN["inner"], COLUMN["outer"]))
_LIPS = _Slit("seam_up", "seam_low", 7.0, 6.0, (0, COLUMN["mouth"]))


def _parted(skin: Tensor, slit: _Slit) -> Tensor:
    """Edges may touch but not pass through each other: what overlaps is shared between both."""
    upper, lower = ROW[slit.upper], ROW[slit.lower]
    overlap = (skin[:, lower, :, 1] - skin[:, upper, :, 1]).clamp(min=0) / 2
    if not bool((overlap > 0).any()):
        return skin
    side = torch.arange(-HALF, HALF + 1, device=skin.device).abs()
    columns = (side >= slit.columns[0]) & (side <= slit.columns[1])
    row = torch.arange(ROWS, dtype=skin.dtype, device=skin.device)
    above = smoothstep(upper - slit.above, upper, row) * (row <= upper)
    below = smoothstep(lower + slit.below, lower, row) * (row >= lower)
    shift = (above - below)[None, :, None] * (overlap * columns)[:, None]
    return torch.cat([skin[..., :1], skin[..., 1:2] + shift[..., None], skin[..., 2:]], -1)

"""What skin may not do: fold over itself, enter globes, or pass one edge of a slit through the other. Centimetres."""

from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.form import Form
from faceforge.face3d.embedded.grid import COLUMN, COLUMNS, HALF, ROW, ROWS
from faceforge.face3d.embedded.places import LID, Landmarks

_LEFT = 0.3  # the share of its resting height and width that skin keeps, however much it is pushed together


def settled(form: Form, skin: Tensor) -> Tensor:
    """The skin (B, ROWS, COLUMNS, 3) after units moved it, lids on their globes and no edge through another."""
    skin = unfolded(form.skin, _parted(_parted(skin, _LIDS), _LIPS))
    return _parted(_over_globes(form.at, skin), _LIDS)


def unfolded(rest: Tensor, skin: Tensor) -> Tensor:
    """Skin whose rows keep their order from crown to chin and whose columns theirs from temple to temple."""
    rows, columns = slice(0, ROW["menton"] + 1), slice(HALF - COLUMN["temple"], HALF + COLUMN["temple"] + 1)
    still, face = rest[:, rows], skin[:, rows]
    y = -_climbing(-face[..., 1].mT, -still[..., 1].mT.diff(dim=-1) * _row_shares(skin)).mT
    front = _climbing(face[:, :, columns, 0], still[:, :, columns, 0].diff(dim=-1) * _LEFT)
    x = torch.cat([face[..., : columns.start, 0], front, face[..., columns.stop :, 0]], -1)
    return torch.cat([torch.stack([x, y, face[..., 2]], -1), skin[:, rows.stop :]], 1)


def _row_shares(skin: Tensor) -> Tensor:
    """How much of its height each row of quads keeps (COLUMNS, rows); slits may close."""
    side = torch.arange(-HALF, HALF + 1, device=skin.device).abs()
    shares = torch.full((COLUMNS, ROW["menton"]), _LEFT, dtype=skin.dtype, device=skin.device)
    for slit in (_LIDS, _LIPS):
        shares[(side >= slit.columns[0]) & (side <= slit.columns[1]), ROW[slit.upper]] = 0
    return shares


def _climbing(values: Tensor, least: Tensor) -> Tensor:
    """Values (..., N) whose steps are no smaller than some (..., N - 1), exactly themselves where they never were.

    Half way between the nearest such values above and those below, so that neither end of a fold yields alone.
    """
    free = values - torch.cat([torch.zeros_like(least[..., :1]), least.cumsum(-1)], -1)
    above = free.cummax(-1).values
    below = free.flip(-1).cummin(-1).values.flip(-1)
    return values + ((above - free) + (below - free)) / 2


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

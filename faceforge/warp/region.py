"""Which part of its window an edit of a head changes: all else is the photograph, and nobody works on it."""

from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.embedded.parts import SKIN_WIDTH
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.warp.plate import STILL, Plate, Posed
from faceforge.warp.shading import folds, refolded
from faceforge.warp.target import Target
from faceforge.warp.window import Window

MARGIN_CM = 0.7  # kept around what changes, for what is known by its neighbours and for a soft end
_TURNED = 1e-3  # normals that change less are lit as before
_FOLDED, _REACH = 0.02, 9  # of a full fold; texels around it, more than from one vertex to the next


def changing(plate: Plate, posed: Posed, target: Target) -> Window | None:
    """The part of a plate's window in which the head or its light changes, or None where nothing does."""
    if target.light is not plate.fit.light or _carried(plate, target):
        return plate.window
    rest = plate.at_rest
    moved = (posed.points - rest.points)[:, :2].abs().amax(1) > STILL
    moved |= (posed.normals - rest.normals).abs().amax(1) > _TURNED
    moved |= folded(refolded(plate.fit.aus, target.aus))
    if not bool(moved.any()):
        return None
    points = torch.cat([posed.points[moved], rest.points[moved]])[:, :2]
    margin = max(2, round(MARGIN_CM * plate.points_per_cm))
    return plate.window.part_around(points, margin)


def folded(codes: Iterable[str]) -> Tensor:
    """Which vertices (V,) lie at folds of some units."""
    nowhere = torch.zeros(first_vertices()["end"], dtype=torch.bool)
    return torch.stack([nowhere, *map(_near_folds, codes)]).any(0)


def _carried(plate: Plate, target: Target) -> bool:
    """Whether the whole head moves, and its hair with it."""
    before, after = plate.fit.params, target.params
    return any(getattr(before, name) is not getattr(after, name) for name in ("rotation", "neck", "translation"))


@cache
def _near_folds(code: str) -> Tensor:
    fold = folds(torch.device("cpu"))[code].abs()[None, None]
    near = max_pool2d(fold, 2 * _REACH + 1, stride=1, padding=_REACH)[0, 0] > _FOLDED
    uv = EmbeddedHead().uv.float()
    share = uv[:, 0] / SKIN_WIDTH
    high, wide = near.shape
    column, row = (share * wide).long().clamp(0, wide - 1), ((1 - uv[:, 1]) * high).long().clamp(0, high - 1)
    return near[row, column] & (share <= 1)

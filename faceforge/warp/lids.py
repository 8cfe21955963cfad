"""Lids that close: a photograph of open eyes shows too little of them, so smooth skin and a line of lashes stand in."""

from functools import cache

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.grid import COLUMN, COLUMNS, HALF, ROW, ROWS
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.warp.anatomy import vertices_of
from faceforge.warp.plate import Plate
from faceforge.warp.posed import Posed, Seen

_CLOSING = (0.45, 0.95)  # shares of the opening: less of it closed is skin stretched a little, more is made up
_ROOM = (0.15, 0.45)  # of the way from the fold to the edge, where skin that is seen becomes skin that is made up
_LASHES = (0.72, 1.0)  # of the same way
_DARK = (0.14, 0.42)  # lashes of the lower lid, and how much darker those of the upper one are
_BESIDE = 2  # columns beyond the corners of an eye, where its edge is still drawn out


def made_up(plate: Plate, seen: Seen, posed: Posed, places: Tensor) -> Tensor:
    """How much of each grid point (N,) lies on a lid that closes and has to be made up, 0..1.

    A fitted edge misses the true one by a lash or two: what was that near an eye would be drawn out over the lid.
    """
    closed = _closed(plate, posed)
    if float(closed.amax()) < _CLOSING[0]:
        return torch.zeros(len(seen.flat))
    height, share = seen.mixed(torch.cat([lids()[:, :1], closed], 1)).unbind(1)
    near_eye = plate.looked_up(plate.around_openings, places).reshape(-1)[seen.flat]
    return smoothstep(*_CLOSING, share) * torch.maximum(smoothstep(*_ROOM, height), near_eye)


def lashed(seen: Seen, colours: Tensor) -> Tensor:
    """Colours (N, 3) of lids that were made up, dark along the edge where lashes are."""
    height, upper = seen.mixed(lids())[:, :1], seen.mixed(lids())[:, 1:]
    dark: Tensor = smoothstep(*_LASHES, height) * (_DARK[0] + _DARK[1] * upper)
    return colours * (1 - dark)


def _closed(plate: Plate, posed: Posed) -> Tensor:
    """The share of an eye's opening that has closed since the photograph, of vertices (V, 1); 0 where no eye is."""
    side = torch.arange(-HALF, HALF + 1)
    row = torch.arange(ROWS)[:, None]
    near = (row >= ROW["fold"]) & (row <= ROW["orbit"]) & _columns(_BESIDE)
    closed = torch.zeros(first_vertices()["end"], 1)
    for name, sign in (("right", -1), ("left", 1)):
        share = 1 - _opening(posed, sign) / _opening(plate.at_rest, sign).clamp(min=1e-6)
        closed[: ROWS * COLUMNS][(near & (side * sign > 0)).reshape(-1)] = share
        for lid in ("up", "low"):
            closed[vertices_of(f"rim_{lid}_{name}")] = share
    return closed


def _opening(posed: Posed, sign: int) -> Tensor:
    """How far the lids of one side are apart, on average."""
    grid = posed.vertices[: ROWS * COLUMNS].reshape(ROWS, COLUMNS, 3)
    columns = HALF + sign * torch.arange(COLUMN["inner"] + 1, COLUMN["outer"])
    apart: Tensor = (grid[ROW["lid_up"], columns] - grid[ROW["lid_low"], columns]).norm(dim=1).mean()
    return apart


@cache
def lids() -> Tensor:
    """Where vertices (V, 2) lie on a lid, from the fold or the bag (0) to the edge (1), and 1 if it is an upper one."""
    row = torch.arange(ROWS).float()[:, None].expand(ROWS, COLUMNS)
    upper = (row - ROW["fold"]) / (ROW["lid_up"] - ROW["fold"])
    lower = (ROW["bag"] - row) / (ROW["bag"] - ROW["lid_low"])
    above = row <= ROW["lid_up"]
    height = torch.where(above, upper, lower).clamp(min=0) * _columns(0)
    found = torch.zeros(first_vertices()["end"], 2)
    found[: ROWS * COLUMNS] = torch.stack([height, above.float()], -1).reshape(-1, 2)
    for side in ("right", "left"):
        found[vertices_of(f"rim_up_{side}")] = 1.0
        found[vertices_of(f"rim_low_{side}"), 0] = 1.0
    return found


@cache
def lid_faces() -> Tensor:
    """Which faces (F,) reach into an upper lid."""
    return (lids()[EmbeddedHead().faces] > 0).any(1).all(1)


def _columns(beside: int) -> Tensor:
    """Which columns (COLUMNS,) run through an eye, or pass its corners by so many."""
    side = torch.arange(-HALF, HALF + 1).abs()
    return (side > COLUMN["inner"] - beside) & (side < COLUMN["outer"] + beside)

"""What stands around a head moves with its outline: hair stays on it, and a wall comes up to it."""

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.warp.drawing import Drawing
from faceforge.warp.spread import continued_from, distance, enlarged, outline

RIGID_CM, STILL_CM = 1.8, 7.5  # around the head, hair moves with it up to here, and nothing moves beyond there
_MOVES = 0.5  # grid points; of an outline that moves less each point is still the nearest to where it was
_RESTS = (0.1, 0.3)  # pixels: who could tell? What moves less stays the photograph, what moves more moves
_BY = 4  # grid points: the surroundings move smoothly, and are worked out on a grid that much coarser


def carried(head: Drawing, own: Tensor) -> Tensor | None:
    """Offsets (2, H, W) on the plate's grid of what stands around a head whose own are (2, h, w).

    None for an outline that does not move.
    """
    plate, here = head.plate, head.window.slices
    edge = outline(head.inside)
    moves = _moves(head, own, edge)
    if moves is None:
        return None
    inside, still = plate.depth >= 0, plate.edge.clone()
    inside[here], still[here] = head.inside, False
    row, column = torch.cat([edge.nonzero() + torch.tensor(head.window.corner), still.nonzero()]).unbind(1)
    values = torch.cat([moves, torch.zeros(int(still.sum()), 2)]).T
    around = continued_from(values, row, column, plate.window.grid, _BY)
    per_cm = plate.points_per_cm
    near = 1 - smoothstep(RIGID_CM * per_cm, STILL_CM * per_cm, distance(inside, (around.shape[1], around.shape[2])))
    around *= near
    around *= smoothstep(*_RESTS, around.norm(dim=0))
    return enlarged(around, plate.window.grid) * ~inside


def _moves(head: Drawing, own: Tensor, edge: Tensor) -> Tensor | None:
    """Offsets (N, 2) of the N points of the outline, a mask (h, w); None if none moves.

    An outline is not made of skin: of a head that turns away the old outline is hidden behind the new one. So each
    point of the new outline goes to the old outline's nearest point, not to where its skin was.
    """
    places, moves = head.centres[edge], own[:, edge].T
    if not bool((moves.abs() > _MOVES * head.plate.window.step).any()):
        return None
    old = head.plate.window.centres()[head.plate.edge]
    return old[_nearest(places + moves, old)] - places


def _nearest(points: Tensor, of: Tensor) -> Tensor:
    """Which of some points (M, 2) is nearest to each of others (N, 2), (N,)."""
    middle = of.mean(0)  # near 0 the squares are small, and their differences exact
    points, of = points - middle, of - middle
    return torch.addmm(of.square().sum(1), points, of.T, alpha=-2).argmin(1)

"""What stands around a head moves with its outline: hair stays on it, and a wall comes up to it."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from faceforge.warp.drawing import Drawing
from faceforge.warp.plate import outline
from faceforge.warp.spread import cells, continued, nearness

RIGID_CM, STILL_CM = 1.8, 7.5  # around the head, hair moves with it up to here, and nothing moves beyond there
_MOVES = 0.05  # grid points; an outline that moves less stays where it is
_BY = 4  # grid points: the surroundings move smoothly, and are worked out on a grid that much coarser


def carried(head: Drawing, own: Tensor) -> Tensor | None:
    """Offsets (2, H, W) on the plate's grid of what stands around a head whose own are (2, h, w).

    None for an outline that does not move.
    """
    plate, here = head.plate, head.window.slices
    inside, edge, offset = plate.depth >= 0, plate.edge.clone(), torch.zeros(2, *plate.window.grid)
    inside[here], edge[here] = head.inside, outline(head.inside)
    moves = _moves(head, own, edge[here])
    if moves is None:
        return None
    offset[:, here[0], here[1]] = moves
    per_cm = plate.points_per_cm / _BY
    around = continued(*cells(offset, edge.float(), _BY), 2)
    head_there = avg_pool2d(inside.float()[None, None], _BY, ceil_mode=True, count_include_pad=False)[0, 0] > 0.5
    around = around * nearness(head_there, RIGID_CM * per_cm, STILL_CM * per_cm, cell=3)
    smooth: Tensor = interpolate(around[None], plate.window.grid, mode="bilinear", align_corners=False)[0]
    return smooth * ~inside


def _moves(head: Drawing, own: Tensor, edge: Tensor) -> Tensor | None:
    """Offsets (2, h, w) of points of the outline, (h, w); None if none moves.

    An outline is not made of skin: of a head that turns away the old outline is hidden behind the new one. So each
    point of the new outline goes to the old outline's nearest point, not to where its skin was.
    """
    step, places = head.plate.window.step, head.centres[edge]
    moves = own[:, edge].T.clone()
    far = moves.abs().amax(1) > _MOVES * step
    if not bool(far.any()):
        return None
    old = head.plate.window.centres()[head.plate.edge]
    wanted = places[far] + moves[far]
    moves[far] = old[torch.cdist(wanted, old).argmin(1)] - places[far]
    found = torch.zeros_like(own)
    found[:, edge] = moves.T
    return found

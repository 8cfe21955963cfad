"""What stands around a head moves with its outline: hair stays on it, and a wall comes up to it."""

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from faceforge.warp.plate import Plate
from faceforge.warp.spread import continued

_MOVES = 0.05  # grid points; an outline that moves less stays where it is


def carried(offset: Tensor, inside: Tensor, plate: Plate) -> Tensor | None:
    """Offsets (2, h, w) of a head whose grid points are inside (h, w), continued outside by the outline's motion.

    None for an outline that does not move.

    An outline is not made of skin: of a head that turns away the old outline is hidden behind the new one. So each
    point of the new outline goes to the old outline's nearest point, not to where its skin was.
    """
    edge = _edge(inside)
    places = edge.nonzero()
    moves = offset[:, edge].T.clone()
    step = plate.window.step
    far = moves.abs().amax(1) > _MOVES * step
    if not bool(far.any()):
        return None
    old = _edge(plate.depth >= 0).nonzero().float() * step
    wanted = places[far].float() * step + moves[far].flip(1)
    nearest = old[torch.cdist(wanted, old).argmin(1)]
    moves[far] = (nearest - places[far].float() * step).flip(1)
    on_edge = torch.zeros_like(offset)
    on_edge[:, edge] = moves.T
    return continued(on_edge, edge.float())


def _edge(inside: Tensor) -> Tensor:
    """Points of a mask (h, w) that touch its outside."""
    outside = max_pool2d((~inside).float()[None, None], 3, stride=1, padding=1)[0, 0] > 0
    return inside & outside

"""Triangles cut at a plane of constant depth, so that what reaches behind the viewer is drawn as far as it is seen."""

from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.triangles import EPSILON, Triangles, countable, select


@dataclass(frozen=True)
class Clipped:
    """The pieces in front of the plane, and how each lies in the triangle it was cut from."""

    triangles: Triangles
    origin: Tensor  # (N,) the triangle it was cut from
    shares: Tensor  # (3 corners of that triangle, 3 corners of the piece, N) barycentric weights

    def undo(self, piece: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Original triangles and weights (3, n) of points on pieces (n,)."""
        first, second, third = (select(self.shares, piece) * weights).unbind(1)
        return self.origin.index_select(0, piece), first + second + third


def clipped(triangles: Triangles, plane: float, *, perspective_correct: bool) -> Clipped:
    """Triangles without what is nearer than the plane: one piece where two corners go, two where one goes."""
    corners = triangles.corners[:, :3]
    behind = (corners[2] < plane) & countable(corners)
    count = behind.sum(0)
    shares = torch.eye(3, dtype=corners.dtype, device=corners.device)[..., None].expand(-1, -1, len(triangles))
    points = torch.cat([corners, shares])  # (6, 3, N)
    origins = [(count == cut).nonzero().squeeze(1) for cut in range(3)]
    pieces = [points.index_select(2, origins[0])]
    for cut, lone in ((1, behind), (2, ~behind)):
        first = lone.index_select(1, origins[cut]).int().argmax(0)
        order = (first + torch.arange(3, device=first.device)[:, None]) % 3
        one, two, three = points.index_select(2, origins[cut]).gather(1, order.expand(6, -1, -1)).unbind(1)
        four, five = (_crossing(one, other, plane, perspective_correct) for other in (two, three))
        kept = [(four, two, five), (five, two, three)] if cut == 1 else [(four, five, one)]
        pieces += [torch.stack(piece, 1) for piece in kept]
    origin = torch.cat([origins[0], origins[1], origins[1], origins[2]])
    order = origin.argsort(stable=True)  # equal depths go by the original order
    origin, points = origin.index_select(0, order), torch.cat(pieces, 2).index_select(2, order)
    found = Triangles(points[:3, [0, 1, 2, 0, 1]], triangles.picture.index_select(0, origin))
    return Clipped(found, origin, points[3:])


def _crossing(start: Tensor, end: Tensor, plane: float, perspective_correct: bool) -> Tensor:
    """Where edges between points (6, n) meet the plane; what is straight in space is so only before the division."""
    along = (start[2] - plane) / (start[2] - end[2])
    found = start * (1 - along) + end * along
    if perspective_correct:
        xy = start[:2] * start[2] * (1 - along) + end[:2] * end[2] * along
        found = torch.cat([xy / plane, found[2:]])
    return torch.cat([found[:2], found[2:3].clamp(min=EPSILON), found[3:]])

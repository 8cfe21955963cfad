"""Which landmarks of a head a camera sees: those not behind the head itself, by its exact triangles."""

from collections.abc import Sequence

import torch
from torch import Tensor

from faceforge.synth.shots import Camera, seen_by

# Centimetres by which skin may lie before a landmark without hiding it: the outline's 17 are where the head curves away
# from a viewer at infinity, which is a little behind the edge that a camera sees; the others only hide in folds.
_OUTLINE, _INNER = 4.0, 0.4
_ROUNDING = 1e-5  # of NDC to single precision, and more


def in_sight(cameras: Sequence[Camera], points: Tensor, vertices: Tensor, faces: Tensor) -> Tensor:
    """Whether iBUG's landmarks (B, 68, 3) on heads (B, V, 3), in metres, have none of the head before them, (B, 68)."""
    spots = seen_by(cameras, points.double() * 100)
    corners = seen_by(cameras, vertices.double() * 100)
    slack = spots.new_tensor([_OUTLINE] * 17 + [_INNER] * 51)
    return torch.stack([_seen(*one, faces, slack) for one in zip(spots, corners, strict=True)])


def _seen(spots: Tensor, vertices: Tensor, faces: Tensor, slack: Tensor) -> Tensor:
    """One picture's points (N, 3), in NDC with depths, among its triangles."""
    corners = vertices.index_select(0, faces.view(-1)).view(-1, 3, 3)
    (x0, y0, z0), (x1, y1, z1), (x2, y2, z2) = (each.unbind(1) for each in corners.unbind(1))
    area = (x2 - x0) * (y1 - y0) - (y2 - y0) * (x1 - x0)
    fronts = (area > 0).nonzero().squeeze(1)  # what is hidden is hidden by a side that faces the camera
    boxes = corners[fronts, :, :2].float()
    low, high = boxes.amin(1).t() - _ROUNDING, boxes.amax(1).t() + _ROUNDING
    x, y = spots[:, :2].float().unbind(1)
    beside = ((x[:, None] >= low[0]) & (x[:, None] <= high[0])).nonzero()
    which, near = beside.unbind(1)
    kept = (y[which] >= low[1, near]) & (y[which] <= high[1, near])
    which, face = which[kept], fronts[near[kept]]
    (x0, y0, z0), (x1, y1, z1), (x2, y2, z2) = (each.unbind(1) for each in corners[face].unbind(1))
    x, y, depth = spots[which].unbind(1)
    w0 = ((x - x1) * (y2 - y1) - (y - y1) * (x2 - x1)) / area[face]
    w1 = ((x - x2) * (y0 - y2) - (y - y2) * (x0 - x2)) / area[face]
    w2 = 1 - w0 - w1
    before = 1 / (w0 / z0 + w1 / z1 + w2 / z2) < depth - slack[which]
    hides = (w0 >= 0) & (w1 >= 0) & (w2 >= 0) & before
    return torch.ones_like(spots[:, 0], dtype=torch.bool).index_fill_(0, which[hides], False)

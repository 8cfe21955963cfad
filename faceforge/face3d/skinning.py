"""Linear blend skinning: joints that turn, and the skin that follows them.

Joints stand in the order of `faceforge.face3d.head.JOINTS`, parents before children.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def rotations(axis_angle: Tensor) -> Tensor:
    """Axis-angle vectors (..., 3) in radians as matrices (..., 3, 3); exactly the identity at zero."""
    # Published coefficients were fitted with this 1e-8 in each component, and it keeps the gradient at zero finite.
    angle = (axis_angle + 1e-8).norm(dim=-1, keepdim=True)
    x, y, z = (axis_angle / angle).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*zero.shape, 3, 3)
    angle = angle[..., None]
    unit = torch.eye(3, dtype=cross.dtype, device=cross.device)
    turned: Tensor = unit + torch.sin(angle) * cross + (1 - torch.cos(angle)) * (cross @ cross)
    return turned


def axis_angles(rotation: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) as axis-angle vectors (..., 3) of at most half a turn."""
    # By way of the quaternion's largest component, which is never small; the trace alone fails at half a turn.
    m = rotation
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    rows = torch.stack(
        [
            torch.stack([1 + xx + yy + zz, wx, wy, wz], -1),
            torch.stack([wx, 1 + xx - yy - zz, xy, xz], -1),
            torch.stack([wy, xy, 1 - xx + yy - zz, yz], -1),
            torch.stack([wz, xz, yz, 1 - xx - yy + zz], -1),
        ],
        -2,
    )
    largest = rows.diagonal(dim1=-2, dim2=-1).argmax(-1)[..., None, None].expand(*rows.shape[:-2], 1, 4)
    quaternion = torch.nn.functional.normalize(rows.gather(-2, largest).squeeze(-2), dim=-1)
    quaternion = torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    sine = quaternion[..., 1:].norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(sine, quaternion[..., :1])
    # angle / sine tends to 2, and is written so where both vanish.
    return quaternion[..., 1:] * torch.where(sine > 1e-12, angle / sine.clamp(min=1e-12), 2.0)


def posed(
    rest: Tensor, joints: Tensor, turns: Tensor, weights: Tensor, parents: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Skin (B, V, 3) and joints (B, J, 3) at rest, turned at each joint (B, J, 3, 3) by weights (V, J)."""
    turned, places = _chain(joints, turns, parents)
    # What each joint does to a point of the skin at rest: turn it, then move it.
    moves = places - (turned @ joints[..., None]).squeeze(-1)
    mixed = weights @ torch.cat([turned.flatten(2), moves], -1)  # (B, V, 12)
    turn, move = mixed[..., :9].reshape(*mixed.shape[:2], 3, 3), mixed[..., 9:]
    return (turn @ rest[..., None]).squeeze(-1) + move, places


def _chain(joints: Tensor, turns: Tensor, parents: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Every joint's rotation and place once all its ancestors have turned."""
    turned, places = [turns[:, 0]], [joints[:, 0]]
    for joint, parent in enumerate(parents):
        if joint:
            offset = (joints[:, joint] - joints[:, parent])[..., None]
            places.append((turned[parent] @ offset).squeeze(-1) + places[parent])
            turned.append(turned[parent] @ turns[:, joint])
    return torch.stack(turned, 1), torch.stack(places, 1)


def yaw_deg(rotation: Tensor) -> Tensor:
    """How far rotations (..., 3, 3) turn a face to its left, -90 to 90 degrees; beyond profile it folds back."""
    forward = torch.sqrt(rotation[..., 0, 0] ** 2 + rotation[..., 1, 0] ** 2)
    return torch.atan2(-rotation[..., 2, 0], forward) * 180.0 / math.pi

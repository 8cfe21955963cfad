"""The squares in which judges look at faces, cut as roughly as landmarks are found."""

import torch
from torch import Tensor

from faceforge.face.squares import rotation
from faceforge.mer.framing import EYE_DISTANCE, EYES_AT
from faceforge_training.warps import Warp

WHOLE = (0.0, 0.0, 1.0)
_OFF = (0.015, 0.015, 0.05, 0.05)  # sides across and down, logarithm of the size, radians


def off(batch: int, much: float, random: torch.Generator) -> Tensor:
    """How far squares are off (batch, 4), most of them by less than `much` times what a finder is off."""
    return much * torch.randn(batch, 4, generator=random).clamp(-2.5, 2.5) * torch.tensor(_OFF)


def around(points: Tensor, off: Tensor, mirrored: Tensor, bend: Tensor, part: tuple[float, float, float]) -> Warp:
    """Of the frames of points (B, 68+, 2), off by (B, 4), one part: left, top and side in shares of the frame."""
    left_at, top_at, share = part
    right, left = points[:, 36:42].mean(1), points[:, 42:48].mean(1)
    across = left - right
    side = across.norm(dim=1) / EYE_DISTANCE * off[:, 2].exp()
    upright = rotation(torch.atan2(across[:, 1], across[:, 0]) + off[:, 3])
    below = torch.tensor([left_at + share / 2 - EYES_AT[0], top_at + share / 2 - EYES_AT[1]]) + off[:, :2]
    middle = (right + left) / 2 + torch.einsum("bij,bj->bi", upright, below) * side[:, None]
    reach = share * torch.stack([torch.where(mirrored, -side, side), side], -1)
    return Warp(middle, upright * reach[:, None], mirrored, bend)

"""Pictures as they are kept, in whole numbers or in 0..1, and the parts of them that are worked on, always in 0..1."""

import torch
from torch import Tensor

from faceforge.warp.window import sampled

_FULL = {torch.uint8: 255, torch.uint16: 65535}
_REACH = 3  # pixels that a bicubic look-up needs on each side


def in_floats(part: Tensor) -> Tensor:
    """Pixels of any kind in 0..1."""
    return part.float() / _FULL[part.dtype] if part.dtype in _FULL else part


def like(values: Tensor, kind: torch.dtype) -> Tensor:
    """Values in 0..1 as pixels of a kind."""
    return (values * _FULL[kind]).round().to(kind) if kind in _FULL else values


def looked_up(picture: Tensor, places: Tensor, *, mode: str = "bilinear") -> Tensor:
    """A picture of any kind (C, H, W) at places (h, w, 2) in pixels, (C, h, w) in 0..1; only a part of it is read."""
    size = torch.tensor(picture.shape[:0:-1])
    low = (places.amin((0, 1)).floor().long() - _REACH).clamp(min=0).minimum(size - 1)
    high = (places.amax((0, 1)).ceil().long() + _REACH).minimum(size).maximum(low + 1)
    (left, top), (right, bottom) = low.tolist(), high.tolist()
    return sampled(in_floats(picture[:, top:bottom, left:right]), places - low, mode=mode)

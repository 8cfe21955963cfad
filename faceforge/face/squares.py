"""Upright squares around faces, and how they are cut out of pictures."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

# iBUG's points as a mirror shows them, then the irises.
MIRRORED = (
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1), 69, 68,
)  # fmt: skip
MARGIN = 1.5  # the side of a crop, in sides of the face in it
_LEVELS = 5


def upright(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of points (B, 68+, 2): middle (B, 2) and side (B,) of the square around the face held upright, its roll (B,)."""
    right, left = points[:, 36:42].mean(1), points[:, 42:48].mean(1)
    roll = torch.atan2(left[:, 1] - right[:, 1], left[:, 0] - right[:, 0])
    turned = points[:, :68] @ rotation(roll)
    low, high = turned.amin(1), turned.amax(1)
    middle = torch.einsum("bij,bj->bi", rotation(roll), (low + high) / 2)
    return middle, (high - low).amax(1), roll


def rotation(angle: Tensor) -> Tensor:
    """Turns (B, 2, 2) by angles (B,); positive is clockwise where y points down."""
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack([torch.stack([cosine, -sine], -1), torch.stack([sine, cosine], -1)], -2)


def lattice(pixels: int, device: torch.device) -> Tensor:
    """Pixels' centres (pixels, pixels, 2) as offsets from a crop's middle, in its sides."""
    place = (torch.arange(pixels, device=device) + 0.5) / pixels - 0.5
    return torch.stack(torch.meshgrid(place, place, indexing="xy"), -1)


def cut(pictures: Tensor, places: Tensor, pixel: Tensor) -> Tensor:
    """Pictures (B, C, h, w) at places (B, n, n, 2) in pixels, 0 beyond their borders.

    Where a pixel of the crop is as large as several of the picture, as `pixel` (B,) says, these are averaged first.
    """
    size = places.new_tensor([pictures.shape[3], pictures.shape[2]])
    grid = places * (2 / size) - 1
    level = torch.log2(pixel.clamp(min=1)).round().long().clamp(max=_LEVELS)
    found = pictures.new_zeros(*pictures.shape[:2], *places.shape[1:3])
    for number in set(level.tolist()):
        here = level == number
        some = pictures if len(pictures) == 1 else pictures[here]
        # Padded by repetition to whole squares, so that places keep their pixels.
        smooth = avg_pool2d(some, 2**number, ceil_mode=True) if number else some
        scale = size / (places.new_tensor([smooth.shape[3], smooth.shape[2]]) * 2**number)
        there = (grid[here] + 1) * scale - 1
        found[here] = grid_sample(
            smooth.expand(len(there), -1, -1, -1), there, padding_mode="zeros", align_corners=False
        )
    return found

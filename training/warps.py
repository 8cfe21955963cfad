"""Squares cut out of pictures: turned, mirrored, stretched and bent, with what happens to points in them."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from faceforge.face.squares import MIRRORED, cut, lattice


@dataclass(frozen=True, eq=False)
class Warp:
    """B squares of pictures. `turn` takes offsets from a crop's middle, in sides, to offsets in pixels."""

    centre: Tensor  # (B, 2) pixels of the picture
    turn: Tensor  # (B, 2, 2)
    mirrored: Tensor  # (B,)
    bend: Tensor  # (B, 2, n, n) further offsets in sides, small and smooth

    def __getitem__(self, index: Tensor) -> "Warp":
        return Warp(**{each.name: getattr(self, each.name)[index] for each in fields(self)})

    def cut(self, pictures: Tensor) -> Tensor:
        """Crops (B, C, n, n) of pictures (B, C, h, w), 0 beyond their borders; what shrinks is smoothed first."""
        grid = lattice(self.bend.shape[-1], pictures.device) + self.bend.permute(0, 2, 3, 1)
        places = torch.einsum("bij,bhwj->bhwi", self.turn, grid) + self.centre[:, None, None]
        return cut(pictures, places, torch.linalg.det(self.turn).abs().sqrt() / self.bend.shape[-1])

    def points(self, points: Tensor) -> Tensor:
        """Points (B, 70, 2) of the picture in 0..1 of the crop, mirrored ones under their new names."""
        straight = torch.linalg.solve(self.turn, (points - self.centre[:, None]).mT).mT
        moved = straight
        for _ in range(4):  # undo the bend, which is small
            there = grid_sample(self.bend, 2 * moved[:, None], padding_mode="border", align_corners=False)
            moved = straight - there[:, :, 0].mT
        order = torch.tensor(MIRRORED, device=points.device)
        return 0.5 + torch.where(self.mirrored[:, None, None], moved[:, order], moved)


def bends(batch: int, pixels: int, amount: Tensor, generator: torch.Generator) -> Tensor:
    """Smooth random offsets (batch, 2, pixels, pixels) of about `amount` (batch,)."""
    coarse = torch.randn(batch, 2, 6, 6, generator=generator) * amount[:, None, None, None]
    finer = interpolate(coarse, size=(24, 24), mode="bicubic", align_corners=True)
    return interpolate(finer, size=(pixels, pixels), mode="bilinear", align_corners=True)

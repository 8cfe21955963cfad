"""A network that compares two pictures of one face: how much each action unit moved from the first to the second."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from faceforge.face.networks import Layer, Residual, evened

PIXELS = 80  # of a side, half of what a frame has there
INNER = (1 / 12, 1 / 8, 5 / 6)  # the part of a frame that is looked at: left, top and side
_CELLS = PIXELS // 16


def inner(frames: Tensor) -> Tensor:
    """Of frames (B, C, 192, 192) what is looked at, (B, C, 80, 80)."""
    left, top, side = (round(share * frames.shape[-1]) for share in INNER)
    return avg_pool2d(frames[:, :, top : top + side, left : left + side], side // PIXELS)


class PairNetwork(nn.Module):
    """Two grey crops (B, 1, 80, 80) each to signed changes (B, K) in FACS units.

    What is answered is one reading less the reading with the two pictures exchanged. Exchanging them therefore turns
    every sign, and a picture beside itself gives 0, both to the last digit and whatever the weights are.
    """

    def __init__(self, units: int, width: int = 24) -> None:
        super().__init__()
        fine, coarse = 2 * width, 4 * width
        self.look = nn.Sequential(Layer(2, width, 5, 2), Layer(width, fine, 3, 2), Residual(fine))
        self.compare = nn.Sequential(
            Layer(2 * fine, coarse, 3, 2), Residual(coarse), Layer(coarse, coarse, 3, 2), Residual(coarse)
        )
        self.answer = nn.Sequential(
            nn.Flatten(), nn.Linear(coarse * _CELLS**2, 128), nn.ReLU(), nn.Linear(128, units, bias=False)
        )

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        first, second = self.look(evened(before)), self.look(evened(after))
        return self._read(first, second) - self._read(second, first)

    def _read(self, first: Tensor, second: Tensor) -> Tensor:
        answer: Tensor = self.answer(self.compare(torch.cat([first, second - first], 1)))
        return answer

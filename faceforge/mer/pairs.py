"""A network that compares two pictures of one face: how much each action unit moved from the first to the second."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from faceforge.face.networks import Layer, Residual, evened

PIXELS = 80  # of a side, half of what a frame has there
INNER = (1 / 12, 1 / 8, 5 / 6)  # the part of a frame that is looked at: left, top and side
_CELLS = PIXELS // 16
_JUDGED = 128


def inner(frames: Tensor) -> Tensor:
    """Of frames (B, C, 192, 192) what is looked at, (B, C, 80, 80)."""
    left, top, side = (round(share * frames.shape[-1]) for share in INNER)
    return avg_pool2d(frames[:, :, top : top + side, left : left + side], side // PIXELS)


class PairNetwork(nn.Module):
    """Two grey crops (B, 1, 80, 80) each to signed changes (B, K) in FACS units.

    The difference of what is seen in both is only ever mapped linearly and multiplied by what does not change when the
    pictures are exchanged. Exchanging them therefore turns every sign, and a picture beside itself gives 0, both to
    the last digit and whatever the weights are.
    """

    def __init__(self, units: int, width: int = 16) -> None:
        super().__init__()
        fine, coarse = 2 * width, 4 * width
        self.look = nn.Sequential(Layer(2, width, 5, 2), Layer(width, fine, 3, 2), Residual(fine))
        self.compare = nn.ModuleList([_Comparison(fine, coarse), _Comparison(coarse, coarse)])
        self.judge = nn.Linear(coarse * _CELLS**2, _JUDGED, bias=False)
        self.weigh = nn.Linear(coarse * _CELLS**2, _JUDGED)
        self.answer = nn.Linear(_JUDGED, units, bias=False)
        for each in (self.judge, self.answer):
            nn.init.kaiming_normal_(each.weight, nonlinearity="linear")  # so that differences neither grow nor fade

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        first, second = self.look(evened(before)), self.look(evened(after))
        apart, both = second - first, first + second
        for compare in self.compare:
            apart, both = compare(apart, both)
        weights = 2 * torch.sigmoid(self.weigh(both.flatten(1)))
        answer: Tensor = self.answer(self.judge(apart.flatten(1)) * weights)
        return answer


class _Comparison(nn.Module):
    """Half as fine: a difference, which turns its sign with the order, and what both share, which does not."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.apart = nn.Conv2d(before, after, 3, 2, 1, bias=False)
        self.both = Layer(2 * before, after, 3, 2)
        self.gate = nn.Conv2d(after, after, 1)
        nn.init.kaiming_normal_(self.apart.weight, nonlinearity="linear")

    def forward(self, apart: Tensor, both: Tensor) -> tuple[Tensor, Tensor]:
        both = self.both(torch.cat([both, apart.abs()], 1))
        return 2 * self.apart(apart) * torch.sigmoid(self.gate(both)), both

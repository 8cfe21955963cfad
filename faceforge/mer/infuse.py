"""A network of two branches: what changed in the picture, magnified, and how it moved; the second informs the first.

Our own design after the abstract of InfuseNet (2025), whose networks are not public.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from faceforge.face.networks import Layer, Residual, evened

_WIDTHS = (16, 32, 48, 64)
_MAGNIFIED = 5.0
_FROM, _TO = 2.0, 10.0  # what it is drawn from while training


class Infused(nn.Module):
    """Grey pictures (B, 2, 64, 64), before and after, and flow channels (B, 3, 64, 64) to logits (B, K)."""

    def __init__(self, units: int) -> None:
        super().__init__()
        first = _WIDTHS[0]
        self.shape = Layer(2, first, 5, 2)
        self.motion = nn.Sequential(nn.Conv2d(3, first, 5, 2, 2), nn.ReLU())
        steps = list(pairwise(_WIDTHS))
        self.seen = nn.ModuleList([_stage(a, b) for a, b in steps])
        self.moved = nn.ModuleList([_stage(a, b) for a, b in steps])
        self.infusions = nn.ModuleList([_Infusion(b) for _, b in steps])
        self.answer = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.2), nn.Linear(2 * _WIDTHS[-1] * 16, 128), nn.ReLU(), nn.Linear(128, units)
        )

    def forward(self, grey: Tensor, channels: Tensor) -> Tensor:
        before, after = (self.shape(evened(each)) for each in (grey[:, :1], grey[:, 1:]))
        seen, moved = before + self._strength(len(grey)).to(before) * (after - before), self.motion(channels)
        for see, move, infuse in zip(self.seen, self.moved, self.infusions, strict=True):
            moved = move(moved)
            seen = infuse(see(seen), moved)
        answer: Tensor = self.answer(torch.cat([seen, moved], 1))
        return answer

    def _strength(self, batch: int) -> Tensor:
        drawn = _FROM + (_TO - _FROM) * torch.rand(batch, 1, 1, 1)
        return drawn if self.training else torch.full_like(drawn, _MAGNIFIED)


class _Infusion(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gate, self.add = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)

    def forward(self, seen: Tensor, moved: Tensor) -> Tensor:
        infused: Tensor = seen * torch.sigmoid(self.gate(moved)) + self.add(moved)
        return infused


def _stage(before: int, after: int) -> nn.Module:
    return nn.Sequential(Layer(before, after, 3, 2), Residual(after))

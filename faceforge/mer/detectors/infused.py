"""A network of two branches on flow: one sees it magnified, one as it is, and the second informs the first.

Our own design after the abstract of InfuseNet (2025), whose networks are not public.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from faceforge.face.networks import Layer, Residual
from faceforge.mer.presets import LIMIT

SIDE = 64  # pixels of its input
_WIDTHS = (16, 32, 48, 64)
_MAGNIFIED = 5.0
_FROM, _TO = 2.0, 10.0  # what it is drawn from while training


class Infused(nn.Module):
    """Flow channels (B, 3, 64, 64) to logits (B, K)."""

    def __init__(self, num_classes: int = 12) -> None:
        super().__init__()
        first = _WIDTHS[0]
        self.magnified, self.motion = (nn.Sequential(nn.Conv2d(3, first, 5, 2, 2), nn.ReLU()) for _ in range(2))
        steps = list(pairwise(_WIDTHS))
        self.seen = nn.ModuleList([_stage(a, b) for a, b in steps])
        self.moved = nn.ModuleList([_stage(a, b) for a, b in steps])
        self.infusions = nn.ModuleList([_Infusion(b) for _, b in steps])
        self.answer = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(2 * _WIDTHS[-1] * (SIDE // 16) ** 2, 128),
            nn.ReLU(),
            nn.Linear(128, num_classes),
        )

    def forward(self, channels: Tensor) -> Tensor:
        larger = (self._strength(len(channels)).to(channels) * channels).clamp(-LIMIT, LIMIT)
        seen, moved = self.magnified(larger), self.motion(channels)
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

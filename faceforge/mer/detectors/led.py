"""LED (MEB): what is left of slow motion after fast motion is taken out of a grey clip, read by SSSNet's two layers.

Re-derived from the public notebook, which leaves weights of frames yet to come uninitialised; here they are 0.
"""

import torch
from torch import Tensor, nn

SIDE = 64  # pixels of its input
FRAMES = 6
_GAIN, _FAST, _SLOW = 10.0, 0.4, 0.05


class LED(nn.Module):
    """Grey clips (B, 1, 6, 64, 64) from 0 to 1 to logits (B, num_classes)."""

    def __init__(self, num_classes: int = 12) -> None:
        super().__init__()
        self.filter = Leaky(FRAMES)
        self.conv1 = nn.Conv3d(1, 32, (1, 5, 5))
        self.pool = nn.MaxPool3d((1, 3, 3))
        self.bn1 = nn.BatchNorm3d(32)
        self.conv2 = nn.Conv3d(32, 64, (2, 3, 3))
        self.pool2 = nn.MaxPool3d(2)
        self.bn2 = nn.BatchNorm3d(64)
        self.fc1 = nn.Linear(64 * 2 * 9 * 9, 256)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(256, num_classes)

    def forward(self, clips: Tensor) -> Tensor:
        fine = self.bn1(self.pool(self.conv1(self.filter(clips)).relu()))
        coarse = self.bn2(self.pool2(self.conv2(fine).relu()))
        answer: Tensor = self.fc(self.dropout(self.fc1(coarse.flatten(1)).relu()))
        return answer


class Leaky(nn.Module):
    """The difference of two leaky sums over time, relative to the light there: (B, 1, T, H, W) to T - 1 frames.

    Gain and both rates are learned as logarithms, so they stay positive.
    """

    steps: Tensor

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.gain, self.fast, self.slow = (nn.Parameter(torch.tensor(each).log()) for each in (_GAIN, _FAST, _SLOW))
        order = torch.arange(frames, dtype=torch.get_default_dtype())
        self.register_buffer("steps", order[None] - order[:, None], persistent=False)

    def forward(self, clips: Tensor) -> Tensor:
        weights = self.weights()
        change = torch.einsum("ft,bcfhw->bcthw", weights, clips)
        light = torch.einsum("ft,bcfhw->bcthw", weights.abs(), clips)
        return (change / (light + 1))[:, :, 1:]

    def weights(self) -> Tensor:
        """How much of frame f (rows) is in frame t (columns), 0 where f is later: (T, T)."""
        gain, fast, slow = (each.exp() for each in (self.gain, self.fast, self.slow))
        return gain * (self._sum(fast) - self._sum(slow))

    def _sum(self, rate: Tensor) -> Tensor:
        decayed = (1 - rate) ** self.steps.clamp(min=0)
        enters = torch.cat([torch.ones_like(rate)[None], rate.expand(len(self.steps) - 1)])  # the first frame in full
        return torch.where(self.steps >= 0, enters[:, None] * decayed, 0.0)

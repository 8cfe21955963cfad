"""ELRCN (Khor et al., FG 2018): a VGG-16 for every frame of flow, then a recurrent layer over frames.

Re-derived layer by layer from the authors' code for Keras 2.0.6, whose recurrent gates are hard sigmoids.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

SIDE = 224  # pixels of its input
FRAMES = 9
_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_FEATURES = 4096


class ELRCN(nn.Module):
    """Clips of flow (B, T, sum of `streams`, side, side) to logits (B, num_classes).

    `streams` are the channels each encoder sees. One of 4 or 5 stacks flow, strain and grey (the spatial variant, SE);
    (3, 3) or (3, 3, 3) has an encoder for each and joins what they see (the temporal variant, TE).
    """

    def __init__(
        self, num_classes: int = 5, streams: tuple[int, ...] = (3,), side: int = SIDE, units: int = 3000
    ) -> None:
        super().__init__()
        self.streams = streams
        self.encoders = nn.ModuleList(encoder(channels, side) for channels in streams)
        self.lstm = HardLSTM(_FEATURES * len(streams), units)
        self.answer = nn.Sequential(nn.Linear(units, 128), nn.ReLU(), nn.Linear(128, num_classes))

    def forward(self, clips: Tensor) -> Tensor:
        frames = torch.split(clips.flatten(0, 1), list(self.streams), 1)
        seen = torch.cat([encode(each) for encode, each in zip(self.encoders, frames, strict=True)], 1)
        answer: Tensor = self.answer(self.lstm(seen.view(*clips.shape[:2], -1)))
        return answer


class HardLSTM(nn.Module):
    """The LSTM of Keras 2.0.6: sequences (B, T, inputs) to the last state (B, units).

    Gates are input, forget, cell, output in this order; all but the cell's are clip(0.2 x + 0.5, 0, 1).
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.kernel = nn.Linear(inputs, 4 * units)
        self.recurrent_kernel = nn.Linear(units, 4 * units, bias=False)
        nn.init.xavier_uniform_(self.kernel.weight)
        nn.init.orthogonal_(self.recurrent_kernel.weight)
        nn.init.zeros_(self.kernel.bias)
        nn.init.ones_(self.kernel.bias[units : 2 * units])

    def forward(self, sequence: Tensor) -> Tensor:
        state = cell = sequence.new_zeros(len(sequence), self.units)
        for step in self.kernel(sequence).unbind(1):
            admit, keep, new, show = (step + self.recurrent_kernel(state)).chunk(4, 1)
            cell = _hard(keep) * cell + _hard(admit) * new.tanh()
            state = _hard(show) * cell.tanh()
        return state


def encoder(channels: int, side: int = SIDE) -> nn.Sequential:
    """VGG-16 without its classifier: pictures (B, channels, side, side) to features (B, 4096)."""
    layers: list[nn.Module] = []
    for level in _WIDTHS:
        for before, after in pairwise((channels, *level)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
        channels = level[-1]
    layers.append(nn.Flatten())
    for inputs in (channels * (side // 2 ** len(_WIDTHS)) ** 2, _FEATURES):
        layers += [nn.Linear(inputs, _FEATURES), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers)


def _hard(gate: Tensor) -> Tensor:
    return (0.2 * gate + 0.5).clamp(0, 1)

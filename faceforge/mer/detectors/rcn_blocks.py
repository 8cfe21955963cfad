"""What the RCN family shares: stems, blocks that use a convolution again, and attention by the classes."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate


class Recurrent(nn.Module):
    """One convolution of width 1, then one of width 3 twice over, the block's input added each time; half the size."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.ffconv, self.rrconv = _layer(maps, maps, 1), _layer(maps, maps, 3, padding=1)
        self.downsample = _halve()

    def forward(self, seen: Tensor) -> Tensor:
        state = self.ffconv(seen)
        for _ in range(2):
            state = self.rrconv(seen + state)
        halved: Tensor = self.downsample(state)
        return halved


class Embedding(nn.Module):
    """One convolution of width 3 applied thrice to the sum of all before it; half the size. A weight may come first."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = _layer(maps, maps, 1), _layer(maps, maps, 3, padding=1)
        self.downsample = _halve()

    def forward(self, seen: Tensor, weight: Tensor | None = None) -> Tensor:
        state = self.conv1(seen)
        if weight is not None:
            state = state * interpolate(weight, state.shape[-2:])
        for _ in range(3):
            seen = seen + state
            state = self.conv2(seen)
        halved: Tensor = self.downsample(state)
        return halved


class Dense(Embedding):
    """The same without a weight; published with a third convolution that nothing uses."""

    def __init__(self, maps: int) -> None:
        super().__init__(maps)
        self.conv3 = _layer(maps, maps, 3, padding=1)


def attention(pooled: Tensor, rows: Tensor) -> Tensor:
    """Where the classes look in pooled features (B, C, p, p): weights from 0 to 1 (B, 1, p, p), flat ones 0.

    `rows` are the weights of the classes (K, C or 1, p, p). Gradients reach them from here too, as published; there a
    map without relief is not a number.
    """
    maps = (pooled[:, None] * rows).mean(2)
    maps = maps - maps.amin((2, 3), keepdim=True)
    highest = maps.amax((2, 3), keepdim=True)
    return (maps / torch.where(highest > 0, highest, 1.0)).mean(1, keepdim=True)


def _conv(before: int, after: int, width: int, **settings: int) -> nn.Conv2d:
    conv = nn.Conv2d(before, after, width, **settings)  # type: ignore[arg-type]
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv


def _layer(before: int, after: int, width: int, padding: int = 0) -> nn.Sequential:
    return nn.Sequential(_conv(before, after, width, padding=padding), nn.BatchNorm2d(after), nn.ReLU())


def _halve() -> nn.Sequential:
    return nn.Sequential(nn.MaxPool2d(2), nn.Dropout(0.5))


def stem(channels: int, maps: int) -> nn.Sequential:
    return nn.Sequential(*_layer(channels, maps, 5), *_halve())


def reach(channels: int, maps: int, far: int, pooling: bool = False) -> nn.Sequential:
    """A dilated convolution, a third of the size; by its stride or by pooling. Rectified before it is normed."""
    conv = _conv(channels, maps, 3, stride=1 if pooling else 3, dilation=far, padding=far)
    shrink = [nn.MaxPool2d(3, 3, padding=1)] if pooling else []
    return nn.Sequential(conv, nn.ReLU(), nn.BatchNorm2d(maps), *shrink, nn.Dropout(0.5))


def three_reaches(channels: int, maps: int) -> list[nn.Sequential]:
    return [reach(channels, maps // share, far) for share, far in ((2, 1), (4, 2), (4, 3))]

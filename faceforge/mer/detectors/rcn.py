"""The RCN family (Xia et al., TIP 2020): shallow recurrent networks on flow, six ways of looking and of weighing.

The authors' files and the public benchmark call the last layer `classifier`, `fc` or `fcr`; here it is `classifier`,
and weights under the other names load as well. As published P, C and F stop at names that do not exist; here they run.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

SIDE = 60  # pixels of the input


class _Rcn(nn.Module):
    """Flow channels (B, num_input, 60, 60) to logits (B, num_classes) by way of features (B, featuremaps, p, p)."""

    def __init__(
        self,
        num_input: int = 3,
        featuremaps: int = 64,
        num_classes: int = 12,
        num_layers: int = 1,
        pool_size: int = 5,
    ) -> None:
        super().__init__()
        self.maps, self.pool_size = featuremaps, pool_size
        self.build(num_input, featuremaps, num_layers)
        self.classifier = nn.Linear(featuremaps * pool_size**2, num_classes)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)
        self.register_load_state_dict_pre_hook(_one_name_for_the_classifier)  # type: ignore[no-untyped-call]

    def build(self, channels: int, maps: int, layers: int) -> None:
        raise NotImplementedError

    def features(self, channels: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, channels: Tensor) -> Tensor:
        answer: Tensor = self.classifier(self.features(channels).flatten(1))
        return answer

    def pooled(self, seen: Tensor) -> Tensor:
        return adaptive_avg_pool2d(seen, self.pool_size)

    def rows(self) -> Tensor:
        """What each class weighs, and where: (num_classes, featuremaps, p, p)."""
        return self.classifier.weight.view(-1, self.maps, self.pool_size, self.pool_size)


class RcnA(_Rcn):
    """Attention over a plain stem and a recurrent block."""

    def build(self, channels: int, maps: int, layers: int) -> None:
        self.conv1 = _stem(channels, maps)
        self.rcls = _several(Recurrent, maps, layers)

    def features(self, channels: Tensor) -> Tensor:
        seen = self.conv1(channels)
        return self.pooled(self.rcls(seen)) * attention(self.pooled(seen), self.rows())


class RcnS(_Rcn):
    """Short cuts: a plain stem and a dense block."""

    def build(self, channels: int, maps: int, layers: int) -> None:
        self.conv1 = _stem(channels, maps)
        self.dbl = _several(Dense, maps, layers)

    def features(self, channels: Tensor) -> Tensor:
        return self.pooled(self.dbl(self.conv1(channels)))


class RcnW(_Rcn):
    """Wide: three reaches side by side, then a recurrent block."""

    def build(self, channels: int, maps: int, layers: int) -> None:
        self.stream1, self.stream2, self.stream3 = _three_reaches(channels, maps)
        self.rcls = _several(Recurrent, maps, layers)

    def features(self, channels: Tensor) -> Tensor:
        seen = torch.cat([self.stream1(channels), self.stream2(channels), self.stream3(channels)], 1)
        return self.pooled(self.rcls(seen))


class RcnP(_Rcn):
    """Found by search, in parallel: two reaches, a dense block and attention. Its recurrent block is never used."""

    def build(self, channels: int, maps: int, layers: int) -> None:
        self.stream1, self.stream2 = (_reach(channels, maps // 2, each, pooling=True) for each in (1, 3))
        self.dbl = _several(Dense, maps, layers)
        self.rcls = _several(Recurrent, maps, layers)

    def features(self, channels: Tensor) -> Tensor:
        seen = torch.cat([self.stream1(channels), self.stream2(channels)], 1)
        return self.pooled(self.dbl(seen)) * attention(self.pooled(seen), self.rows())


class RcnC(_Rcn):
    """Found by search, in a chain: attention from the flow itself, then a dense block. Its embedding is never used."""

    def build(self, channels: int, maps: int, layers: int) -> None:
        self.stream1, self.stream2, self.stream3 = _three_reaches(channels, maps)
        self.dbl = _several(Dense, maps, layers)
        self.ebl = Embedding(maps)

    def features(self, channels: Tensor) -> Tensor:
        weight = attention(self.pooled(channels), self.rows().mean(1, keepdim=True))
        seen = torch.cat([self.stream1(channels), self.stream2(channels), self.stream3(channels)], 1)
        return self.pooled(self.dbl(seen * interpolate(weight, seen.shape[-2:])))


class RcnF(_Rcn):
    """Found by search, free: three reaches and attention inside the dense block.

    As published the second reach is looked at twice and the third never; `faithful=False` uses all three.
    """

    def __init__(self, *sizes: int, faithful: bool = True, **settings: int) -> None:
        super().__init__(*sizes, **settings)
        self.faithful = faithful

    def build(self, channels: int, maps: int, layers: int) -> None:
        self.stream1, self.stream2, self.stream3 = _three_reaches(channels, maps)
        self.ebl = Embedding(maps)

    def features(self, channels: Tensor) -> Tensor:
        third = self.stream2 if self.faithful else self.stream3
        seen = torch.cat([self.stream1(channels), self.stream2(channels), third(channels)], 1)
        return self.pooled(self.ebl(seen, attention(self.pooled(seen), self.rows())))


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


def _several(block: type[nn.Module], maps: int, layers: int) -> nn.Sequential:
    return nn.Sequential(*(block(maps) for _ in range(layers)))


def _conv(before: int, after: int, width: int, **settings: int) -> nn.Conv2d:
    conv = nn.Conv2d(before, after, width, **settings)  # type: ignore[arg-type]
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv


def _layer(before: int, after: int, width: int, padding: int = 0) -> nn.Sequential:
    return nn.Sequential(_conv(before, after, width, padding=padding), nn.BatchNorm2d(after), nn.ReLU())


def _halve() -> nn.Sequential:
    return nn.Sequential(nn.MaxPool2d(2), nn.Dropout(0.5))


def _stem(channels: int, maps: int) -> nn.Sequential:
    return nn.Sequential(*_layer(channels, maps, 5), *_halve())


def _reach(channels: int, maps: int, reach: int, pooling: bool = False) -> nn.Sequential:
    """A dilated convolution, a third of the size; by its stride or by pooling. Rectified before it is normed."""
    conv = _conv(channels, maps, 3, stride=1 if pooling else 3, dilation=reach, padding=reach)
    shrink = [nn.MaxPool2d(3, 3, padding=1)] if pooling else []
    return nn.Sequential(conv, nn.ReLU(), nn.BatchNorm2d(maps), *shrink, nn.Dropout(0.5))


def _three_reaches(channels: int, maps: int) -> list[nn.Sequential]:
    return [_reach(channels, maps // share, reach) for share, reach in ((2, 1), (4, 2), (4, 3))]


def _one_name_for_the_classifier(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    for key in [key for key in state if key.startswith((f"{prefix}fc.", f"{prefix}fcr."))]:
        state[f"{prefix}classifier.{key.rpartition('.')[2]}"] = state.pop(key)

"""The RCN family (Xia et al., TIP 2020): shallow recurrent networks on flow, six ways of looking and of weighing.

The authors' files and the public benchmark call the last layer `classifier`, `fc` or `fcr`; here it is `classifier`,
and weights under the other names load as well. As published P, C and F stop at names that do not exist; here they run.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from faceforge.mer.detectors.rcn_blocks import Dense, Embedding, Recurrent, attention, reach, stem, three_reaches

SIDE = 60  # pixels of the input


class _Rcn(nn.Module, ABC):
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

    @abstractmethod
    def build(self, channels: int, maps: int, layers: int) -> None:
        """Make the layers before the last."""

    @abstractmethod
    def features(self, channels: Tensor) -> Tensor:
        """What the classifier sees of flow channels."""

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
        self.conv1 = stem(channels, maps)
        self.rcls = _several(Recurrent, maps, layers)

    def features(self, channels: Tensor) -> Tensor:
        seen = self.conv1(channels)
        return self.pooled(self.rcls(seen)) * attention(self.pooled(seen), self.rows())


class RcnS(_Rcn):
    """Short cuts: a plain stem and a dense block."""

    def build(self, channels: int, maps: int, layers: int) -> None:
        self.conv1 = stem(channels, maps)
        self.dbl = _several(Dense, maps, layers)

    def features(self, channels: Tensor) -> Tensor:
        return self.pooled(self.dbl(self.conv1(channels)))


class RcnW(_Rcn):
    """Wide: three reaches side by side, then a recurrent block."""

    def build(self, channels: int, maps: int, layers: int) -> None:
        self.stream1, self.stream2, self.stream3 = three_reaches(channels, maps)
        self.rcls = _several(Recurrent, maps, layers)

    def features(self, channels: Tensor) -> Tensor:
        seen = torch.cat([self.stream1(channels), self.stream2(channels), self.stream3(channels)], 1)
        return self.pooled(self.rcls(seen))


class RcnP(_Rcn):
    """Found by search, in parallel: two reaches, a dense block and attention. Its recurrent block is never used."""

    def build(self, channels: int, maps: int, layers: int) -> None:
        self.stream1, self.stream2 = (reach(channels, maps // 2, each, pooling=True) for each in (1, 3))
        self.dbl = _several(Dense, maps, layers)
        self.rcls = _several(Recurrent, maps, layers)

    def features(self, channels: Tensor) -> Tensor:
        seen = torch.cat([self.stream1(channels), self.stream2(channels)], 1)
        return self.pooled(self.dbl(seen)) * attention(self.pooled(seen), self.rows())


class RcnC(_Rcn):
    """Found by search, in a chain: attention from the flow itself, then a dense block. Its embedding is never used."""

    def build(self, channels: int, maps: int, layers: int) -> None:
        self.stream1, self.stream2, self.stream3 = three_reaches(channels, maps)
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
        self.stream1, self.stream2, self.stream3 = three_reaches(channels, maps)
        self.ebl = Embedding(maps)

    def features(self, channels: Tensor) -> Tensor:
        third = self.stream2 if self.faithful else self.stream3
        seen = torch.cat([self.stream1(channels), self.stream2(channels), third(channels)], 1)
        return self.pooled(self.ebl(seen, attention(self.pooled(seen), self.rows())))


def _several(block: type[nn.Module], maps: int, layers: int) -> nn.Sequential:
    return nn.Sequential(*(block(maps) for _ in range(layers)))


def _one_name_for_the_classifier(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    for key in [key for key in state if key.startswith((f"{prefix}fc.", f"{prefix}fcr."))]:
        state[f"{prefix}classifier.{key.rpartition('.')[2]}"] = state.pop(key)

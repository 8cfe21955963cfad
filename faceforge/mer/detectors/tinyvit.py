"""TinyViT-21M (Wu et al., ECCV 2022) for pictures of 224 pixels, under its published keys."""

from collections import OrderedDict
from itertools import product

import torch
from torch import Tensor, nn

WIDTH = 576  # of its features
_WIDTHS, _DEPTHS = (96, 192, 384, WIDTH), (2, 2, 6, 2)
_WINDOWS = (7, 14, 7)
_HEAD = 32  # channels of one head


class TinyViT(nn.Module):
    """Pictures (B, 3, 224, 224) to features (B, 576). `head`, its classifier of ImageNet, is only kept for the keys."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        first = _WIDTHS[0]
        stem = _conv(3, first // 2, 3, stride=2), nn.GELU(), _conv(first // 2, first, 3, stride=2)
        self.patch_embed = nn.Sequential(OrderedDict(seq=nn.Sequential(*stem)))
        fine = _Level([_Narrow(first, 4 * first, first, short_cut=True) for _ in range(_DEPTHS[0])], first, _WIDTHS[1])
        self.layers = nn.Sequential(fine)
        for width, after, depth, window in zip(_WIDTHS[1:], (*_WIDTHS[2:], None), _DEPTHS[1:], _WINDOWS, strict=True):
            self.layers.append(_Level([_Block(width, window) for _ in range(depth)], width, after))
        self.norm_head = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        features: Tensor = self.norm_head(self.layers(self.patch_embed(pictures)).mean((2, 3)))
        return features


class _Level(nn.Module):
    def __init__(self, blocks: list[nn.Module], width: int, after: int | None) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.downsample = _Narrow(width, after, after, stride=2) if after else nn.Identity()

    def forward(self, seen: Tensor) -> Tensor:
        answer: Tensor = self.downsample(self.blocks(seen))
        return answer


class _Narrow(nn.Module):
    """Two convolutions of width 1 around one that looks at each channel alone."""

    def __init__(self, before: int, inside: int, after: int, stride: int = 1, short_cut: bool = False) -> None:
        super().__init__()
        self.conv1 = _conv(before, inside, 1)
        self.conv2 = _conv(inside, inside, 3, stride, groups=inside)
        self.conv3 = _conv(inside, after, 1)
        self.act, self.short_cut = nn.GELU(), short_cut

    def forward(self, seen: Tensor) -> Tensor:
        changed: Tensor = self.conv3(self.act(self.conv2(self.act(self.conv1(seen)))))
        answer: Tensor = self.act(seen + changed) if self.short_cut else changed
        return answer


class _Block(nn.Module):
    """Attention within windows, a look at the neighbours, and a perceptron."""

    def __init__(self, width: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.attn = _Attention(width, window)
        self.mlp = _Perceptron(width)
        self.local_conv = _conv(width, width, 3, groups=width)

    def forward(self, seen: Tensor) -> Tensor:
        seen = self.local_conv(seen + self._attended(seen))
        places = seen.flatten(2).transpose(1, 2)
        answer: Tensor = (places + self.mlp(places)).transpose(1, 2).unflatten(2, seen.shape[2:])
        return answer

    def _attended(self, seen: Tensor) -> Tensor:
        batch, width, height, breadth = seen.shape
        side = self.window
        cut = seen.reshape(batch, width, height // side, side, breadth // side, side)
        windows = cut.permute(0, 2, 4, 3, 5, 1)
        attended = self.attn(windows.flatten(0, 2).flatten(1, 2)).view(windows.shape)
        answer: Tensor = attended.permute(0, 5, 1, 3, 2, 4).reshape(seen.shape)
        return answer


class _Attention(nn.Module):
    """Attention over the places of a window, biased by how far apart they are."""

    offsets: Tensor

    def __init__(self, width: int, window: int) -> None:
        super().__init__()
        self.heads = width // _HEAD
        self.norm = nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(self.heads, window**2))
        places = torch.tensor(list(product(range(window), repeat=2)))
        apart = (places[:, None] - places[None]).abs()
        self.register_buffer("offsets", apart[..., 0] * window + apart[..., 1], persistent=False)

    def forward(self, places: Tensor) -> Tensor:
        each = self.qkv(self.norm(places)).unflatten(2, (self.heads, 3, _HEAD)).transpose(1, 2)
        query, key, value = each.unbind(3)  # (N, heads, places, channels)
        weights = (query @ key.transpose(2, 3) * _HEAD**-0.5 + self.attention_biases[:, self.offsets]).softmax(-1)
        answer: Tensor = self.proj((weights @ value).transpose(1, 2).flatten(2))
        return answer


class _Perceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.act = nn.LayerNorm(width), nn.GELU()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, places: Tensor) -> Tensor:
        answer: Tensor = self.fc2(self.act(self.fc1(self.norm(places))))
        return answer


def _conv(before: int, after: int, width: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(before, after, width, stride, width // 2, groups=groups, bias=False)
    return nn.Sequential(OrderedDict(c=conv, bn=nn.BatchNorm2d(after)))

"""HTNet (Wang et al., Neurocomputing 2024): transformers over blocks of a flow picture that grow from level to level.

At the published 28 pixels every block holds one token, so its attention has nothing to choose from and queries and keys
never learn; regions meet only where levels are joined.
"""

import torch
from torch import Tensor, nn

SIDE = 28  # pixels of its input


class HTNet(nn.Module):
    """Flow channels (B, channels, image_size, image_size) to logits (B, num_classes); keys are the published ones.

    Expects values from 0 to 255, and four crops of the flow picture at eyes and corners of the mouth, two by two.
    """

    def __init__(
        self,
        image_size: int = SIDE,
        patch_size: int = 7,
        num_classes: int = 3,
        dim: int = 256,
        heads: int = 3,
        num_hierarchies: int = 3,
        block_repeats: tuple[int, ...] = (2, 2, 10),
        channels: int = 3,
    ) -> None:
        super().__init__()
        tokens = (image_size // patch_size // 2 ** (num_hierarchies - 1)) ** 2
        self.to_patch_embedding = nn.Sequential(_Patches(patch_size), nn.Conv2d(channels * patch_size**2, dim, 1))
        self.layers = nn.Sequential()
        for level, repeats in zip(range(num_hierarchies), block_repeats, strict=True):
            width, left = dim * 2**level, num_hierarchies - 1 - level
            transformer = _Transformer(width, tokens, repeats, heads * 2**level)
            self.layers.append(_Level(transformer, _aggregate(width) if left else nn.Identity(), 2**left))
        self.mlp_head = nn.Sequential(_Norm(width), _Mean(), nn.Linear(width, num_classes))

    def forward(self, channels: Tensor) -> Tensor:
        answer: Tensor = self.mlp_head(self.layers(self.to_patch_embedding(channels)))
        return answer


class _Level(nn.Sequential):
    """A transformer within blocks, so many a side; then the step to the next level."""

    def __init__(self, transformer: nn.Module, join: nn.Module, a_side: int) -> None:
        super().__init__(transformer, join)
        self.a_side = a_side

    def forward(self, seen: Tensor) -> Tensor:
        transformer, join = self
        answer: Tensor = join(_whole(transformer(_blocks(seen, self.a_side)), self.a_side))
        return answer


class _Transformer(nn.Module):
    """Layers of attention and of a perceptron within blocks (N, width, h, w); one learned number a place."""

    def __init__(self, width: int, tokens: int, repeats: int, heads: int) -> None:
        super().__init__()
        self.pos_emb = nn.Parameter(torch.randn(tokens))
        pairs = ((_Attention(width, heads), _Perceptron(width)) for _ in range(repeats))
        self.layers = nn.Sequential(*(_Added(*(_Normed(width, each) for each in pair)) for pair in pairs))

    def forward(self, blocks: Tensor) -> Tensor:
        answer: Tensor = self.layers(blocks + self.pos_emb.view(blocks.shape[-2:]))
        return answer


class _Added(nn.Sequential):
    """What each module says is added to what it saw."""

    def forward(self, seen: Tensor) -> Tensor:
        for each in self:
            seen = seen + each(seen)
        return seen


class _Normed(nn.Module):
    def __init__(self, width: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm, self.fn = _Norm(width), fn

    def forward(self, seen: Tensor) -> Tensor:
        answer: Tensor = self.fn(self.norm(seen))
        return answer


class _Norm(nn.Module):
    """Layer norm over channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.g, self.b = nn.Parameter(torch.ones(1, width, 1, 1)), nn.Parameter(torch.zeros(1, width, 1, 1))

    def forward(self, seen: Tensor) -> Tensor:
        variance, mean = torch.var_mean(seen, 1, correction=0, keepdim=True)
        return (seen - mean) / (variance + 1e-5).sqrt() * self.g + self.b


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, inner = heads, width // heads * heads
        self.to_qkv = nn.Conv2d(width, 3 * inner, 1, bias=False)
        self.to_out = nn.Sequential(nn.Conv2d(inner, width, 1), nn.Dropout(0.0))

    def forward(self, seen: Tensor) -> Tensor:
        each = self.to_qkv(seen).unflatten(1, (3, self.heads, -1)).flatten(4)  # (N, 3, heads, head width, tokens)
        query, key, value = each.transpose(3, 4).unbind(1)
        weights = (query @ key.transpose(2, 3) * query.shape[-1] ** -0.5).softmax(-1)
        answer: Tensor = self.to_out((weights @ value).transpose(2, 3).flatten(1, 2).unflatten(2, seen.shape[-2:]))
        return answer


class _Perceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        wider = nn.Conv2d(width, 4 * width, 1), nn.GELU(), nn.Dropout(0.0)
        self.net = nn.Sequential(*wider, nn.Conv2d(4 * width, width, 1), nn.Dropout(0.0))

    def forward(self, seen: Tensor) -> Tensor:
        answer: Tensor = self.net(seen)
        return answer


class _Patches(nn.Module):
    """Squares of pixels as channels, the row within a square first, then the column, then the colour."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, channels: Tensor) -> Tensor:
        batch, colours, height, width = channels.shape
        squares = channels.reshape(batch, colours, height // self.side, self.side, width // self.side, self.side)
        return squares.permute(0, 3, 5, 1, 2, 4).flatten(1, 3)


class _Mean(nn.Module):
    def forward(self, seen: Tensor) -> Tensor:
        return seen.mean((2, 3))


def _aggregate(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, 2 * width, 3, padding=1), _Norm(2 * width), nn.MaxPool2d(3, 2, padding=1))


def _blocks(seen: Tensor, a_side: int) -> Tensor:
    """A map cut into blocks: (B, C, H, W) to (B * a_side², C, H / a_side, W / a_side)."""
    batch, width, rows, columns = seen.shape
    cut = seen.reshape(batch, width, a_side, rows // a_side, a_side, columns // a_side)
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)


def _whole(blocks: Tensor, a_side: int) -> Tensor:
    """The way back from blocks to the map."""
    cut = blocks.reshape(-1, a_side, a_side, *blocks.shape[1:])
    return cut.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)

"""Attention as the core reads it itself: extra tokens, and reference tokens whose strength is between 0 and 1."""

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention
from torch import Tensor


def read(attention: Attention, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """What queries (rows, N, C) read from keys and values (rows, M, C), heads merged, before the output projection.

    `bias` (rows, M) is added to the logits of each key in every head.
    """
    mask = None if bias is None else bias[:, None, None, :].to(query.dtype)
    q, k, v = (_split(attention, part) for part in (query, key, value))
    found = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=attention.scale)
    return found.transpose(1, 2).flatten(2).to(query.dtype)


def log_strength(strength: Tensor) -> Tensor:
    """The logit bias of tokens at a strength: 0 at one, minus infinity at zero, continuous in between.

    Scaling tokens or values does not approach their absence; a bias on their logits does.
    """
    return torch.log(strength)


def expanded(tensor: Tensor, rows: int) -> Tensor:
    """A shared (1, ...) tensor seen as one per row."""
    return tensor if tensor.shape[0] == rows else tensor.expand(rows, *tensor.shape[1:])


def _split(attention: Attention, tensor: Tensor) -> Tensor:
    return torch.unflatten(tensor, -1, (attention.heads, -1)).transpose(1, 2)

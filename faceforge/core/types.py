"""The values that flow through the core: a Request goes in, a plugin answers with a Contribution."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from faceforge.spec import EditSpec


@dataclass(frozen=True)
class Request:
    """One row of work: a spec, pictures (3, H, W) in -1..1 by name, vectors by name, and the source's own AUs.

    `latents` (C, h, w), not scaled, are those of pictures that were encoded before, as training does it.
    """

    spec: EditSpec
    pictures: Mapping[str, Tensor] = field(default_factory=dict)
    vectors: Mapping[str, Tensor] = field(default_factory=dict)
    measured: Mapping[str, float] | None = None
    latents: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Tokens:
    """Tokens (rows, N, C) that a self-attention layer may also read; `normed` if its norm1 has been applied.

    `parity_dtype` is what a release stores them in, where that is less than it computes in.
    """

    values: Tensor
    normed: bool = False
    parity_dtype: torch.dtype | None = None


@dataclass(frozen=True)
class KeyValue:
    """Keys and values (rows, N, C) for one cross-attention layer.

    One token needs no key: a softmax over one logit is 1, so its value is read as it is everywhere.
    """

    key: Tensor | None
    value: Tensor


@dataclass(frozen=True)
class Contribution:
    """What a plugin adds to an edit: tensors addressed to hook points, leading axis 1 (shared) or one per row."""

    timestep: Tensor | None = None
    input: Tensor | None = None
    output: Tensor | None = None
    context: Tensor | None = None
    self_attention: Mapping[str, Tokens] = field(default_factory=dict)
    cross_attention: Mapping[str, KeyValue] = field(default_factory=dict)

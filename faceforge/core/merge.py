"""Plugins merged into what the hooks of one UNet call read, in name order and by the laws of their points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from faceforge.core.attach import NOTHING, Reference, State
from faceforge.core.attention import expanded, log_strength
from faceforge.core.plugin import Plugin
from faceforge.core.points import SUMMED, HookPoint
from faceforge.core.rows import Call
from faceforge.core.temporal import Motion
from faceforge.core.types import KeyValue

Strengths = Mapping[str, Sequence[float]]  # of each plugin, for each row of a call


def merge(call: Call, strengths: Strengths, moving: Plugin | None = None) -> tuple[Tensor, State]:
    """The text tokens of a call, and its plugins merged into one state, in name order and by their points' laws."""
    rows = len(call.rows)
    motion: Motion | None = None
    sums: dict[HookPoint, Tensor] = {}
    references: defaultdict[str, list[tuple[Reference, Tensor | None]]] = defaultdict(list)
    reads: defaultdict[str, tuple[KeyValue, ...]] = defaultdict(tuple)
    context: Tensor | None = None
    for name in call.names:
        leaves, weights = call.leaves(name), strengths[name]
        if not any(weights):
            continue
        weight = None if all(each == 1.0 for each in weights) else torch.tensor(weights)
        if moving is not None and moving.temporal is not None and moving.name == name:
            motion = Motion(moving.temporal, call.frames, weight)
        for address, tensor in leaves.items():
            point, site = address.point, address.site
            if point is HookPoint.CONTEXT:
                context = expanded(tensor, rows)
            elif point in SUMMED:
                weighed = _times(tensor, weight)
                sums[point] = sums[point] + weighed.to(sums[point]) if point in sums else weighed
            elif point is HookPoint.SELF_ATTENTION and address.part == "value":
                key = leaves[address._replace(part="key")]
                references[site].append((Reference(key, tensor), weight))
            elif point is HookPoint.CROSS_ATTENTION and address.part == "value":
                reads[site] += (KeyValue(leaves.get(address._replace(part="key")), _times(tensor, weight)),)
    assert context is not None, "the text plugin is always there"
    together = {site: _together(each, rows) for site, each in references.items()}
    if not (sums or together or reads or motion):
        return context, NOTHING
    summed = {point.value: tensor for point, tensor in sums.items()}
    return context, State(**summed, references=together, reads=dict(reads), motion=motion)


def _times(tensor: Tensor, weight: Tensor | None) -> Tensor:
    return tensor if weight is None else tensor * weight.to(tensor).view(-1, *[1] * (tensor.ndim - 1))


def _together(parts: Sequence[tuple[Reference, Tensor | None]], rows: int) -> Reference:
    if len(parts) == 1 and parts[0][1] is None:
        return parts[0][0]
    keys = torch.cat([expanded(reference.key, rows) for reference, _ in parts], dim=1)
    values = torch.cat([expanded(reference.value, rows) for reference, _ in parts], dim=1)
    if all(weight is None for _, weight in parts):
        return Reference(keys, values)
    ones = torch.ones(rows)
    bias = [log_strength(ones if w is None else w)[:, None].expand(-1, ref.key.shape[1]) for ref, w in parts]
    return Reference(keys, values, torch.cat(bias, dim=1).to(keys))

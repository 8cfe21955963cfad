"""From plugins and requests to UNet calls: encode once, line rows up, merge plugins by the laws of their points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from faceforge.core.attach import NOTHING, Hooks, Reference, State
from faceforge.core.attention import expanded, log_strength
from faceforge.core.backbone import Backbone
from faceforge.core.cache import Cache, version
from faceforge.core.guidance import Branch
from faceforge.core.plugin import Plugin
from faceforge.core.points import HookPoint
from faceforge.core.requests import Requests
from faceforge.core.types import Contribution, KeyValue, Request

Strengths = Mapping[str, Sequence[float]]  # of each plugin, for each row of a call
Give = Callable[[Requests], Contribution | None]  # a plugin's encode or null


class Address(NamedTuple):
    """Where one tensor of a contribution belongs."""

    point: HookPoint
    site: str = ""
    part: str = ""


Leaves = Mapping[Address, Tensor]


class Row(NamedTuple):
    """One row of a UNet call: an item of the batch in one branch, with what each plugin gives it (leading axis 1)."""

    item: int
    branch: str
    leaves: Mapping[str, Leaves]


@dataclass(frozen=True)
class Call:
    """Rows that fit into one UNet call: the same plugins at the same sites with the same shapes."""

    items: list[int]
    branches: list[str]
    leaves: Mapping[str, Leaves]


class Encoder:
    """Runs plugins over requests; equal requests are encoded once, and remembered while no gradients flow."""

    def __init__(
        self, backbone: Backbone, cache: Cache | None = None, lora_scales: Mapping[str, float] | None = None
    ) -> None:
        self.backbone = backbone
        self.cache = cache
        self.lora_scales = tuple(sorted((lora_scales or {}).items()))

    def rows(self, plugin: Plugin, requests: Sequence[Request]) -> list[Leaves]:
        """What the plugin gives each request, every tensor with leading axis 1; equal rows are the same object."""
        return self._rows(plugin, requests, plugin.encode, "encode") or []

    def null_rows(self, plugin: Plugin, requests: Sequence[Request]) -> list[Leaves] | None:
        """The same for the null condition; None where it is what `rows` gave."""
        return self._rows(plugin, requests, plugin.null, "null")

    def _rows(self, plugin: Plugin, requests: Sequence[Request], give: Give, what: str) -> list[Leaves] | None:
        if torch.is_grad_enabled():
            return _split(give(self._view(plugin, requests)), len(requests), self.backbone.hooks)
        context = self._context(plugin, what)
        keys = [(context, key) for key in self._view(plugin, requests).row_keys()]
        first = {key: number for number, key in reversed(list(enumerate(keys)))}
        known = {key: found for key in first if (found := self._remembered(key)) is not None}
        missing = {key: number for key, number in first.items() if key not in known}
        if missing:
            contribution = give(self._view(plugin, [requests[number] for number in missing.values()]))
            fresh = _split(contribution, len(missing), self.backbone.hooks)
            if fresh is None:
                return None
            for key, leaves in zip(missing, fresh, strict=True):
                known[key] = leaves
                if self.cache is not None:
                    self.cache.put(key, leaves)
        return [known[key] for key in keys]

    def _view(self, plugin: Plugin, requests: Sequence[Request]) -> Requests:
        cache = None if torch.is_grad_enabled() else self.cache
        return Requests(requests, plugin.manifest, self.backbone, cache=cache, dose=plugin.dose)

    def _remembered(self, key: Hashable) -> Leaves | None:
        return None if self.cache is None else self.cache.get(key)

    def _context(self, plugin: Plugin, what: str) -> Hashable:
        backbone = self.backbone
        projected = HookPoint.SELF_ATTENTION in plugin.manifest.points
        unet = (version(backbone.unet), self.lora_scales) if projected else None
        dose = tuple(sorted(plugin.dose.items()))
        return plugin.name, version(plugin), what, dose, id(backbone), backbone.dtype, str(backbone.device), unet


def rows_of(
    encoder: Encoder, plugins: Iterable[Plugin], requests: Sequence[Request], branches: Sequence[Sequence[Branch]]
) -> list[Row]:
    """One row per request and branch it needs; a branch that says the same as the first one is left out."""
    ordered = sorted(plugins, key=lambda plugin: plugin.name)
    encoded = {plugin.name: encoder.rows(plugin, requests) for plugin in ordered}
    nulls = _nulls(encoder, ordered, requests, branches, encoded)
    rows = []
    for item, request in enumerate(requests):
        kept: list[Row] = []
        for branch in branches[item]:
            row = Row(
                item,
                branch.name,
                {name: (nulls if branch.is_null(name) else encoded)[name][item] for name in encoded},
            )
            if not kept or not _same(kept[0], row, request):
                kept.append(row)
        rows += kept
    return rows


def _nulls(
    encoder: Encoder,
    plugins: Sequence[Plugin],
    requests: Sequence[Request],
    branches: Sequence[Sequence[Branch]],
    encoded: Mapping[str, list[Leaves]],
) -> dict[str, list[Leaves]]:
    found = {}
    for plugin in plugins:
        wanted = any(branch.is_null(plugin.name) for each in branches for branch in each)
        nulls = encoder.null_rows(plugin, requests) if wanted else None
        found[plugin.name] = encoded[plugin.name] if nulls is None else nulls
    return found


def calls(rows: Sequence[Row], rows_per_call: int | None = None) -> list[Call]:
    """Rows grouped by what they carry, each group stacked into as few UNet calls as asked."""
    groups: defaultdict[Hashable, list[Row]] = defaultdict(list)
    for row in rows:
        groups[_shapes(row)].append(row)
    found = []
    for group in groups.values():
        size = rows_per_call or len(group)
        found += [_call(group[start : start + size]) for start in range(0, len(group), size)]
    return found


def merge(call: Call, strengths: Strengths) -> tuple[Tensor, State]:
    """The text tokens of a call, and its plugins merged into one state, in name order and by their points' laws."""
    rows = len(call.items)
    sums: dict[HookPoint, Tensor] = {}
    references: defaultdict[str, list[tuple[Reference, Tensor | None]]] = defaultdict(list)
    reads: defaultdict[str, tuple[KeyValue, ...]] = defaultdict(tuple)
    context: Tensor | None = None
    for name in sorted(call.leaves):
        leaves = call.leaves[name]
        weights = strengths[name]
        if not any(weights):
            continue
        weight = None if all(each == 1.0 for each in weights) else torch.tensor(weights)
        for address, tensor in leaves.items():
            point, site = address.point, address.site
            if point is HookPoint.CONTEXT:
                context = expanded(tensor, rows)
            elif point in (HookPoint.TIMESTEP, HookPoint.INPUT):
                weighed = _times(tensor, weight)
                sums[point] = sums[point] + weighed if point in sums else weighed
            elif point is HookPoint.SELF_ATTENTION and address.part == "value":
                key = leaves[address._replace(part="key")]
                references[site].append((Reference(key, tensor), weight))
            elif point is HookPoint.CROSS_ATTENTION and address.part == "value":
                reads[site] += (KeyValue(leaves.get(address._replace(part="key")), _times(tensor, weight)),)
    assert context is not None, "the text plugin is always there"
    together = {site: _together(each, rows) for site, each in references.items()}
    if not (sums or together or reads):
        return context, NOTHING
    return context, State(sums.get(HookPoint.TIMESTEP), sums.get(HookPoint.INPUT), together, dict(reads))


def _flat(contribution: Contribution, hooks: Hooks) -> Leaves:
    leaves: dict[Address, Tensor] = {}
    for point in (HookPoint.TIMESTEP, HookPoint.INPUT, HookPoint.CONTEXT):
        tensor = getattr(contribution, point.value)
        if tensor is not None:
            leaves[Address(point)] = tensor
    for site, tokens in contribution.self_attention.items():
        reference = hooks.project(site, tokens)
        leaves[Address(HookPoint.SELF_ATTENTION, site, "key")] = reference.key
        leaves[Address(HookPoint.SELF_ATTENTION, site, "value")] = reference.value
    for site, pair in contribution.cross_attention.items():
        if pair.key is not None:
            leaves[Address(HookPoint.CROSS_ATTENTION, site, "key")] = pair.key
        leaves[Address(HookPoint.CROSS_ATTENTION, site, "value")] = pair.value
    return leaves


def _split(contribution: Contribution | None, rows: int, hooks: Hooks) -> list[Leaves] | None:
    if contribution is None:
        return None
    leaves = _flat(contribution, hooks)
    shared = {address: tensor for address, tensor in leaves.items() if tensor.shape[0] == 1}
    if len(shared) == len(leaves):
        return [leaves] * rows
    return [{a: t if a in shared else t[number : number + 1] for a, t in leaves.items()} for number in range(rows)]


def _same(left: Row, right: Row, request: Request) -> bool:
    for name in left.leaves:
        one, other = left.leaves[name], right.leaves[name]
        if request.spec.strength.get(name) == 0 or one is other:
            continue
        if one.keys() != other.keys() or not all(torch.equal(one[address], other[address]) for address in one):
            return False
    return True


def _shapes(row: Row) -> Hashable:
    return tuple(
        (name, *((address, leaves[address].shape) for address in leaves)) for name, leaves in row.leaves.items()
    )


def _call(rows: Sequence[Row]) -> Call:
    stacked = {name: _stacked([row.leaves[name] for row in rows]) for name in rows[0].leaves}
    return Call([row.item for row in rows], [row.branch for row in rows], stacked)


def _stacked(rows: Sequence[Leaves]) -> Leaves:
    if all(row is rows[0] for row in rows):
        return rows[0]  # one tensor seen by every row: expanded only where a layer reads it
    return {address: torch.cat([row[address] for row in rows]) for address in rows[0]}


def _times(tensor: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return tensor
    return tensor * weight.to(tensor).view(-1, *[1] * (tensor.ndim - 1))


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

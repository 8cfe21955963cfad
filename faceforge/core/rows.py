"""From plugins and requests to UNet calls: encode once, line rows up, merge plugins by the laws of their points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from faceforge.core.attach import Reference
from faceforge.core.backbone import Backbone
from faceforge.core.cache import Cache, version
from faceforge.core.device import HOST
from faceforge.core.guidance import Branch
from faceforge.core.plugin import Plugin
from faceforge.core.points import SUMMED, HookPoint
from faceforge.core.requests import Requests
from faceforge.core.temporal import Window, consecutive
from faceforge.core.types import Contribution, Request, Tokens

Give = Callable[[Requests], Contribution | None]  # a plugin's encode or null
Project = Callable[[str, Tokens], Reference]


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
    spare: bool = False  # it would say what the item's first branch says


@dataclass(frozen=True)
class Call:
    """Rows that fit into one UNet call, window after window of so many frames: the same plugins with the same shapes.

    `weights` is what each row counts where several windows predict one item.
    """

    rows: Sequence[Row]
    weights: Sequence[float]
    frames: int = 1

    @property
    def items(self) -> list[int]:
        return [row.item for row in self.rows]

    @property
    def names(self) -> list[str]:
        return sorted(self.rows[0].leaves)

    def leaves(self, name: str) -> Leaves:
        """What one plugin gives these rows; stacked when asked for, since windows share their frames."""
        return _stacked([row.leaves[name] for row in self.rows])


@dataclass(frozen=True)
class Encoder:
    """Runs plugins over requests; equal requests are encoded once, and remembered while no gradients flow."""

    backbone: Backbone
    cache: Cache | None = None
    lora_scales: Mapping[str, float] = field(default_factory=dict)
    parity: bool = False
    waiting: bool = False  # maps of frames wait in main memory until their window needs them

    def rows(self, plugin: Plugin, requests: Sequence[Request]) -> list[Leaves]:
        """What the plugin gives each request, every tensor with leading axis 1; equal rows are the same object."""
        return self._rows(plugin, requests, plugin.encode, "encode") or []

    def null_rows(self, plugin: Plugin, requests: Sequence[Request]) -> list[Leaves] | None:
        """The same for the null condition; None where it is what `rows` gave."""
        return self._rows(plugin, requests, plugin.null, "null")

    def _rows(self, plugin: Plugin, requests: Sequence[Request], give: Give, what: str) -> list[Leaves] | None:
        if torch.is_grad_enabled():
            return self._leaves(give(self._view(plugin, requests)), len(requests))
        context = self._context(plugin, what)
        keys = [(context, key) for key in self._view(plugin, requests).row_keys()]
        first = {key: number for number, key in reversed(list(enumerate(keys)))}
        known = {key: found for key in first if (found := self._remembered(key)) is not None}
        missing = {key: number for key, number in first.items() if key not in known}
        if missing:
            contribution = give(self._view(plugin, [requests[number] for number in missing.values()]))
            fresh = self._leaves(contribution, len(missing))
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

    def _leaves(self, contribution: Contribution | None, rows: int) -> list[Leaves] | None:
        return _split(contribution, rows, self._project, self.waiting)

    def _project(self, site: str, tokens: Tokens) -> Reference:
        if self.parity and tokens.parity_dtype is not None:
            tokens = replace(tokens, values=tokens.values.to(tokens.parity_dtype))
        return self.backbone.hooks.project(site, tokens)

    def _remembered(self, key: Hashable) -> Leaves | None:
        return None if self.cache is None else self.cache.get(key)

    def _context(self, plugin: Plugin, what: str) -> Hashable:
        backbone = self.backbone
        scales = tuple(sorted(self.lora_scales.items()))
        projected = HookPoint.SELF_ATTENTION in plugin.manifest.points
        unet = (version(backbone.unet), scales, self.parity) if projected else None
        dose = tuple(sorted(plugin.dose.items()))
        return plugin.name, version(plugin), what, dose, id(backbone), backbone.dtype, str(backbone.device), unet


def rows_of(
    encoder: Encoder,
    plugins: Iterable[Plugin],
    requests: Iterable[Request],
    branches: Sequence[Sequence[Branch]],
    *,
    at_once: int | None = None,
) -> Iterator[Row]:
    """One row per request and branch it needs; requests are drawn and encoded so many at once."""
    ordered = sorted(plugins, key=lambda plugin: plugin.name)
    waiting, first = iter(requests), 0
    while part := list(islice(waiting, at_once)):
        needed = branches[first : first + len(part)]
        encoded = {plugin.name: encoder.rows(plugin, part) for plugin in ordered}
        nulls = {plugin.name: _null(encoder, plugin, part, needed) or encoded[plugin.name] for plugin in ordered}
        for number, request in enumerate(part):
            own = []
            for branch in needed[number]:
                leaves = {name: (nulls if branch.is_null(name) else encoded)[name][number] for name in encoded}
                own.append(Row(first + number, branch.name, leaves))
            yield own[0]
            yield from (row._replace(spare=_same(own[0], row, request)) for row in own[1:])
        first += len(part)


def _null(
    encoder: Encoder, plugin: Plugin, requests: Sequence[Request], branches: Sequence[Sequence[Branch]]
) -> list[Leaves] | None:
    """Its null condition, if a branch needs it and it is not what it encodes."""
    wanted = any(branch.is_null(plugin.name) for each in branches for branch in each)
    return encoder.null_rows(plugin, requests) if wanted else None


def calls(rows: Iterable[Row], rows_per_call: int | None = None, windows: Sequence[Window] | None = None) -> list[Call]:
    """Windows of rows grouped by what they carry, each group stacked into as few UNet calls as asked.

    Without windows every item is one of its own. A window is never split; spare rows are left out.
    """
    needed = {(row.item, row.branch): row for row in rows if not row.spare}
    items, branches = {item for item, _ in needed}, dict.fromkeys(branch for _, branch in needed)
    groups: defaultdict[Hashable, list[tuple[list[Row], Window]]] = defaultdict(list)
    for window in windows or consecutive(len(items), 1):
        for branch in branches:
            part = [needed[item, branch] for item in window.items if (item, branch) in needed]
            if part:
                groups[tuple(map(_shapes, part))].append((part, window))
    found = []
    for group in groups.values():
        frames = len(group[0][0])
        size = max(1, rows_per_call // frames) if rows_per_call else len(group)
        for start in range(0, len(group), size):
            together = group[start : start + size]
            weights = [weight for _, window in together for weight in window.weights]
            found.append(Call([row for part, _ in together for row in part], weights, frames))
    return found


def of_a_clip(rows: Iterable[Row]) -> list[Row]:
    """The same rows for frames that read one another: a branch that one of them needs runs for all."""
    kept = list(rows)
    needed = {row.branch for row in kept if not row.spare}
    return [row._replace(spare=row.branch not in needed) for row in kept]


def mover(plugins: Iterable[Plugin]) -> Plugin | None:
    """The plugin that owns what happens between frames, if there is one."""
    return next((plugin for plugin in plugins if plugin.temporal is not None), None)


def _flat(contribution: Contribution, project: Project, waiting: bool) -> Leaves:
    leaves: dict[Address, Tensor] = {}
    for point in (*SUMMED, HookPoint.CONTEXT):
        tensor = getattr(contribution, point.value)
        if tensor is not None:
            leaves[Address(point)] = tensor.to(HOST) if waiting and tensor.ndim == 4 else tensor
    for site, tokens in contribution.self_attention.items():
        reference = project(site, tokens)
        leaves[Address(HookPoint.SELF_ATTENTION, site, "key")] = reference.key
        leaves[Address(HookPoint.SELF_ATTENTION, site, "value")] = reference.value
    for site, pair in contribution.cross_attention.items():
        if pair.key is not None:
            leaves[Address(HookPoint.CROSS_ATTENTION, site, "key")] = pair.key
        leaves[Address(HookPoint.CROSS_ATTENTION, site, "value")] = pair.value
    return leaves


def _split(contribution: Contribution | None, rows: int, project: Project, waiting: bool) -> list[Leaves] | None:
    if contribution is None:
        return None
    leaves = _flat(contribution, project, waiting)
    shared = {address: tensor for address, tensor in leaves.items() if tensor.shape[0] == 1}
    if len(shared) == len(leaves):
        return [leaves] * rows
    return [{a: t if a in shared else t[number : number + 1] for a, t in leaves.items()} for number in range(rows)]


def _same(left: Row, right: Row, request: Request) -> bool:
    def equal(one: Leaves, other: Leaves) -> bool:
        return one is other or (one.keys() == other.keys() and all(torch.equal(one[each], other[each]) for each in one))

    strength = request.spec.strength
    return all(strength.get(name) == 0 or equal(left.leaves[name], right.leaves[name]) for name in left.leaves)


def _shapes(row: Row) -> Hashable:
    return tuple(
        (name, *((address, leaves[address].shape) for address in leaves)) for name, leaves in row.leaves.items()
    )


def _stacked(rows: Sequence[Leaves]) -> Leaves:
    if all(row is rows[0] for row in rows):
        return rows[0]  # one tensor seen by every row: expanded only where a layer reads it
    return {address: torch.cat([row[address] for row in rows]) for address in rows[0]}

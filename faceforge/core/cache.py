"""A bounded memory of tensors: what was computed for one edit serves the next one of the same face."""

from __future__ import annotations

import hashlib
import itertools
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

Tensors = Mapping[Any, Tensor]


class Cache:
    """Least recently used entries leave first once their bytes exceed the limit."""

    def __init__(self, limit_bytes: int = 512 * 2**20) -> None:
        self.limit_bytes = limit_bytes
        self._entries: OrderedDict[Hashable, Tensors] = OrderedDict()
        self.used_bytes = 0
        self.hits = 0
        self.misses = 0

    def get(self, key: Hashable) -> Tensors | None:
        found = self._entries.get(key)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._entries.move_to_end(key)
        return found

    def put(self, key: Hashable, tensors: Tensors) -> None:
        self._drop(key)
        self._entries[key] = tensors
        self.used_bytes += _size(tensors)
        while self.used_bytes > self.limit_bytes and self._entries:
            self._drop(next(iter(self._entries)))

    def clear(self) -> None:
        self._entries.clear()
        self.used_bytes = 0

    def _drop(self, key: Hashable) -> None:
        tensors = self._entries.pop(key, None)
        if tensors is not None:
            self.used_bytes -= _size(tensors)


def _size(tensors: Tensors) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


_fingerprints: WeakIdKeyDictionary = WeakIdKeyDictionary()


def fingerprint(tensor: Tensor) -> str:
    """The same for equal content, shape and dtype, wherever the tensor lives."""
    remembered = _fingerprints.get(tensor)  # type: ignore[no-untyped-call]
    if remembered is None or remembered[0] != tensor._version:
        remembered = tensor._version, _hashed(tensor)
        _fingerprints[tensor] = remembered
    return str(remembered[1])


def _hashed(tensor: Tensor) -> str:
    flat = tensor.detach().cpu().contiguous()
    seen = hashlib.blake2b(repr((flat.dtype, tuple(flat.shape))).encode(), digest_size=16)
    seen.update(flat.reshape(-1).view(torch.uint8).numpy().data)
    return seen.hexdigest()


_serials: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()
_next_serial = itertools.count()


def version(module: nn.Module | None) -> Hashable:
    """Changes whenever a parameter or buffer is replaced or written in place: what a cached result depends on."""
    if module is None:
        return None
    # An id alone may be handed to a new module after the old one is gone; a serial number never is.
    serial = _serials.setdefault(module, next(_next_serial))
    tensors = itertools.chain(module.parameters(), module.buffers())
    return serial, tuple((id(tensor), tensor._version) for tensor in tensors)

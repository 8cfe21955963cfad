"""What the records of a pickle mean: arrays of numpy, torch, scipy and chumpy, each rebuilt by us from its bytes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import UnsafePickle
from faceforge.io.inert import STORAGES, Name, Record
from faceforge.io.pickles import damaged, parsed_in_turn

_LARGEST_CONTENT = 1 << 30  # bytes of all arrays of one file together, however often it refers to the same ones
_DEEPEST = 40
_MOST_ITEMS = 20_000_000
_MOST_AXES = 8
_TORCH = 0x1950A86A20F9469CFC6C  # with which torch's old format begins

_DTYPE = re.compile(r"([<>=|]?)(\?|b1|[iu][1248]|f[248]|[SU]\d{1,4})")
OBJECTS = re.compile(r"[<>=|]?O[48]?")


class Reading:
    """One file's records on their way to arrays: what was made already, what is being made, and how much in all."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.made: dict[int, Any] = {}
        self.open: set[int] = set()
        self.bytes = 0
        self.sizes: dict[int, int] = {}
        self.kept: list[Any] = []  # so that no identity in `made` is used again

    def unsafe(self, what: str) -> UnsafePickle:
        return UnsafePickle(
            f"{self.where!r} holds {what[:120]}, expected only arrays, numbers and text; nothing in it was executed. "
            f"Download it from its publisher, or save its arrays as .npz."
        )

    def reserve(self, count: int) -> None:
        self.bytes += count
        if self.bytes > _LARGEST_CONTENT:
            raise self.unsafe(f"arrays of more than {_LARGEST_CONTENT >> 20} MB")

    def dense(self, code: str, shape: Any, fortran: bool, data: Any) -> NDArray[Any]:
        """An array of the given type and shape, if there are exactly as many bytes as that takes."""
        if not (
            isinstance(shape, tuple) and len(shape) <= _MOST_AXES and all(type(n) is int and n >= 0 for n in shape)
        ):
            raise self.unsafe("an array without a plain shape")
        if not _DTYPE.fullmatch(code):
            raise self.unsafe(f"an array of type {code!r}")
        raw = self.raw(data)
        dtype = np.dtype(code)
        if math.prod(shape) * dtype.itemsize != len(raw):
            raise damaged(self.where)
        self.reserve(len(raw))
        flat = np.frombuffer(raw, dtype).astype(dtype.newbyteorder("="))
        return flat.reshape(shape, order="F" if fortran else "C")

    def raw(self, data: Any) -> bytes:
        if isinstance(data, Record) and data.word in ("encode", "bytes"):
            data = self.value(data)
        if isinstance(data, str):  # Python 2 had no bytes
            self.reserve(len(data))
            data = data.encode("latin1")
        if not isinstance(data, bytes):
            raise self.unsafe("an array whose content is no bytes")
        return data

    def root(self, tree: Any) -> Any:
        """The value of a whole file; only there may it be an array of one object, as np.save makes of a dictionary."""
        self.kept.append(tree)
        if isinstance(tree, Record) and tree.word == "array" and isinstance(tree.state, tuple) and len(tree.state) == 5:
            _, shape, dtype, _, content = tree.state
            if shape == () and isinstance(content, list) and len(content) == 1 and self.is_object(dtype):
                return self.value(content[0])
        return self.value(tree)

    def is_object(self, dtype: Any) -> bool:
        return isinstance(dtype, Record) and dtype.word == "dtype" and bool(OBJECTS.fullmatch(str(dtype.arguments[0])))

    def value(self, node: Any, depth: int = 0) -> Any:
        if node is None or isinstance(node, bool | int | float | str | bytes):
            return node
        key = id(node)
        if key in self.made:
            return self.made[key]
        if key in self.open or depth > _DEEPEST:
            raise self.unsafe("containers inside each other without end")
        self.open.add(key)
        self.made[key] = self.container(node, depth + 1)
        self.open.discard(key)
        return self.made[key]

    def values(self, node: Any, items: Iterable[Any], depth: int) -> list[Any]:
        """The items of a container; one list in many places counts as often as it would be written out."""
        found = [self.value(item, depth) for item in items]
        self.sizes[id(node)] = 1 + sum(self.sizes.get(id(item), 1) for item in items)
        if self.sizes[id(node)] > _MOST_ITEMS:
            raise self.unsafe(f"more than {_MOST_ITEMS} items")
        return found

    def container(self, node: Any, depth: int) -> Any:
        if isinstance(node, list | tuple):
            return type(node)(self.values(node, node, depth))
        if isinstance(node, dict):
            return dict(zip(node, self.values(node, node.values(), depth), strict=True))
        if isinstance(node, Record) and (maker := _MAKERS.get(node.word)):
            return maker(self, node, depth)
        raise self.unsafe(f"a {node.word} where a value should be" if isinstance(node, Name | Record) else "a stranger")


def _dtype(reading: Reading, node: Any) -> str:
    """The code of a dtype record, with the byte order that its state adds."""
    if not (isinstance(node, Record) and node.word == "dtype" and node.arguments):
        raise reading.unsafe("an array without a type")
    code = node.arguments[0]
    if isinstance(code, bytes):
        code = code.decode("latin1")
    if not isinstance(code, str) or not _DTYPE.fullmatch(code):
        raise reading.unsafe(f"an array of type {code!r}" if isinstance(code, str) else "an array of a made-up type")
    state = node.state
    if state is None:
        return code
    if not isinstance(state, tuple) or len(state) < 5 or any(field is not None for field in state[2:5]):
        raise reading.unsafe("an array of named fields")
    order = state[1].decode("latin1") if isinstance(state[1], bytes) else state[1]
    if order not in ("<", ">", "=", "|"):
        raise reading.unsafe("an array without a byte order")
    return f"{order}{code.lstrip('<>=|')}"


def _array(reading: Reading, record: Record, depth: int) -> NDArray[Any]:
    if not (record.arguments and record.arguments[0] == Name("ndarray") and isinstance(record.state, tuple)):
        raise reading.unsafe("an array of no plain kind")
    _, shape, dtype, fortran, data = record.state
    return reading.dense(_dtype(reading, dtype), shape, bool(fortran), data)


def _buffer(reading: Reading, record: Record, depth: int) -> NDArray[Any]:
    data, dtype, shape, order = record.arguments
    return reading.dense(_dtype(reading, dtype), shape, order == "F", data)


def _scalar(reading: Reading, record: Record, depth: int) -> Any:
    dtype, data = record.arguments
    return reading.dense(_dtype(reading, dtype), (), False, data).item()


def _encoded(reading: Reading, record: Record, depth: int) -> bytes:
    """How protocol 2 spells bytes: as text of one character each."""
    text, *encoding = record.arguments
    if encoding != ["latin1"] or not isinstance(text, str):
        raise reading.unsafe("text in another encoding than latin1")
    return reading.raw(text)


def _no_bytes(reading: Reading, record: Record, depth: int) -> bytes:
    """How protocol 2 spells bytes of which there are none."""
    if record.arguments:
        raise reading.unsafe("bytes made from something else than text")
    return b""


def _items(reading: Reading, record: Record, depth: int) -> list[Any]:
    """The elements of a list or a set."""
    (items,) = record.arguments or ([],)
    found = reading.value(items, depth)
    if not isinstance(found, list | tuple):
        raise reading.unsafe(f"a {record.word} of something that has no elements")
    return list(found)


def _mapping(reading: Reading, record: Record, depth: int) -> dict[str, Any]:
    pairs = [*_items(reading, Record("list", record.arguments), depth)]
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise reading.unsafe("a dictionary of something else than names and values")
    return {**dict(pairs), **{key: reading.value(item, depth) for key, item in record.items.items()}}


def _bare(reading: Reading, record: Record, depth: int) -> Any:
    """What Python 2 made without protocol 2: the class is the first argument, and the state is set afterwards."""
    if len(record.arguments) != 3 or record.arguments[1:] != (Name("object"), None):
        raise reading.unsafe("an object made from something else than nothing")
    of = record.arguments[0]
    if not isinstance(of, Name) or of.word not in ("chumpy", "select", "csc"):
        raise reading.unsafe("an object of another class than chumpy's or scipy's")
    return _MAKERS[of.word](reading, Record(of.word, (), record.state), depth)


def _state(reading: Reading, record: Record, *names: str) -> list[Any]:
    if not isinstance(record.state, dict) or not set(names) <= record.state.keys():
        raise reading.unsafe(f"a {record.word} without {' and '.join(names)}")
    return [record.state[name] for name in names]


def _chumpy(reading: Reading, record: Record, depth: int) -> NDArray[Any]:
    """A chumpy variable is its value."""
    (content,) = _state(reading, record, "x")
    return np.asarray(_numbers(reading, content, depth))


def _select(reading: Reading, record: Record, depth: int) -> NDArray[Any]:
    """Chumpy's picking of elements, as in an array that was sliced."""
    source, picked = (_numbers(reading, each, depth) for each in _state(reading, record, "a", "idxs"))
    if picked.dtype.kind not in "iu" or (picked.size and not 0 <= picked.min() <= picked.max() < source.size):
        raise reading.unsafe("a choice of elements that are not there")
    reading.reserve(picked.size * source.itemsize)
    shape = reading.value(record.state.get("preferred_shape"), depth)
    chosen: NDArray[Any] = source.ravel()[picked.ravel()]
    return chosen.reshape(picked.shape if shape is None else tuple(int(n) for n in shape))


def _csc(reading: Reading, record: Record, depth: int) -> NDArray[Any]:
    """Scipy's matrix by compressed columns, as a dense one."""
    shape, *parts = _state(reading, record, "_shape", "data", "indices", "indptr")
    rows, columns = (int(n) for n in reading.value(shape, depth))
    data, indices, starts = (_numbers(reading, part, depth).ravel() for part in parts)
    counts: NDArray[np.int64] = starts[1:].astype(np.int64) - starts[:-1].astype(np.int64)
    if starts.size != columns + 1 or starts[0] != 0 or starts[-1] != data.size or (counts < 0).any():
        raise damaged(reading.where)
    if data.size != indices.size or (indices.size and not 0 <= indices.min() <= indices.max() < rows):
        raise damaged(reading.where)
    reading.reserve(rows * columns * data.itemsize)
    dense = np.zeros((rows, columns), data.dtype)
    np.add.at(dense, (indices, np.repeat(np.arange(columns), counts)), data)
    return dense


def _numbers(reading: Reading, node: Any, depth: int) -> NDArray[Any]:
    found = reading.value(node, depth)
    if not isinstance(found, np.ndarray):
        raise reading.unsafe("something else where an array should be")
    return found


def _tensor(reading: Reading, record: Record, depth: int) -> NDArray[Any]:
    """A torch tensor: a view of its storage, which is a file of torch's inside this one."""
    storage, offset, size, stride = record.arguments[:4]
    flat = _numbers(reading, storage, depth)
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or len(size) > _MOST_AXES or not all(type(n) is int and n >= 0 for n in numbers):
        raise damaged(reading.where)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if math.prod(size) > flat.size or (math.prod(size) and last >= flat.size):
        raise damaged(reading.where)
    reading.reserve(math.prod(size) * flat.itemsize)
    steps = tuple(step * flat.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(flat[offset:], tuple(size), steps).copy()


def _storage(reading: Reading, record: Record, depth: int) -> NDArray[Any]:
    """Torch's old file format: four pickles about one storage, one with its name, and its numbers behind them."""
    (content,) = record.arguments
    (magic, *_, about, names), data = parsed_in_turn(reading.raw(content), reading.where, 5)
    if magic != _TORCH or not isinstance(about, Record) or about.word != "reference" or len(names) != 1:
        raise reading.unsafe("a tensor that is not stored the way torch does")
    ((kind, of, _, _, count, view),) = about.arguments
    if kind != "storage" or not isinstance(of, Name) or of.word not in STORAGES.values() or view is not None:
        raise reading.unsafe("a tensor of an unknown type")
    if type(count) is not int or int.from_bytes(data[:8], "little") != count:
        raise damaged(reading.where)
    return reading.dense(of.word, (count,), False, data[8:])


_MAKERS: dict[str, Callable[[Reading, Record, int], Any]] = {
    "array": _array,
    "buffer": _buffer,
    "scalar": _scalar,
    "encode": _encoded,
    "bytes": _no_bytes,
    "list": _items,
    "set": _items,
    "dict": _mapping,
    "reconstructor": _bare,
    "chumpy": _chumpy,
    "select": _select,
    "csc": _csc,
    "tensor": _tensor,
    "storage": _storage,
}

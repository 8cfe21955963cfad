"""What a pickle may mention, and how it is kept: as words and records of ours, none of which can be called."""

from dataclasses import dataclass, field
from typing import Any

# Torch's classes of storages, and the type of numbers in each.
STORAGES = {
    "Double": "f8",
    "Float": "f4",
    "Half": "f2",
    "Long": "i8",
    "Int": "i4",
    "Short": "i2",
    "Char": "i1",
    "Byte": "u1",
    "Bool": "?",
}
_BUILTINS = ("object", "dict", "list", "set", "bytes")
# Every global that may occur, under the word by which its records are known. Nothing here is ever imported or called.
NAMES = {
    "numpy.core.multiarray._reconstruct": "array",
    "numpy._core.multiarray._reconstruct": "array",
    "numpy.core.numeric._frombuffer": "buffer",
    "numpy._core.numeric._frombuffer": "buffer",
    "numpy.core.multiarray.scalar": "scalar",
    "numpy._core.multiarray.scalar": "scalar",
    "numpy.ndarray": "ndarray",
    "numpy.dtype": "dtype",
    "_codecs.encode": "encode",
    "copy_reg._reconstructor": "reconstructor",
    "copyreg._reconstructor": "reconstructor",
    **{f"{home}.{name}": name for home in ("__builtin__", "builtins") for name in _BUILTINS},
    "collections.OrderedDict": "dict",
    "scipy.sparse.csc.csc_matrix": "csc",
    "scipy.sparse._csc.csc_matrix": "csc",
    "chumpy.ch.Ch": "chumpy",
    "chumpy.reordering.Select": "select",
    "torch._utils._rebuild_tensor_v2": "tensor",
    "torch.storage._load_from_bytes": "storage",
    **{f"torch.{kind}Storage": code for kind, code in STORAGES.items()},
}


@dataclass(frozen=True)
class Name:
    """A callable that a pickle mentions, by the word of our table."""

    word: str


@dataclass(eq=False)
class Record:
    """What a pickle wants made: by which callable, from what, with which state and items set on it afterwards."""

    word: str
    arguments: tuple[Any, ...]
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)

"""Tensors in and out of foreign files: nothing in them is ever executed, and every way they can be bad has a name."""

from __future__ import annotations

import hashlib
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faceforge.errors import BadWeights, CannotWrite
from faceforge.io.files import existing_file, replacing

if TYPE_CHECKING:
    from torch import Tensor

_PICKLES = (".ckpt", ".pt", ".pth", ".bin")


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """All tensors of a .safetensors or PyTorch file by dotted name, on the CPU; an outer "state_dict" is unwrapped."""
    file = existing_file(path, BadWeights)
    _refuse_stand_ins(file)
    if file.suffix == ".safetensors":
        content = _read_safetensors(file)
    elif file.suffix in _PICKLES:
        content = _read_pickle(file)
    else:
        raise BadWeights(f"{str(path)!r} is not a weights file: its name ends in .safetensors, {', '.join(_PICKLES)}.")
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    try:
        return _flattened(content, file)
    except RecursionError as reason:  # a pickle may hold a dict that contains itself
        raise BadWeights(f"{str(path)!r} nests its tensors without end; it was made to do harm. Delete it.") from reason


def without_prefix(tensors: Mapping[str, Tensor], *prefixes: str) -> dict[str, Tensor]:
    """The tensors with each prefix in turn removed from the names that start with it, such as "module." and "unet."."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        short = name
        for prefix in prefixes:
            short = short.removeprefix(prefix)
        if short in renamed:
            raise BadWeights(f"Two tensors are called {short!r} once {name!r} loses its prefix. Strip fewer prefixes.")
        renamed[short] = tensor
    return renamed


def read_metadata(path: str | Path) -> dict[str, str]:
    """What a .safetensors file says of itself."""
    from safetensors import safe_open

    file = existing_file(path, BadWeights)
    try:
        with safe_open(file, "pt") as opened:
            return dict(opened.metadata() or {})
    except Exception as reason:
        raise BadWeights(f"{str(path)!r} is cut off or damaged ({reason}). Download it again.") from reason


def write_tensors(path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """A .safetensors file, whole or not at all; tied weights are written twice."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with replacing(path) as temporary:
        try:
            save_file(dict(_separate(tensors)), temporary, {"format": "pt", **(metadata or {})})
        except SafetensorError as reason:
            raise CannotWrite(f"Cannot write {str(path)!r}: {reason}. Free space or choose another path.") from reason


def tensor_hashes(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """The first 16 hex digits of each tensor's SHA-256 over dtype, shape and bytes."""
    return {name: _digest(tensor)[:16] for name, tensor in tensors.items()}


def hash_of(tensors: Mapping[str, Tensor]) -> str:
    """One SHA-256 for all names and tensors, whatever their order."""
    lines = sorted(f"{name!r} {_digest(tensor)}" for name, tensor in tensors.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _refuse_stand_ins(file: Path) -> None:
    """What a download leaves when it did not fetch the weights."""
    try:
        with file.open("rb") as opened:
            start = opened.read(256).lstrip().lower()
    except OSError as reason:
        raise BadWeights(f"Cannot read {str(file)!r}: {reason.strerror}. Check its permissions.") from reason
    if not start:
        raise BadWeights(f"{str(file)!r} is empty. Download it again.")
    if start.startswith(b"version https://git-lfs"):
        raise BadWeights(f"{str(file)!r} is a Git LFS pointer, not the weights. Run `git lfs pull` in its folder.")
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise BadWeights(
            f"{str(file)!r} is a web page, not weights; the download may need a login. Open its address in a browser."
        )


def _read_safetensors(file: Path) -> Any:
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except Exception as reason:
        raise BadWeights(f"{str(file)!r} is cut off or damaged ({reason}). Download it again.") from reason


def _read_pickle(file: Path) -> Any:
    import torch

    try:
        with warnings.catch_warnings(action="ignore"):
            return torch.load(file, map_location=_stay, weights_only=True, mmap=zipfile.is_zipfile(file))
    except Exception as reason:  # unpickling damaged bytes raises almost anything
        if stranger := re.search(r"GLOBAL (\S+)", str(reason)):
            raise BadWeights(
                f"{str(file)!r} asks for {stranger[1]!r}, which is not a tensor; nothing in the file was executed. "
                f"Use a .safetensors version of these weights."
            ) from reason
        raise BadWeights(
            f"{str(file)!r} is cut off, damaged or no plain PyTorch checkpoint; nothing in it was executed. "
            f"Download it again, or use a .safetensors version."
        ) from reason


def _flattened(content: Any, file: Path) -> dict[str, Tensor]:
    flat: dict[str, Tensor] = {}
    for name, leaf in _leaves(content, ""):
        if name in flat:
            raise BadWeights(f"{str(file)!r} holds two tensors called {name!r}. Rename one and save it again.")
        if not _is_plain_tensor(leaf):
            raise BadWeights(
                f"{str(file)!r} holds a {type(leaf).__name__} at {name!r}, expected only dense tensors. "
                f"Save the state_dict alone."
            )
        flat[name] = leaf.detach()
    if not flat:
        raise BadWeights(f"{str(file)!r} holds no tensors. Check that it is the right file.")
    return flat


def _leaves(content: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(content, Mapping):
        yield name, content
        return
    for key, value in content.items():
        yield from _leaves(value, f"{name}.{key}" if name else str(key))


def _is_plain_tensor(leaf: Any) -> bool:
    import torch

    if not isinstance(leaf, torch.Tensor) or leaf.layout != torch.strided or leaf.is_quantized or leaf.is_meta:
        return False
    # A stride of zero lets a few bytes claim to be a terabyte.
    return leaf.numel() * leaf.element_size() <= leaf.untyped_storage().nbytes()


def _separate(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Safetensors refuses views and tied weights, so the second user of a storage gets a copy."""
    seen: set[int] = set()
    for name, tensor in tensors.items():
        dense = tensor.detach().cpu().contiguous()
        address = dense.untyped_storage().data_ptr()
        yield name, dense.clone() if address in seen else dense
        seen.add(address)


def _digest(tensor: Tensor) -> str:
    import torch

    dense = tensor.detach().cpu().contiguous()
    digest = hashlib.sha256(f"{dense.dtype} {tuple(dense.shape)} ".encode())
    # Viewed as bytes, because numpy knows no bfloat16.
    digest.update(dense.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _stay(storage: Any, _location: str) -> Any:
    """Where torch.load puts a storage: it stays in the memory it was read into, whatever device it was saved from."""
    return storage

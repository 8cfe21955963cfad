"""What DECA and SMIRK say about a face, as their releases order and name it, from the files that people save it in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faceforge.errors import BadHead
from faceforge.face3d.head import HeadParams
from faceforge.io.arrays import read_arrays
from faceforge.io.files import existing_file
from faceforge.io.weights import read_tensors

# The order of the 236 numbers that DECA's encoder puts out; its light is 9 harmonics of 3 colours.
DECA_ORDER = {"shape": 100, "tex": 50, "exp": 50, "pose": 6, "cam": 3, "light": 27}
DECA_WIDTH = sum(DECA_ORDER.values())
_LARGEST_JSON = 64 << 20
_TENSOR_FILES = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")


class _Code:
    """Rows of numbers, one row per frame."""

    def __len__(self) -> int:
        return len(next(iter(vars(self).values())))

    def __getitem__(self, frames: slice) -> Self:
        return type(self)(**{name: value[frames] for name, value in vars(self).items() if value is not None})

    def repeated(self, count: int) -> Self:
        """The same code for so many frames, if it has one row; itself if it has as many already."""
        if len(self) not in (1, count):
            raise BadHead(f"A code of {len(self)} frames cannot serve {count}. Give one frame, or as many.")
        rows = torch.zeros(count, dtype=torch.long) if len(self) == 1 else torch.arange(count)
        return type(self)(**{name: value[rows] for name, value in vars(self).items() if value is not None})

    def _check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        count = len(self)
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is None:
                continue
            if value.shape != (count, *shape) or not count:
                raise BadHead(
                    f"{name} has shape {tuple(value.shape)}, expected {('B', *shape)} with one row per frame."
                )
            if not torch.isfinite(value).all():
                where = (~torch.isfinite(value)).nonzero()[0].tolist()
                raise BadHead(f"{name}{where} is {float(value[tuple(where)])!r}. Leave out frames without a face.")


@dataclass(frozen=True, eq=False)
class DecaCode(_Code):
    """DECA's description of B frames, and the transform of the crop it looked at where that is known."""

    shape: Tensor  # (B, 100)
    tex: Tensor  # (B, 50)
    exp: Tensor  # (B, 50)
    pose: Tensor  # (B, 6) global rotation and jaw, axis-angle
    cam: Tensor  # (B, 3) scale, shift
    light: Tensor  # (B, 9, 3)
    crop: Tensor | None = None  # (B, 3, 3) pixels of the picture to pixels of the crop

    def __post_init__(self) -> None:
        flat = {name: (width,) for name, width in DECA_ORDER.items()}
        self._check({**flat, "light": (9, 3), "crop": (3, 3)})

    @classmethod
    def from_vector(cls, vector: Tensor) -> DecaCode:
        """From what the encoder puts out, (B, 236)."""
        if vector.ndim != 2 or vector.shape[1] != DECA_WIDTH:
            raise BadHead(f"A DECA code has shape {tuple(vector.shape)}, expected (B, {DECA_WIDTH}).")
        pieces = torch.split(vector, list(DECA_ORDER.values()), 1)
        parts = {name: piece.contiguous() for name, piece in zip(DECA_ORDER, pieces, strict=True)}
        return cls(**{**parts, "light": parts["light"].reshape(-1, 9, 3)})

    def vector(self) -> Tensor:
        """The code in the encoder's order, (B, 236)."""
        return torch.cat([getattr(self, name).flatten(1) for name in DECA_ORDER], 1)

    def params(self) -> HeadParams:
        """The face as parameters of FLAME; neck and eyes stay straight."""
        return HeadParams(identity=self.shape, expression=self.exp, rotation=self.pose[:, :3], jaw=self.pose[:, 3:])


@dataclass(frozen=True, eq=False)
class SmirkCode(_Code):
    """SMIRK's description of B frames."""

    pose_params: Tensor  # (B, 3) global rotation, axis-angle
    cam: Tensor  # (B, 3)
    shape_params: Tensor  # (B, 300)
    expression_params: Tensor  # (B, 50)
    eyelid_params: Tensor  # (B, 2) left, right
    jaw_params: Tensor  # (B, 3)

    def __post_init__(self) -> None:
        self._check(_SMIRK_SHAPES)

    def params(self) -> HeadParams:
        """The face as parameters of FLAME; neck and eyes stay straight."""
        return HeadParams(
            identity=self.shape_params,
            expression=self.expression_params,
            rotation=self.pose_params,
            jaw=self.jaw_params,
            eyelids=self.eyelid_params,
        )


_SMIRK_SHAPES = {
    "pose_params": (3,),
    "cam": (3,),
    "shape_params": (300,),
    "expression_params": (50,),
    "eyelid_params": (2,),
    "jaw_params": (3,),
}
# Other names under which the same numbers are saved.
_ALIASES = {"expression": "exp", "lights": "light", "tform": "crop"}


def read_deca(path: str | Path) -> DecaCode:
    """DECA's code from .npz, .npy, .pt, .safetensors, .json or a pickle: its named parts, or vectors of 236 numbers."""
    content = _content(path)
    if isinstance(content, Mapping) and len(content) == 1 and not set(content) & set(DECA_ORDER):
        (content,) = content.values()
    if not isinstance(content, Mapping):
        vector = _rows(content, (DECA_WIDTH,), "the code", path)
        return DecaCode.from_vector(vector)
    named = {_ALIASES.get(str(name), str(name)): value for name, value in content.items()}
    _require(named, DECA_ORDER, path)
    arrays = {name: _numbers(named[name], name, path) for name in DECA_ORDER}
    shapes: dict[str, tuple[int, ...]] = {name: (width,) for name, width in DECA_ORDER.items()}
    if arrays["light"].shape[-2:] == (9, 3):
        shapes["light"] = (9, 3)
    found = {name: _rows(array, shapes[name], name, path) for name, array in arrays.items()}
    found["light"] = found["light"].reshape(-1, 9, 3)
    if named.get("crop") is not None:
        found["crop"] = _rows(named["crop"], (3, 3), "crop", path)
    return DecaCode(**found)


def read_smirk(path: str | Path) -> SmirkCode:
    """SMIRK's code from the same kinds of files, its parts under the names of its release."""
    content = _content(path)
    if not isinstance(content, Mapping):
        raise BadHead(f"{str(path)!r} names nothing, expected {', '.join(_SMIRK_SHAPES)}. Save SMIRK's dictionary.")
    _require(content, _SMIRK_SHAPES, path)
    return SmirkCode(**{name: _rows(content[name], shape, name, path) for name, shape in _SMIRK_SHAPES.items()})


def _content(path: str | Path) -> Any:
    file = existing_file(path, BadHead)
    if file.suffix in _TENSOR_FILES:
        return read_tensors(file)
    if file.suffix != ".json":
        return read_arrays(file)
    try:
        if file.stat().st_size > _LARGEST_JSON:
            raise BadHead(f"{str(path)!r} has more than {_LARGEST_JSON >> 20} MB. Save the code as .npz.")
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError, OSError) as reason:
        raise BadHead(
            f"{str(path)!r} cannot be read as JSON ({type(reason).__name__}). Save the code again."
        ) from reason


def _require(content: Mapping[str, Any], names: Mapping[str, Any], path: str | Path) -> None:
    missing = [name for name in names if content.get(name) is None]
    if missing:
        raise BadHead(f"{str(path)!r} lacks {', '.join(missing)}; expected {', '.join(names)}. Save all of the code.")


def _rows(value: Any, shape: tuple[int, ...], name: str, path: str | Path) -> Tensor:
    """Numbers as (B, *shape); one frame may come without its batch axis."""
    array = _numbers(value, name, path)
    array = array[None] if array.shape == shape else array
    if array.shape[1:] != shape or not len(array):
        raise BadHead(f"{str(path)!r}: {name} has shape {array.shape}, expected {('B', *shape)}.")
    return torch.from_numpy(np.ascontiguousarray(array))


def _numbers(value: Any, name: str, path: str | Path) -> NDArray[np.float32]:
    try:
        # Text, None and ragged lists fail here.
        return value.detach().float().numpy() if isinstance(value, Tensor) else np.asarray(value, np.float32)
    except (TypeError, ValueError, OverflowError) as reason:
        raise BadHead(f"{str(path)!r}: {name} is not an array of numbers. Save the code again.") from reason

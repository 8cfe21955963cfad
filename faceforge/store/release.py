"""Reading somebody else's release: every tensor is taken exactly once, or the reading is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from diffusers import UNet2DConditionModel
from torch import Tensor

from faceforge.core.backbone import Backbone
from faceforge.core.plugin import Plugin
from faceforge.errors import BadWeights
from faceforge.io.weights import read_tensors, without_prefix


class Base(Protocol):
    """Supplies the stock parts that a release leaves out; a given UNet takes the place of the stock one."""

    def __call__(self, *, unet: UNet2DConditionModel | None = None) -> Backbone: ...


@dataclass(frozen=True)
class Files:
    """The folders of a release; a file is looked up by its published name, wherever it was downloaded from."""

    folders: tuple[Path, ...]

    def path(self, name: str) -> Path:
        for folder in self.folders:
            if (folder / name).is_file():
                return folder / name
        places = ", ".join(folder.name for folder in self.folders)
        raise BadWeights(f"{name!r} is not in {places}. Give the folder that holds the release's files.")

    def has(self, name: str) -> bool:
        """Whether there is a folder of that published name."""
        return any((folder / name).is_dir() for folder in self.folders)

    def network(self, name: str) -> str:
        """The published folder of a network, or the only checkpoint-* in it where it holds a run of training."""
        below = {path.parent.name for folder in self.folders for path in (folder / name).glob("checkpoint-*/*.json")}
        if not below or any((folder / name / "config.json").is_file() for folder in self.folders):
            return name
        if len(below) > 1:
            raise BadWeights(f"{name!r} holds {', '.join(sorted(below))}, expected one. Move the others elsewhere.")
        return f"{name}/{below.pop()}"


@dataclass(frozen=True)
class Release:
    """What came out of a published release: parts of a Forge, its defaults, and what came from where."""

    backbone: Backbone
    plugins: list[Plugin]
    defaults: Mapping[str, Any]
    report: list[str] = field(default_factory=list)


class Ledger:
    """The tensors of one file, each to be taken once; `close` refuses what nobody took."""

    def __init__(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        self.name = name
        self._left = dict(tensors)
        self._taken: list[str] = []

    @classmethod
    def of(cls, path: Path, *prefixes: str) -> Ledger:
        """The tensors of a file, without prefixes that some tools put before every name."""
        return cls(path.name, without_prefix(read_tensors(path), *prefixes))

    def take(self, key: str, shape: tuple[int, ...] | None = None) -> Tensor:
        """One tensor, of exactly this shape if one is given."""
        if key not in self._left:
            raise BadWeights(f"{self.name} lacks {key!r}. It is not complete, or not a release of this method.")
        tensor = self._left.pop(key)
        if shape is not None and tuple(tensor.shape) != shape:
            raise BadWeights(f"{self.name}: {key!r} has shape {tuple(tensor.shape)}, expected {shape}.")
        self._taken.append(key)
        return tensor

    def shape(self, key: str) -> tuple[int, ...]:
        """Of a tensor that nobody has taken yet; () where there is none."""
        return tuple(self._left[key].shape) if key in self._left else ()

    def take_all(self, wanted: Callable[[str], bool] = lambda key: True) -> dict[str, Tensor]:
        """Every remaining tensor whose name is wanted."""
        return {key: self.take(key) for key in [key for key in self._left if wanted(key)]}

    def ignore(self, reason: str, wanted: Callable[[str], bool]) -> list[str]:
        """Drop tensors that are known to do nothing; a line for the report if there were any."""
        dropped = [key for key in self._left if wanted(key)]
        for key in dropped:
            del self._left[key]
        return [f"{self.name}: {len(dropped)} tensors left out: {reason}"] if dropped else []

    def close(self, into: str) -> str:
        """A line for the report; refuses tensors that nobody asked for."""
        if self._left:
            shown = ", ".join(sorted(self._left)[:3])
            raise BadWeights(f"{self.name} has {len(self._left)} unknown tensors ({shown}, ...). It is another model.")
        return f"{self.name}: {len(self._taken)} tensors -> {into}"


def pairs_from(tensors: Mapping[str, Tensor], prefix: str = "unet.") -> dict[str, tuple[Tensor, Tensor]]:
    """Path -> (A, B) of a LoRA file in diffusers' layout, or of one with peft's bare names."""
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for key in tensors:
        if key.endswith(".lora_A.weight"):
            stem = key.removesuffix(".lora_A.weight")
            found[stem.removeprefix(prefix)] = (tensors[key], tensors[f"{stem}.lora_B.weight"])
    return found

"""Where a training was left: everything that the next step depends on, in one file that is whole or not there."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from faceforge.errors import BadWeights
from faceforge.io.files import replacing

NAME = "checkpoint.pt"


@dataclass(frozen=True)
class Checkpoint:
    """The state after `step` steps."""

    step: int
    seconds: float  # spent on them
    objective: dict[str, Tensor]
    average: dict[str, Tensor]
    optimizer: dict[str, Any]
    recipe: str  # what was trained, to refuse another recipe's state
    scaler: dict[str, Any] = field(default_factory=dict)  # of gradients in half precision


def save(folder: Path, state: Checkpoint) -> None:
    """Replace the folder's checkpoint."""
    with replacing(folder / NAME) as temporary:
        torch.save(vars(state), temporary)


def tidy(folder: Path) -> None:
    """Delete what a kill left half written."""
    for each in folder.glob(".faceforge-*"):
        if each.is_file():
            each.unlink()


def load(folder: Path, recipe: str) -> Checkpoint | None:
    """The folder's checkpoint, if there is one."""
    file = folder / NAME
    if not file.exists():
        return None
    try:
        state = Checkpoint(**torch.load(file, map_location="cpu", weights_only=True))
    except Exception as reason:  # unpickling damaged bytes raises almost anything
        raise BadWeights(
            f"{str(file)!r} cannot be read ({type(reason).__name__}). Delete it to start again, or train elsewhere."
        ) from reason
    if state.recipe != recipe:
        raise BadWeights(
            f"{str(file)!r} was left by a training with other settings. Train in another folder, or delete it."
        )
    return state

"""What training refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from faceforge.errors import FaceForgeError


class BadRecipe(FaceForgeError):
    """A recipe with names or values that no training can use."""


class Diverged(FaceForgeError):
    """A loss that is no number; the batch that led there was kept."""


class OutOfMemory(FaceForgeError):
    """A step that does not fit onto the device."""


@contextmanager
def advised() -> Iterator[None]:
    """Say what to do where memory ends."""
    try:
        yield
    except torch.OutOfMemoryError as reason:
        raise OutOfMemory(
            "A step does not fit into the device's memory. Halve data.batch and double optim.accumulate, which learns "
            "the same; or set run.precision=bf16, objective.checkpointing=true or optim.kind=adamw-8bit."
        ) from reason

"""What a training learns, apart from what it only uses: as tensors by name, and in files of half precision."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from faceforge.errors import BadWeights
from faceforge.io.weights import read_metadata, read_tensors, write_tensors

WEIGHTS = "weights.safetensors"
MOST_BYTES, MOST_FILES = 16_000_000, 6  # of one file; more weights than that make larger files, never more of them

Tensors = Mapping[str, Tensor]


def learned(objective: nn.Module) -> dict[str, Tensor]:
    """The live weights that training changes, buffers included; frozen ones are left out."""
    parameters = dict(objective.named_parameters(remove_duplicate=False))
    found = {name: each.detach() for name, each in objective.named_parameters() if each.requires_grad}
    return found | {name: each for name, each in objective.state_dict().items() if name not in parameters}


@torch.no_grad()
def copy(source: Tensors, target: Tensors) -> None:
    """Set tensors to the values of others of the same names."""
    for name, value in target.items():
        value.copy_(source[name])


@contextmanager
def lent(averaged: Tensors, live: Tensors) -> Iterator[None]:
    """The averaged weights in the place of the live ones, which return bit for bit."""
    kept = {name: value.clone() for name, value in live.items()}
    copy(averaged, live)
    try:
        yield
    finally:
        copy(kept, live)


def fill(objective: nn.Module, found: Tensors) -> None:
    """Begin with weights that an earlier training of the same shape left."""
    own = learned(objective)
    wrong = sorted(name for name in own if name not in found or found[name].shape != own[name].shape)
    if wrong or found.keys() - own.keys():
        name = (wrong or sorted(found.keys() - own.keys()))[0]
        raise BadWeights(f"The weights to start from do not fit: {name!r} differs. Name those of the same objective.")
    copy(found, own)


def write(folder: Path, tensors: Tensors, facts: Mapping[str, str]) -> None:
    """Half precision in one file, or in a few where it would be large."""
    halves = {name: each.half() if each.is_floating_point() else each for name, each in tensors.items()}
    shards = _shards(halves)
    for number, shard in enumerate(shards, start=1):
        name = WEIGHTS if len(shards) == 1 else f"weights-{number}-of-{len(shards)}.safetensors"
        write_tensors(folder / name, shard, facts)


def read(source: Path) -> dict[str, Tensor]:
    """What `write` left in a folder, or one file's tensors."""
    if source.is_file():
        return read_tensors(source)
    files = [source / WEIGHTS] if (source / WEIGHTS).is_file() else sorted(source.glob("weights-*-of-*.safetensors"))
    if not files:
        raise BadWeights(f"{str(source)!r} holds no weights of a training. Give a run's folder, or a weights file.")
    counts = {re.sub(r".*-of-(\d+)\..*", r"\1", each.name) for each in files if each.name != WEIGHTS}
    if counts and counts != {str(len(files))}:
        raise BadWeights(f"{str(source)!r} holds {len(files)} of {', '.join(sorted(counts))} files of weights.")
    if len({read_metadata(each)["steps"] for each in files}) > 1:
        raise BadWeights(
            f"The files of weights in {str(source)!r} are of different steps: the training was stopped while it wrote "
            f"them. Go on with the same command."
        )
    return {name: each for file in files for name, each in read_tensors(file).items()}


def _shards(tensors: Tensors) -> list[dict[str, Tensor]]:
    """Tensors in order, cut before a file would be too large."""
    most = max(MOST_BYTES, sum(each.nbytes for each in tensors.values()) / (MOST_FILES - 1))
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, each in tensors.items():
        if size and size + each.nbytes > most:
            shards.append({})
            size = 0
        shards[-1][name] = each
        size += each.nbytes
    return shards

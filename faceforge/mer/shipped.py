"""Networks that ship with FaceForge, with what was recorded when they were trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from torch import nn

from faceforge.errors import BadWeights
from faceforge.io.files import sha256
from faceforge.io.weights import read_metadata, read_tensors


@dataclass(frozen=True)
class Shipped:
    """A network ready to judge."""

    network: nn.Module
    facts: Mapping[str, str]  # what its file says of it
    sha256: str


def shipped(name: str, network: nn.Module, weights: Path | None = None) -> Shipped:
    """A network filled from `assets`, or from other weights."""
    with as_file(files("faceforge.assets") / name) as asset:
        file = weights or asset
        tensors = {key: each.float() for key, each in read_tensors(file).items()}
        facts, digest = read_metadata(file), sha256(file)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as reason:
        raise BadWeights(f"{str(file)!r} does not fit this version of FaceForge. Install it again.") from reason
    return Shipped(network.eval(), facts, digest)

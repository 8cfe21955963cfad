"""Networks that ship with FaceForge, with what was recorded when they were trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files

from safetensors import safe_open
from torch import nn

from faceforge.errors import BadWeights
from faceforge.io.weights import read_tensors


@dataclass(frozen=True)
class Shipped:
    """A network ready to use, and what its file says of it."""

    network: nn.Module
    facts: Mapping[str, str]


def shipped(name: str, network: nn.Module) -> Shipped:
    """A network of `assets`, filled and set to judge."""
    with as_file(files("faceforge.assets") / name) as file:
        tensors = {key: each.float() for key, each in read_tensors(file).items()}
        with safe_open(file, "pt") as opened:
            facts = dict(opened.metadata())
    try:
        network.load_state_dict(tensors)
    except RuntimeError as reason:
        raise BadWeights(f"{name!r} does not fit this version of FaceForge. Install it again.") from reason
    return Shipped(network.eval(), facts)

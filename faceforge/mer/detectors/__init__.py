"""Networks that read micro-expressions from flow: one file each, found by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from faceforge.errors import BadSpec, nearest

if TYPE_CHECKING:
    from torch import nn

DETECTORS = {
    "sssnet": "faceforge.mer.detectors.sssnet:SSSNet",
    "infused": "faceforge.mer.detectors.infused:Infused",
}


def detector(name: str, **settings: Any) -> nn.Module:
    """A network by name with fresh weights; settings are those of its class."""
    if name not in DETECTORS:
        raise BadSpec(f"No detector is called {name!r}. {nearest(name, DETECTORS)}")
    module, _, kind = DETECTORS[name].partition(":")
    made: nn.Module = getattr(import_module(module), kind)(**settings)
    return made

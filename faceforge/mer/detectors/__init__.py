"""Networks that read micro-expressions from flow: one file each, found by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from faceforge.errors import BadSpec, nearest

if TYPE_CHECKING:
    from torch import nn

DETECTORS = {
    "sssnet": "faceforge.mer.detectors.sssnet:SSSNet",
    "ststnet": "faceforge.mer.detectors.ststnet:STSTNet",
    "offapexnet": "faceforge.mer.detectors.offapexnet:OffApexNet",
    "rcn_a": "faceforge.mer.detectors.rcn:RcnA",
    "rcn_s": "faceforge.mer.detectors.rcn:RcnS",
    "rcn_w": "faceforge.mer.detectors.rcn:RcnW",
    "rcn_p": "faceforge.mer.detectors.rcn:RcnP",
    "rcn_c": "faceforge.mer.detectors.rcn:RcnC",
    "rcn_f": "faceforge.mer.detectors.rcn:RcnF",
    "htnet": "faceforge.mer.detectors.htnet:HTNet",
    "led": "faceforge.mer.detectors.led:LED",
    "elrcn": "faceforge.mer.detectors.elrcn:ELRCN",
    "ethnic_mtl": "faceforge.mer.detectors.ethnic:SharedTrunk",
    "ethnic_resnet_latefusion": "faceforge.mer.detectors.ethnic:LateFusion",
    "ethnic_tinyvit_latefusion": "faceforge.mer.detectors.ethnic:TinyViTLateFusion",
    "infused": "faceforge.mer.detectors.infused:Infused",
}


def detector(name: str, **settings: Any) -> nn.Module:
    """A network by name with fresh weights; settings are those of its class."""
    if name not in DETECTORS:
        raise BadSpec(f"No detector is called {name!r}. {nearest(name, DETECTORS)}")
    module, _, kind = DETECTORS[name].partition(":")
    made: nn.Module = getattr(import_module(module), kind)(**settings)
    return made

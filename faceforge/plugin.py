"""The names a plugin author needs, in one place."""

from faceforge.core.attributes import AttributeController
from faceforge.core.backbone import Backbone
from faceforge.core.guidance import Branch, ClassifierFree, Guidance
from faceforge.core.identity import IdentityEncoder
from faceforge.core.lora import Lora, attention_layers
from faceforge.core.manifest import Aus, Control, Manifest, Published, Weights
from faceforge.core.plugin import Plugin, Reader, filled, per_site, read_everywhere, zeroed
from faceforge.core.points import HookPoint, Law
from faceforge.core.requests import Requests
from faceforge.core.temporal import Temporal
from faceforge.core.types import Contribution, KeyValue, Request, Tokens
from faceforge.errors import BadSpec, BadWeights
from faceforge.store.backbones import empty_unet, read_config, unipc
from faceforge.store.paired import MAGICFACE, RIGFACE, Paired
from faceforge.store.release import Base, Files, Ledger, Release, pairs_from

__all__ = [
    "MAGICFACE",
    "RIGFACE",
    "AttributeController",
    "Aus",
    "Backbone",
    "BadSpec",
    "BadWeights",
    "Base",
    "Branch",
    "ClassifierFree",
    "Contribution",
    "Control",
    "Files",
    "Guidance",
    "HookPoint",
    "IdentityEncoder",
    "KeyValue",
    "Law",
    "Ledger",
    "Lora",
    "Manifest",
    "Paired",
    "Plugin",
    "Published",
    "Reader",
    "Release",
    "Request",
    "Requests",
    "Temporal",
    "Tokens",
    "Weights",
    "attention_layers",
    "empty_unet",
    "filled",
    "pairs_from",
    "per_site",
    "read_config",
    "read_everywhere",
    "unipc",
    "zeroed",
]

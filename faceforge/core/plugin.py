"""The base class of plugins, and the few parts most of them are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

import torch
from torch import Tensor, nn

from faceforge.core.lora import Lora
from faceforge.core.manifest import Manifest
from faceforge.core.points import HookPoint
from faceforge.core.temporal import Temporal
from faceforge.core.types import Contribution, KeyValue
from faceforge.errors import BadPlugin, BadWeights

if TYPE_CHECKING:
    from faceforge.core.backbone import Backbone
    from faceforge.core.guidance import Guidance
    from faceforge.core.requests import Requests
    from faceforge.store.release import Base, Files, Release

Layer = TypeVar("Layer", bound=nn.Module)


class Plugin(nn.Module):
    """One kind of control. Reading order is life order: manifest, build, encode, null, losses.

    Keyword arguments of `__init__` are kept in `options`, so that a saved plugin can be built again.
    """

    manifest: Manifest
    built_in: ClassVar[bool] = False

    def __init__(self, **options: object) -> None:
        super().__init__()
        self.options = options
        self.lora: Lora | None = None  # declared in build by plugins that change weights
        self.temporal: Temporal | None = None  # likewise by a plugin that owns what happens between frames
        self.guidance: Guidance | None = None  # likewise by a plugin that owns how branches combine
        self.dose: Mapping[str, float] = {}
        self.signature = ""  # of the backbone it was built on
        self.reread: Callable[[], Mapping[str, Tensor]] | None = None  # its weights from where they came, once more

    @property
    def name(self) -> str:
        return self.manifest.name

    def built_on(self, backbone: Backbone, tensors: Mapping[str, Tensor] | None = None) -> Self:
        """This plugin with its layers made for a backbone, and its weights if some are given: all, and nothing else."""
        with torch.device("meta") if tensors else nullcontext():
            self.build(backbone)
        self.signature = backbone.signature
        if tensors:
            filled(self, tensors, self.name)
        return self.to(backbone.device, backbone.dtype)

    def build(self, backbone: Backbone) -> None:
        """Make the layers this plugin needs on that backbone; layers that feed a sum start at zero."""

    def encode(self, requests: Requests) -> Contribution:
        """What this plugin adds for these requests, computed once per edit."""
        return Contribution()

    def null(self, requests: Requests) -> Contribution | None:
        """The same with the condition absent; None, the default, keeps what `encode` gave."""
        return None

    def losses(self, requests: Requests, prediction: Tensor) -> Tensor | None:
        """A training loss of the plugin's own, if any."""
        return None

    @classmethod
    def convert(cls, files: Files, variant: str, base: Base) -> Release:
        """A published release of this method, read weights-only; `base` supplies the stock parts it leaves out."""
        raise BadPlugin(f"{cls.manifest.name!r} has no published layout to convert from. Load a saved folder instead.")


def per_site(backbone: Backbone, point: HookPoint, make: Callable[[int], nn.Module]) -> nn.ModuleDict:
    """One module per site of a hook point, made from the site's width."""
    others = {HookPoint.SELF_ATTENTION: backbone.self_sites, HookPoint.TEMPORAL: backbone.temporal_sites}
    sites = others.get(point, backbone.cross_sites)
    return nn.ModuleDict({_key(site): make(width) for site, width in sites.items()})


def _key(site: str) -> str:
    return site.replace(".", "/")  # module names may not contain dots


class Reader(nn.Module):
    """Projects tokens (rows, N, D) to the keys and values of one cross-attention layer; values start at zero.

    With one token the key is left out: attention over a single token does not depend on it.
    """

    def __init__(self, tokens_width: int, site_width: int, *, single_token: bool = False) -> None:
        super().__init__()
        self.to_k = None if single_token else nn.Linear(tokens_width, site_width, bias=False)
        self.to_v = zeroed(nn.Linear(tokens_width, site_width, bias=False))

    def forward(self, tokens: Tensor) -> KeyValue:
        return KeyValue(None if self.to_k is None else self.to_k(tokens), self.to_v(tokens))


def read_everywhere(readers: nn.ModuleDict, tokens: Tensor) -> Contribution:
    """The tokens offered to every cross-attention layer through its own Reader."""
    return Contribution(cross_attention={key.replace("/", "."): reader(tokens) for key, reader in readers.items()})


def zeroed(layer: Layer) -> Layer:
    """The layer with all its parameters at zero, so that a sum it feeds starts unchanged."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
    return layer


def filled(module: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Load a module's weights by name, all of them and nothing else."""
    own = module.state_dict()
    missing, extra = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    wrong = [key for key in own.keys() & tensors.keys() if own[key].shape != tensors[key].shape]
    if wrong:
        key = sorted(wrong)[0]
        raise BadWeights(f"{name}: {key!r} has shape {tuple(tensors[key].shape)}, expected {tuple(own[key].shape)}.")
    if missing or extra:
        raise BadWeights(f"{name} does not fit: {_few('lacks', missing)}{_few('has unknown', extra)}".strip())
    # Copies: matrix kernels round differently on memory aligned as a file happens to be, and loading is bit-exact.
    module.load_state_dict({key: tensor.clone() for key, tensor in tensors.items()}, assign=True)


def _few(word: str, keys: Iterable[str]) -> str:
    names = list(keys)
    return f"{word} {len(names)} tensors ({', '.join(names[:3])}). " if names else ""

"""A model to be trained, from a recipe's words: its backbone, its plugins, and which parts of them learn."""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

from faceforge.core.backbone import Backbone
from faceforge.core.plugin import Plugin
from faceforge.errors import nearest
from faceforge.forge import Forge
from faceforge.jobs import Defaults
from faceforge.models import load_forge
from faceforge.store.backbones import mini, sd15, sd21, tiny
from faceforge.store.registry import plugin_class
from faceforge_training.errors import BadRecipe

BUILDERS: Mapping[str, Callable[[], Backbone]] = {"tiny": tiny, "mini": mini, "sd15": sd15, "sd21": sd21}

Wanted = list[dict[str, Any]]  # plugins: what each is called where plugins are listed, and its options


def forged(backbone: str, plugins: Wanted, defaults: Defaults | None) -> Forge:
    """A model with exactly these plugins: those that it has keep their weights, others are new."""
    found = Forge(BUILDERS[backbone]()) if backbone in BUILDERS else load_forge(backbone)
    own = {name: found.detach(name) for name in list(found.plugins) if name != "text"}
    made = [_plugin(wanted, own) for wanted in plugins]
    return Forge(found.backbone, made, defaults=defaults or found.defaults)


def _plugin(wanted: Mapping[str, Any], own: Mapping[str, Plugin]) -> Plugin:
    options = {name: value for name, value in wanted.items() if name != "name"}
    if "name" not in wanted:
        raise BadRecipe(f"objective.plugins: {dict(wanted)!r} has no name. Write it like {{ name = 'identity' }}.")
    kind = plugin_class(wanted["name"])
    able = [name for name, each in signature(kind).parameters.items() if each.kind is each.KEYWORD_ONLY]
    for name in options:
        if name not in able:
            raise BadRecipe(f"objective.plugins: {wanted['name']!r} has no option {name!r}. {nearest(name, able)}")
    made = kind(**options)
    known = own.get(made.name)
    if known is not None and known.options != made.options:
        raise BadRecipe(f"objective.plugins: the model has {made.name!r} with {known.options!r}, not {made.options!r}.")
    return made if known is None else known


def choose(forge: Forge, train: Sequence[str]) -> None:
    """Let the named parts learn and freeze all others; what plugins froze themselves stays frozen."""
    plugins = {name: plugin for name, plugin in forge.plugins.items() if name != "text"}
    able = {name: [p for p in plugin.parameters() if p.requires_grad] for name, plugin in plugins.items()}
    low_rank = {id(each) for parameters in able.values() for each in parameters}
    backbone, text = forge.backbone, getattr(forge.backbone.text, "model", None)
    parts = {
        "unet": [p for p in backbone.unet.parameters() if id(p) not in low_rank],
        "text": [] if text is None else list(text.parameters()),
        "plugins": [each for parameters in able.values() for each in parameters],
        **able,
    }
    for name in train:
        if name not in parts or not parts[name]:
            raise BadRecipe(
                f"objective.train: nothing called {name!r} can learn. {nearest(name, [n for n in parts if parts[n]])}"
            )
    modules = (backbone.unet, backbone.vae, text, *forge.plugins.values())
    for module in modules:
        if module is not None:
            module.requires_grad_(False)
    for name in train:
        for parameter in parts[name]:
            parameter.requires_grad_(True)

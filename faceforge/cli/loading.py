"""The editor that the options ask for: the warp, or a Forge with its plugins, precision, and what its weights allow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from faceforge.cli.asked import Asked
from faceforge.cli.fields import loose_files
from faceforge.cli.releases import check_model_options, refuse_restricted
from faceforge.cli.repeat import Record, compare
from faceforge.cli.terminal import hush, note
from faceforge.cli.values import once
from faceforge.errors import BadPlugin, BadSpec, BadWeights, nearest
from faceforge.loading import WARP

if TYPE_CHECKING:
    from faceforge import Forge
    from faceforge.editor import Editor

_OF_NETWORKS = ("base", "plugins", "lora_scale", "parity", "dtype", "device", "low_memory")


def editor_of(asked: Asked, record: Record | None = None, *, default: str = WARP) -> Editor:
    """What makes the picture: the warp unless a model is named here or in the record."""
    model = asked.model or (record.model.name if record else default)
    if asked.draft or model == WARP:
        return _warper(asked)
    return forge_of(asked if record else replace(asked, model=model), record)


def _warper(asked: Asked) -> Editor:
    """The warp; options that would have no effect on it are refused, unless a draft of something else is asked for."""
    idle = [name for name in _OF_NETWORKS if getattr(asked, name)]
    if idle and not asked.draft:
        raise BadSpec(f"--{idle[0].replace('_', '-')} needs a network, and the warp has none. Name one: --model NAME.")
    hush()
    from faceforge import load

    return load(WARP, finder=asked.finder)


def forge_of(asked: Asked, record: Record | None = None) -> Forge:
    """The model the options name, ready to run."""
    model = asked.model or (record.model.name if record else None)
    check_model_options(asked, model)
    if not asked.verbose:
        hush()
    forge = _loaded(asked, record, model)
    _attach(forge, asked, record)
    if asked.commercial:
        refuse_restricted(plugin.manifest for plugin in forge.plugins.values())
    if forge.backbone.vae is None:
        raise BadWeights(f"The model {forge.name!r} has no VAE, so it makes latents but no pictures. Use another one.")
    _placed(forge, asked, record)
    if record is not None:
        compare(forge, record, own_scales=bool(asked.lora_scale))
    if asked.verbose:
        _introduce(forge)
    return forge


def _loaded(asked: Asked, record: Record | None, model: str | None) -> Forge:
    from faceforge import load

    scales = once(asked.lora_scale, "--lora-scale")
    parity = asked.parity or bool(record and record.model.parity)
    try:
        forge = load(
            model or "tiny",
            base=asked.base,
            plugins=loose_files(asked.plugins),
            parity=parity,
            lora_scales=scales,
            finder=asked.finder or (record.finder if record else None),
        )
    except BadPlugin as error:
        if asked.model or record is None:
            raise
        raise BadPlugin(
            f"The picture was made by a model called {model!r}, which is not known here. "
            f"Give its folder: --model FOLDER."
        ) from error
    unknown = [name for name in scales if name not in forge.plugins and name not in asked.plugins]
    if unknown:
        raise BadSpec(f"--lora-scale names {unknown[0]!r}, which is not loaded. {nearest(unknown[0], forge.plugins)}")
    return forge


def _attach(forge: Forge, asked: Asked, record: Record | None) -> None:
    """The plugins that --plugin names, and those that a repeated picture had besides."""
    import torch

    from faceforge.store.checkpoint import load_plugin
    from faceforge.store.registry import plugin_class

    files = loose_files(asked.plugins)
    names = {path: name for name, path in files.items()}
    wanted = [*asked.plugins, *(each.name for each in (record.plugins if record else ()))]
    for text in wanted:
        name = names.get(Path(text), text)
        if name in forge.plugins:
            continue
        if Path(text).is_dir():
            forge.attach(load_plugin(Path(text), forge.backbone, files))
            continue
        with torch.random.fork_rng(devices=[]):  # the same weights every time, until somebody trains them
            torch.manual_seed(0)
            plugin = forge.attach(plugin_class(name, files)())
        if plugin.state_dict():
            forge.notice = f"{forge.notice}\nThe plugin {plugin.name!r} has no trained weights.".strip()


def _placed(forge: Forge, asked: Asked, record: Record | None) -> None:
    import torch

    from faceforge.core.device import best_device

    dtype = asked.dtype or (record.model.dtype if record else None)
    try:
        device = torch.device(asked.device) if asked.device else best_device()
        forge.to(device=device, dtype=getattr(torch, dtype) if dtype else None)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadSpec(
            f"The model cannot go to {asked.device or 'the device'!r}: {reason}. See `faceforge doctor`."
        ) from error
    if asked.low_memory:
        forge.low_memory()


def _introduce(forge: Forge) -> None:
    from faceforge.store.checkpoint import weights_hash

    backbone = forge.backbone
    note(f"model {forge.name!r} on {backbone.device} in {backbone.dtype}, for {backbone.signature}")
    for name, plugin in forge.plugins.items():
        weights = weights_hash(plugin)[:12] or "none"
        note(
            f"plugin {name} {plugin.manifest.version}, weights {weights}, from {plugin.manifest.weights.source or '-'}"
        )

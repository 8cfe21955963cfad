"""Forges by name, folder or hub id."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel

from faceforge.core.backbone import Backbone
from faceforge.core.identity import IdentityEncoder
from faceforge.core.manifest import Published
from faceforge.errors import BadPlugin, nearest
from faceforge.forge import Forge
from faceforge.io.hub import fetch, repository_id
from faceforge.jobs import Defaults
from faceforge.store import checkpoint
from faceforge.store.backbones import from_hub, tiny
from faceforge.store.registry import listings, plugin_class
from faceforge.store.release import Base, Files, Release
from faceforge.store.shipped import shipped

RANDOM = "The weights are random: this run proves the pipeline, and its picture means nothing yet."


def load_forge(name: str | Path, *, base: str = "", plugins: Mapping[str, Path] | None = None, **options: Any) -> Forge:
    """A Forge by name ('magicface'; 'tiny' is the random miniature), from a saved folder, or from a hub id."""
    if name == "tiny":
        return miniature(**options)
    folder = shipped().get(str(name), Path(name))
    if folder.is_dir():
        return load_folder(folder, plugin_files=plugins, **options)
    published = releases()
    if str(name) in published:
        plugin, release = published[str(name)]
        files = Files(tuple(fetch(hub, files=patterns) for hub, patterns in release.files.items()))
        return forged(convert(plugin, files, release.variant, base or release.base), name=str(name), **options)
    if repository_id(str(name)):
        return load_folder(fetch(str(name)), plugin_files=plugins, **options)
    known = ["warp", "tiny", *shipped(), *published]
    raise BadPlugin(f"{str(name)!r} is not a model, a folder or a hub id (owner/name). {nearest(str(name), known)}")


def load_folder(folder: Path, *, plugin_files: Mapping[str, Path] | None = None, **options: Any) -> Forge:
    """The Forge in a saved folder; options given here go before those it was saved with."""
    saved, backbone, plugins = checkpoint.load(folder, plugin_files)
    scales = {**saved.lora_scales, **options.pop("lora_scales", {})}
    forge = Forge(
        backbone, plugins, defaults=Defaults(**saved.defaults), name=saved.name, lora_scales=scales, **options
    )
    forge.notice = saved.notice
    return forge


def convert(plugin: str, files: Files, variant: str, base: str) -> Release:
    """A release in its published layout, read by the plugin that knows it."""
    return plugin_class(plugin).convert(files, variant, base_from(base))


def base_from(source: str) -> Base:
    """Stock parts from a hub id or a folder, read only if a release asks for them."""

    def parts(*, unet: UNet2DConditionModel | None = None) -> Backbone:
        return from_hub(source, unet=unet)

    return parts


def forged(release: Release, *, name: str, **options: Any) -> Forge:
    """The Forge that a release makes."""
    return Forge(release.backbone, release.plugins, defaults=Defaults(**release.defaults), name=name, **options)


def releases() -> dict[str, tuple[str, Published]]:
    """Names that `load` knows -> the plugin that reads that release, and where it is published."""
    return {
        name: (listing.name, release)
        for listing in listings()
        if listing.manifest
        for name, release in listing.manifest.releases.items()
    }


def miniature(**options: Any) -> Forge:
    """The random miniature: identity and AU changes on `tiny()`, which nobody has trained."""
    backbone = tiny()
    changes = plugin_class("magicface")().built_on(backbone)
    drawn = torch.Generator().manual_seed(0)
    for parameter in changes.parameters():  # untrained layers start at zero; here every action unit shall show
        torch.nn.init.normal_(parameter, std=0.1, generator=drawn)
    forge = Forge(
        backbone, [IdentityEncoder(), changes], name="tiny", defaults=Defaults(guidance=1.5, steps=8), **options
    )
    forge.notice = RANDOM
    return forge

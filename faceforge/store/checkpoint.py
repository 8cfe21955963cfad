"""A saved Forge: model.json, backbone/ and plugins/NAME/, every tensor in safetensors, every name accounted for."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from diffusers import AutoencoderKL
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import nn

from faceforge.core.backbone import Backbone
from faceforge.core.cache import version
from faceforge.core.lora import stock_state
from faceforge.core.manifest import API, Manifest
from faceforge.core.plugin import Plugin, filled
from faceforge.errors import BadWeights
from faceforge.io.files import replacing_folder
from faceforge.io.hub import fetch
from faceforge.io.weights import hash_of, read_metadata, read_tensors, tensor_hashes, write_tensors
from faceforge.store.backbones import BASE_PARTS, empty_unet, read_config, read_scheduler, read_text
from faceforge.store.registry import plugin_class
from faceforge.store.shipped import shipped

if TYPE_CHECKING:
    from faceforge.forge import Forge

FORMAT = 1
UNET = "backbone/unet/diffusion_pytorch_model.safetensors"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SavedModel(_Strict):
    """model.json: what the folder holds, and where the parts are that it only refers to.

    That is `owner/name@commit`, or the name of a model that ships.
    """

    format: int = FORMAT
    name: str
    signature: str
    plugins: list[str]
    defaults: dict[str, Any] = {}
    lora_scales: dict[str, float] = {}
    sources: dict[str, str] = {}
    notice: str = ""
    packed: bool = False  # weights are stored in half precision, and run in full


class SavedPlugin(_Strict):
    """manifest.json of one plugin: its class, how it was built, what for, and the digest of every tensor."""

    kind: str
    manifest: Manifest
    options: dict[str, Any] = {}
    signature: str
    dose: dict[str, float] = {}
    tensors: dict[str, str] = {}


def save(forge: Forge, folder: Path, *, packed: bool = False) -> Path:
    """Write everything under a temporary name first; an older Forge in that folder is replaced, nothing else is.

    `packed` stores half precision, for models that are trained and run in full but should be small files.
    """
    with replacing_folder(folder) as target:
        _save_backbone(forge.backbone, target)
        for name, plugin in forge.plugins.items():
            if name != "text":
                save_plugin(plugin, target / "plugins" / name)
        model = SavedModel(
            name=forge.name,
            signature=forge.backbone.signature,
            plugins=[name for name in forge.plugins if name != "text"],
            defaults=forge.defaults.model_dump(exclude_defaults=True),
            lora_scales=forge.own_lora_scales,
            sources=forge.backbone.sources,
            notice=forge.notice,
            packed=packed,
        )
        if packed:
            _pack(target)
        (target / "model.json").write_text(model.model_dump_json(indent=2))
    return folder


def load(folder: Path, plugin_files: Mapping[str, Path] | None = None) -> tuple[SavedModel, Backbone, list[Plugin]]:
    """What a saved folder describes, its backbone, and its plugins ready to attach."""
    saved: SavedModel = _read(folder / "model.json", SavedModel)
    if saved.format != FORMAT:
        raise BadWeights(
            f"{folder.name}/model.json has format {saved.format}, this FaceForge reads {FORMAT}. Update it."
        )
    backbone = _load_backbone(folder, saved)
    return saved, backbone, [load_plugin(folder / "plugins" / name, backbone, plugin_files) for name in saved.plugins]


def load_plugin(
    folder: Path,
    backbone: Backbone,
    plugin_files: Mapping[str, Path] | None = None,
    *,
    kind: type[Plugin] | None = None,
) -> Plugin:
    """One saved plugin for a backbone; the signature is compared before any weight is read."""
    saved = _read(folder / "manifest.json", SavedPlugin)
    if saved.manifest.api != API:
        raise BadWeights(f"{folder.name}: saved for plugin API {saved.manifest.api}, this is {API}. Save it again.")
    if saved.signature != backbone.signature:
        raise BadWeights(f"{folder.name}: weights for {saved.signature} do not fit {backbone.signature}. Train anew.")
    plugin = (kind or plugin_class(saved.kind, plugin_files))(**saved.options)
    plugin.dose = saved.dose
    if not saved.tensors:
        return plugin.built_on(backbone)
    plugin.reread = partial(read_tensors, folder / "weights.safetensors")
    return plugin.built_on(backbone, plugin.reread())


def damaged(folder: Path) -> list[str]:
    """Names of tensors in a saved plugin whose content is not what its manifest recorded."""
    saved = _read(folder / "manifest.json", SavedPlugin)
    found = tensor_hashes(read_tensors(folder / "weights.safetensors")) if saved.tensors else {}
    return sorted(name for name in found.keys() | saved.tensors.keys() if found.get(name) != saved.tensors.get(name))


_hashes: WeakKeyDictionary[nn.Module, tuple[Hashable, str]] = WeakKeyDictionary()


def weights_hash(module: nn.Module) -> str:
    """A digest of a module's own weights, computed once for as long as they stay the same."""
    now = version(module)
    remembered = _hashes.get(module)
    if remembered is None or remembered[0] != now:
        state = stock_state(module)
        remembered = now, hash_of(state) if state else ""
        _hashes[module] = remembered
    return remembered[1]


def _save_backbone(backbone: Backbone, target: Path) -> None:
    unet = target / "backbone/unet"
    unet.mkdir(parents=True)
    backbone.unet.save_config(unet)
    write_tensors(target / UNET, stock_state(backbone.unet))
    backbone.scheduler.save_pretrained(target / "backbone/scheduler")
    if backbone.vae is not None and "vae" not in backbone.sources:
        backbone.vae.save_pretrained(target / "backbone/vae")
    if "text" not in backbone.sources:
        backbone.text.save(target / "backbone")


def _load_backbone(folder: Path, saved: SavedModel) -> Backbone:
    unet = empty_unet(read_config(folder / "backbone/unet/config.json"))
    places = {part: _place(folder, saved.sources.get(part)) for part in ("vae", "text")}
    has_vae = (places["vae"] / "vae").is_dir()
    vae = AutoencoderKL.from_pretrained(places["vae"] / "vae", local_files_only=True) if has_vae else None
    scheduler = read_scheduler(folder / "backbone/scheduler")
    text = read_text(places["text"], torch.float32)
    backbone = Backbone(unet, scheduler, text, None if vae is None else vae.eval(), saved.name, saved.sources)
    if backbone.signature != saved.signature:
        raise BadWeights(f"{folder.name}: backbone is {backbone.signature}, model.json says {saved.signature}.")
    filled(unet, read_tensors(folder / UNET), f"{folder.name}/{UNET}")
    if saved.packed:
        unet.float()
    return backbone


def _pack(target: Path) -> None:
    """Rewrite every file of weights in half precision."""
    for file in target.rglob("*.safetensors"):
        tensors = {name: each.half() if each.is_floating_point() else each for name, each in read_tensors(file).items()}
        write_tensors(file, tensors, read_metadata(file))
        manifest = file.with_name("manifest.json")
        if manifest.is_file():
            saved = _read(manifest, SavedPlugin).model_copy(update={"tensors": tensor_hashes(tensors)})
            manifest.write_text(saved.model_dump_json(indent=2))


def _place(folder: Path, source: str | None) -> Path:
    if source is None:
        return folder / "backbone"
    if source in shipped():
        return shipped()[source] / "backbone"
    repo, _, revision = source.partition("@")
    return fetch(repo, files=BASE_PARTS, revision=revision or None)


def save_plugin(plugin: Plugin, target: Path) -> None:
    """One plugin in a folder of its own: its weights and what they are for."""
    target.mkdir(parents=True)
    tensors = plugin.state_dict()
    if tensors:
        write_tensors(target / "weights.safetensors", tensors)
    saved = SavedPlugin(
        kind=type(plugin).manifest.name,
        manifest=plugin.manifest,
        options=plugin.options,
        signature=plugin.signature,
        dose=dict(plugin.dose),
        tensors=tensor_hashes(tensors),
    )
    (target / "manifest.json").write_text(saved.model_dump_json(indent=2))


def _read(path: Path, kind: type[Any]) -> Any:
    if not path.is_file():
        raise BadWeights(f"{path.parent.name}/{path.name} is missing. Give a folder that `save` or `convert` wrote.")
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0] if isinstance(error, UnicodeDecodeError) else error.errors()[0]
        where = first if isinstance(first, str) else f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise BadWeights(f"{path.parent.name}/{path.name} cannot be used: {where}.") from None

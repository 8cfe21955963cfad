"""Published releases in their own layouts, with random weights: at miniature size as files, at full size as shapes."""

import io
import json
import math
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save
from torch import Tensor

from faceforge.core.backbone import Backbone
from faceforge.plugin import MAGICFACE, Paired
from faceforge.store.backbones import WEIGHTS, tiny

SD15 = {
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "attention_head_dim": 8,
    "cross_attention_dim": 768,
    "sample_size": 64,
}
SD21 = {
    **SD15,
    "attention_head_dim": (5, 10, 20, 20),
    "cross_attention_dim": 1024,
    "use_linear_projection": True,
}


def full_size(config: dict[str, Any], **changes: Any) -> UNet2DConditionModel:
    """A UNet of real size without memory behind it."""
    with torch.device("meta"):
        return UNet2DConditionModel(**{**config, **changes})


def paired_tensors(layout: Paired, config: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The denoiser's and the identity encoder's state dicts as the release names them, on the current device."""
    denoiser = UNet2DConditionModel(**{**config, "in_channels": layout.channels}).state_dict()
    width = denoiser["time_embedding.linear_2.weight"].shape[0]
    denoiser["au_aug_mlp.weight"] = torch.randn(width, layout.numbers)
    denoiser["au_aug_mlp.bias"] = torch.randn(width)
    return denoiser, UNet2DConditionModel(**config).state_dict()


def paired_files(layout: Paired, seed: int = 0, below: str = "") -> dict[str, bytes]:
    """MagicFace's or RigFace's repository at miniature size; `below` is the folder in which a trainer put each."""
    torch.manual_seed(seed)
    config = {key: value for key, value in dict(tiny().unet.config).items() if not key.startswith("_")}
    denoiser, identity = paired_tensors(layout, config)
    wider = {**config, "in_channels": layout.channels, "_class_name": "Theirs"}
    return {
        f"{layout.denoiser}/{below}{WEIGHTS}": save(denoiser),
        f"{layout.denoiser}/{below}config.json": json.dumps(wider).encode(),
        f"{layout.identity}/{below}{WEIGHTS}": save(identity),
        f"{layout.identity}/{below}config.json": json.dumps(config).encode(),
        "third_party/run.py": b"raise SystemExit('nobody should run this')",
    }


def magicface_files(seed: int = 0) -> dict[str, bytes]:
    """The MagicFace repository at miniature size."""
    return paired_files(MAGICFACE, seed)


def magicportrait_tensors(config: dict[str, Any], widths: tuple[int, ...]) -> dict[str, dict[str, Tensor]]:
    """The files of MagicPortrait by name, with the names and shapes its code has, on the current device."""
    stock = UNet2DConditionModel(**config).state_dict()
    silent = ("conv_norm_out.", "conv_out.")
    return {
        "motion_module-47360": _motion_tensors(config["block_out_channels"], config["layers_per_block"]),
        "denoising_unet": stock,
        "reference_unet": {key: each for key, each in stock.items() if not key.startswith(silent)},
        **{
            f"guidance_encoder_{kind}": _map_encoder_tensors(widths, config["block_out_channels"][0])
            for kind in ("depth", "normal", "render")
        },
    }


def _motion_tensors(widths: tuple[int, ...], layers: int) -> dict[str, Tensor]:
    found = {}
    last = len(widths) - 1
    places = [(f"down_blocks.{n}", width, layers) for n, width in enumerate(widths)]
    places += [("mid_block", widths[-1], 1)]
    places += [(f"up_blocks.{last - n}", width, layers + 1) for n, width in enumerate(widths)]
    for block, width, count in places:
        for layer in range(count):
            stem = f"{block}.motion_modules.{layer}.temporal_transformer."
            inner = f"{stem}transformer_blocks.0."
            for name in (f"{stem}norm", f"{inner}norms.0", f"{inner}norms.1", f"{inner}ff_norm"):
                found |= _layer(name, (width,))
            for name in (f"{stem}proj_in", f"{stem}proj_out"):
                found |= _layer(name, (width, width))
            for name in (f"{inner}attention_blocks.0.", f"{inner}attention_blocks.1."):
                found |= {f"{name}to_{part}.weight": torch.randn(width, width) for part in "qkv"}
                found |= _layer(f"{name}to_out.0", (width, width))
                found[f"{name}pos_encoder.pe"] = _positions(32, width)
            found |= _layer(f"{inner}ff.net.0.proj", (8 * width, width))
            found |= _layer(f"{inner}ff.net.2", (width, 4 * width))
    return found


def _positions(length: int, width: int) -> Tensor:
    place = torch.arange(length)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    return torch.stack([place.sin(), place.cos()], -1).flatten(1)[None]


def _map_encoder_tensors(widths: tuple[int, ...], out: int) -> dict[str, Tensor]:
    one, two, three, four = widths
    steps = [(one, one), (one, two), (two, two), (two, three), (three, three), (three, four)]
    found = {**_layer("conv_in", (one, 3, 3, 3)), **_layer("conv_out", (out, four, 3, 3))}
    for number, (narrow, wide) in enumerate(steps):
        found |= _layer(f"blocks.{number}", (wide, narrow, 3, 3))
    attentions = {f"attentions.{number}.": width for number, width in enumerate((one, two, two, three, three, four))}
    for stem, width in {**attentions, "guidance_attention.": four}.items():
        inner = f"{stem}transformer_blocks.0."
        for name in (f"{stem}norm", f"{inner}norm1", f"{inner}norm3"):
            found |= _layer(name, (width,))
        for name in (f"{stem}proj_in", f"{stem}proj_out"):
            found |= _layer(name, (width, width, 1, 1))
        found |= {f"{inner}attn1.to_{part}.weight": torch.randn(width, width) for part in "qkv"}
        found |= _layer(f"{inner}attn1.to_out.0", (width, width))
        found |= _layer(f"{inner}ff.net.0.proj", (8 * width, width))
        found |= _layer(f"{inner}ff.net.2", (width, 4 * width))
    return found


def _layer(name: str, shape: tuple[int, ...]) -> dict[str, Tensor]:
    return {f"{name}.weight": torch.randn(shape) * 0.1, f"{name}.bias": torch.randn(shape[0]) * 0.1}


def magicportrait_files(backbone: Backbone, folder: Path, seed: int = 0) -> dict[str, bytes]:
    """The MagicPortrait repository at miniature size, with a VAE of its own."""
    torch.manual_seed(seed)
    config = {key: value for key, value in dict(backbone.unet.config).items() if not key.startswith("_")}
    assert backbone.vae is not None
    backbone.vae.save_pretrained(folder)
    vae = {f"sd-vae-ft-mse/{path.name}": path.read_bytes() for path in folder.iterdir()}
    tensors = magicportrait_tensors(config, (4, 8, 16, 32))
    return {**{f"ckpts/{name}.pth": pickled(each) for name, each in tensors.items()}, **vae}


def fineface_files(backbone: Backbone, *, rank: int = 4) -> dict[str, bytes]:
    """The text variant's three files for a backbone."""
    torch.manual_seed(1)
    adapter, lora = {}, {}
    for site, width in backbone.cross_sites.items():
        for part in ("k", "v"):
            adapter[f"{site}.attn2.processor.au_to_{part}.weight"] = torch.randn(width, backbone.text_width) * 0.1
    for site, block in backbone.sites.items():
        for attention in ("attn1", "attn2"):
            for name in ("to_q", "to_k", "to_v", "to_out.0"):
                layer = block.get_submodule(f"{attention}.{name}")
                stem = f"unet.{site}.{attention}.{name}"
                lora[f"{stem}.lora_A.weight"] = torch.randn(rank, layer.in_features) * 0.1
                lora[f"{stem}.lora_B.weight"] = torch.randn(layer.out_features, rank) * 0.1
    hidden = backbone.text_width - 12
    encoder = {"au_encoder.weight": torch.randn(hidden, 12), "au_encoder.bias": torch.randn(hidden)}
    return {
        "attn_processors.ckpt": pickled(adapter),
        "au_encoder.ckpt": pickled(encoder),
        "pytorch_lora_weights.safetensors": save(lora),
    }


def diffusers_files(backbone: Backbone, folder: Path) -> dict[str, bytes]:
    """A backbone as a diffusers repository."""
    backbone.unet.save_pretrained(folder / "unet")
    assert backbone.vae is not None
    backbone.vae.save_pretrained(folder / "vae")
    backbone.scheduler.save_pretrained(folder / "scheduler")
    backbone.text.save(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def written(files: dict[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def pickled(tensors: dict[str, Tensor]) -> bytes:
    stream = io.BytesIO()
    torch.save(tensors, stream)
    return stream.getvalue()

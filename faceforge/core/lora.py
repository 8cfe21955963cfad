"""Low-rank weight changes: owned by a plugin, injected by peft before any hook is installed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diffusers import UNet2DConditionModel

ATTENTION_LAYERS = ("to_q", "to_k", "to_v", "to_out.0")


class Lora(nn.Module):
    """Pairs A (rank, in), B (out, rank) for named linear layers; B starts at zero, so nothing changes at first.

    `scale` is the factor the pairs were trained with; `parity_scale` is what the release they come from really applied.
    """

    def __init__(
        self, layers: Mapping[str, nn.Linear], rank: int, *, scale: float = 1.0, parity_scale: float | None = None
    ) -> None:
        super().__init__()
        self.rank = rank
        self.scale = scale
        self.parity_scale = scale if parity_scale is None else parity_scale
        self.down = nn.ParameterDict()
        self.up = nn.ParameterDict()
        for path, layer in layers.items():
            self.down[_key(path)] = nn.Parameter(torch.randn(rank, layer.in_features) / rank)
            self.up[_key(path)] = nn.Parameter(torch.zeros(layer.out_features, rank))

    @property
    def paths(self) -> list[str]:
        return [key.replace("/", ".") for key in self.down]


def attention_layers(unet: UNet2DConditionModel, names: Iterable[str] = ATTENTION_LAYERS) -> dict[str, nn.Linear]:
    """The projections of every attention layer by path: what attention LoRAs are usually trained on."""
    wanted = tuple(f".{attention}.{name}" for attention in ("attn1", "attn2") for name in names)
    return {
        path: layer for path, layer in unet.named_modules() if path.endswith(wanted) and isinstance(layer, nn.Linear)
    }


def inject(unet: UNet2DConditionModel, name: str, lora: Lora) -> None:
    """Put a plugin's own parameters into peft layers of the UNet; training them trains the plugin."""
    from peft import LoraConfig

    # alpha equal to the rank makes peft's own factor 1, so that `activate` alone decides the scale.
    config = LoraConfig(r=lora.rank, lora_alpha=lora.rank, target_modules=lora.paths, init_lora_weights=False)
    unet.add_adapter(config, adapter_name=name)
    for path in lora.paths:
        layer: Any = unet.get_submodule(path)
        layer.lora_A[name].weight = lora.down[_key(path)]
        layer.lora_B[name].weight = lora.up[_key(path)]


def remove(unet: UNet2DConditionModel, name: str) -> None:
    """Take one LoRA out; with the last one the stock layers are back in their places."""
    unet.delete_adapters(name)
    if not getattr(unet, "peft_config", None):
        unet.unload_lora()


@contextmanager
def activated(unet: UNet2DConditionModel, scales: Mapping[str, float]) -> Iterator[None]:
    """Run with exactly these LoRAs at these factors; those at zero cost nothing."""
    if not getattr(unet, "peft_config", None):
        yield
        return
    active = {name: scale for name, scale in scales.items() if scale}
    if active:
        unet.enable_lora()
        unet.set_adapters(list(active), list(active.values()))
    else:
        unet.disable_lora()
    yield


def stock_state(unet: UNet2DConditionModel) -> dict[str, Tensor]:
    """The weights under their stock names, whatever LoRAs are attached."""
    return {k.replace(".base_layer.", "."): v for k, v in unet.state_dict().items() if ".lora_" not in k}


def _key(path: str) -> str:
    return path.replace(".", "/")  # parameter names may not contain dots

"""Holding less at once: parts visit the accelerator when they are used, and leave memory when they have been."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from diffusers import ModelMixin
from torch import nn

from faceforge.core.device import HOST, same_kind
from faceforge.core.plugin import Plugin, filled


def visitors(modules: Iterable[nn.Module | None], device: torch.device) -> list[Any]:
    """Make networks wait in main memory and come to the device only to run; each has an `offload()` to send it back."""
    if same_kind(device, HOST):
        return []
    from accelerate import cpu_offload_with_hook

    networks = [part for module in modules if module is not None for part in module.modules() if _is_network(part)]
    return [cpu_offload_with_hook(network, device)[1] for network in networks]


def fit_side_by_side(device: torch.device, one: Callable[[], object]) -> int:
    """How many of a piece of work fit into a GPU's memory at once, judged by doing it once; one elsewhere."""
    if same_kind(device, HOST) or not torch.cuda.is_available():
        return 1
    torch.cuda.reset_peak_memory_stats(device)
    held = torch.cuda.memory_allocated(device)
    one()
    needed = torch.cuda.max_memory_allocated(device) - held
    free = torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device) - held
    return max(1, int(0.8 * free) // max(needed, 1))  # a fifth stays free: kernels for more rows may want more for each


def forget(plugin: Plugin) -> None:
    """Drop the weights of a plugin that can read them once more."""
    if plugin.reread is not None and not _is_forgotten(plugin):
        plugin.to(torch.device("meta"))


def remember(plugin: Plugin, device: torch.device, dtype: torch.dtype) -> None:
    """Read forgotten weights again."""
    if plugin.reread is not None and _is_forgotten(plugin):
        filled(plugin, plugin.reread(), plugin.name)
        plugin.to(device, dtype)


def _is_forgotten(plugin: Plugin) -> bool:
    return any(parameter.is_meta for parameter in plugin.parameters())


def _is_network(module: nn.Module) -> bool:
    from transformers import PreTrainedModel

    return isinstance(module, ModelMixin | PreTrainedModel)

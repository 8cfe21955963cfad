"""How weights are changed: the optimiser, its rate over time, and the average of what it finds."""

import importlib
import importlib.util
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from faceforge_training.errors import BadRecipe
from faceforge_training.settings import Optim


def optimizer(objective: nn.Module, optim: Optim) -> torch.optim.Optimizer:
    """AdamW, with states of 8 bits where the recipe says so; decay holds matrices and kernels, not biases or norms."""
    learned = [each for each in objective.parameters() if each.requires_grad]
    groups = [
        {"params": [each for each in learned if each.ndim > 1], "weight_decay": optim.weight_decay},
        {"params": [each for each in learned if each.ndim <= 1], "weight_decay": 0.0},
    ]
    return _KINDS[optim.kind]([group for group in groups if group["params"]], lr=optim.lr)


def _eight_bits(groups: Any, *, lr: float) -> torch.optim.Optimizer:
    if importlib.util.find_spec("bitsandbytes") is None:
        raise BadRecipe(
            "optim.kind='adamw-8bit' needs bitsandbytes, which is not installed: pip install bitsandbytes, "
            "or leave optim.kind out."
        )
    made: torch.optim.Optimizer = importlib.import_module("bitsandbytes.optim").AdamW8bit(groups, lr=lr)
    return made


_KINDS: Mapping[str, Any] = {"adamw": torch.optim.AdamW, "adamw-8bit": _eight_bits}


def set_rate(optimizer: Any, optim: Optim, step: int, done: float) -> float:
    """Up in a line, then down along half a cosine."""
    lr = optim.lr * min(1.0, (step + 1) / optim.warmup) * 0.5 * (1 + math.cos(math.pi * done))
    for group in optimizer.param_groups:
        group["lr"] = lr
    return lr


@torch.no_grad()
def approach(average: Mapping[str, Tensor], live: Mapping[str, Tensor], keep: float, step: int) -> None:
    """Move the averaged weights towards the live ones; early steps, which are far from good, are soon forgotten."""
    keep = min(keep, (step + 1) / (step + 10))
    floating = [name for name, value in live.items() if value.is_floating_point()]
    torch._foreach_lerp_([average[name] for name in floating], [live[name] for name in floating], 1 - keep)
    for name in live.keys() - set(floating):
        average[name].copy_(live[name])

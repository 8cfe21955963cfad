"""Weights and inputs that recordings describe instead of holding: drawn from the seed, key by key."""

import numpy as np
import torch
from torch import Tensor, nn


def recipe_weights(network: nn.Module, seed: int) -> dict[str, Tensor]:
    """A state dict for a network; the n-th key in plain order is drawn from (seed, n)."""
    state = network.state_dict()
    gains = _gains(network)
    return {key: _drawn(key, state[key], (seed, place), key in gains) for place, key in enumerate(sorted(state))}


def recipe_input(seed: int, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(np.random.default_rng([seed, 1_000_000]).standard_normal(shape, dtype=np.float32))


def _gains(network: nn.Module) -> set[str]:
    norms = (nn.BatchNorm2d, nn.LayerNorm)
    return {f"{name}.weight" for name, each in network.named_modules() if isinstance(each, norms)}


def _drawn(key: str, value: Tensor, seed: tuple[int, int], gain: bool) -> Tensor:
    if not value.is_floating_point():
        return value
    generator = np.random.default_rng(seed)
    z = generator.standard_normal(value.shape, dtype=np.float32)
    u = generator.random(value.shape, dtype=np.float32)
    return torch.from_numpy(np.asarray(_shaped(key, z, u, gain), dtype=np.float32))


def _shaped(key: str, z: np.ndarray, u: np.ndarray, gain: bool) -> np.ndarray:
    if gain or key.endswith("g"):
        return 1 + 0.2 * z
    if key.endswith("running_mean"):
        return 0.3 * z
    if key.endswith("running_var"):
        return 1.5 * u + 0.25
    if key.endswith("pos_emb"):
        return 0.5 * z
    if key.endswith(".b") or z.ndim < 2:
        return 0.1 * z
    return z / np.sqrt(np.prod(z.shape[1:]))

"""Random numbers of a reader: those of a step follow from the seed and the step alone, which makes resuming exact."""

import torch


def of_step(seed: int, step: int) -> torch.Generator:
    """What one batch is drawn with, whatever was drawn before."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)

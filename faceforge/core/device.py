"""The one place that knows devices by name."""

import resource
import sys

import torch

HOST = torch.device("cpu")


def best_device() -> torch.device:
    """The fastest device of this machine."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return HOST


def peak_memory(device: torch.device) -> int:
    """The most bytes held so far: of the accelerator's memory where there is one, else of the process."""
    if device.type == torch.device("cuda").type:
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def same_kind(left: torch.device, right: torch.device) -> bool:
    return left.type == right.type

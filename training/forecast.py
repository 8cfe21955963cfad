"""What a training takes, found by trying two steps of it: weights, memory, speed, and the time that is left."""

import resource
import time
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from faceforge_training import checkpoint, optimising
from faceforge_training.settings import Recipe

_FEW = {"portraits": 64, "persons": 2, "pairs": 16}  # what readers draw is reduced to these: one file or so
_TRIED = 2  # steps, after a first one that is not counted
_NUMBERS = 5  # for each weight that learns: itself, its gradient, two of the optimiser and its average
_MEGA = 1e6


def forecast(recipe: Recipe, folder: Path) -> dict[str, str]:
    """By name, in words."""
    few = {name: min(recipe.data[name], most) for name, most in _FEW.items() if name in recipe.data}
    AcceleratorState._reset_state()
    accelerator = Accelerator(mixed_precision=recipe.run.precision)
    bare, reader, _ = replace(recipe, data={**recipe.data, **few}, validation={}).build()
    objective = accelerator.prepare(bare)
    optimizer = accelerator.prepare(optimising.optimizer(bare, recipe.optim))
    learned = sum(each.numel() for each in bare.parameters() if each.requires_grad)
    frozen = sum(each.numel() for each in bare.parameters()) - learned
    began = 0.0
    for step in range(_TRIED + 1):
        began = began if step > 1 else time.perf_counter()
        batch = {n: v.to(accelerator.device) if hasattr(v, "to") else v for n, v in reader.batch(step).items()}
        accelerator.backward(torch.stack(list(objective(batch).values())).sum())
        optimizer.step()
        optimizer.zero_grad()
    seconds = (time.perf_counter() - began) / _TRIED * recipe.optim.accumulate
    state = checkpoint.load(folder, recipe.learned)
    left = recipe.optim.steps - (state.step if state else 0)
    held = 4 * (_NUMBERS * learned + frozen) / _MEGA
    return {
        "weights": f"{learned / _MEGA:.2f} million learn, {frozen / _MEGA:.2f} million are frozen",
        "memory": f"{held:.0f} MB to hold them, {_peak():.0f} MB at most in a step",
        "speed": f"{seconds:.2f} s a step, {1 / seconds:.2f} steps a second",
        "time left": f"{left} of {recipe.optim.steps} steps, {left * seconds / 60:.0f} minutes",
    }


def _peak() -> float:
    """Megabytes that were held at once: on the device, or by this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / _MEGA
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MEGA

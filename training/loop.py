"""One loop for every model: an objective, a reader, a recipe.

What a step does depends on the weights, the optimiser and the number of the step, and on nothing else: the reader's
batch and every random draw in the objective follow from that number. A training that was killed therefore goes on as
if nothing had been, bit for bit on one machine's CPU; only with a budget of minutes does the clock have a say.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from faceforge.io.files import replacing
from faceforge.io.weights import read_tensors, write_tensors
from faceforge_training import checkpoint
from faceforge_training.checkpoint import Checkpoint
from faceforge_training.errors import Diverged
from faceforge_training.settings import Optim, Recipe

Batch = dict[str, Any]
WEIGHTS, LOG = "weights.safetensors", "losses.jsonl"


@dataclass(frozen=True)
class Told:
    """One line of news."""

    step: int
    steps: int
    lr: float
    seconds: float
    losses: dict[str, float]


def train(
    recipe: Recipe, folder: Path, *, minutes: float | None = None, tell: Callable[[Told], None] = lambda told: None
) -> Path:
    """Train, or go on, in a folder; the averaged weights' file."""
    folder.mkdir(parents=True, exist_ok=True)
    AcceleratorState._reset_state()  # an earlier training in this process may have had another precision
    accelerator = Accelerator(mixed_precision=recipe.run.precision)
    set_seed(recipe.run.seed)
    bare, reader = recipe.build()
    if recipe.run.start:
        bare.load_state_dict(read_tensors(recipe.run.start))
    objective = accelerator.prepare(bare)
    optimizer = accelerator.prepare(_optimizer(bare, recipe.optim))
    average = _copied(bare)
    step, before = _resumed(folder, recipe, bare, optimizer, average)
    began = time.monotonic() - before

    for batch in _batches(reader, recipe, step, accelerator):
        seconds = time.monotonic() - began
        done = max(step / recipe.optim.steps, seconds / (60 * minutes) if minutes else 0.0)
        if done >= 1:
            break
        set_seed(_seed(recipe, step, accelerator))
        lr = _set_rate(optimizer, recipe.optim, step, done)
        losses = objective(batch)
        _refuse_nan(losses, batch, step, folder)
        accelerator.backward(sum(losses.values()))
        accelerator.clip_grad_norm_(objective.parameters(), recipe.optim.clip)
        optimizer.step()
        optimizer.zero_grad()
        _approach(average, bare, recipe.optim.average, step)

        if accelerator.is_main_process and (step + 1) % recipe.run.log_every == 0:
            told = Told(
                step + 1, recipe.optim.steps, lr, seconds, {name: float(loss.detach()) for name, loss in losses.items()}
            )
            _note(folder, told)
            tell(told)
        if accelerator.is_main_process and (step + 1) % recipe.run.save_every == 0:
            _save(folder, recipe, step + 1, time.monotonic() - began, bare, optimizer, average)
        step += 1
    if accelerator.is_main_process:
        _save(folder, recipe, step, time.monotonic() - began, bare, optimizer, average)
    return folder / WEIGHTS


class _Steps(Dataset[Batch]):
    """A reader's batches by number."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader

    def __getitem__(self, number: int) -> Batch:
        return dict(self.reader.batch(number))


def _batches(reader: Any, recipe: Recipe, start: int, accelerator: Accelerator) -> Any:
    """This process's batches of the steps from `start` on."""
    world, rank = accelerator.num_processes, accelerator.process_index
    numbers = range(start * world + rank, recipe.optim.steps * world, world)
    loader = DataLoader(_Steps(reader), batch_size=None, sampler=numbers, num_workers=recipe.run.workers)
    for batch in loader:
        yield {name: _moved(value, accelerator.device) for name, value in batch.items()}


def _moved(value: Any, device: torch.device) -> Any:
    return value.to(device) if isinstance(value, Tensor) else value


def _optimizer(objective: nn.Module, optim: Optim) -> torch.optim.Optimizer:
    """Decay holds matrices and kernels, not biases and norms."""
    learned = [each for each in objective.parameters() if each.requires_grad]
    groups = [
        {"params": [each for each in learned if each.ndim > 1], "weight_decay": optim.weight_decay},
        {"params": [each for each in learned if each.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=optim.lr)


def _set_rate(optimizer: Any, optim: Optim, step: int, done: float) -> float:
    """Up in a line, then down along half a cosine."""
    lr = optim.lr * min(1.0, (step + 1) / optim.warmup) * 0.5 * (1 + math.cos(math.pi * done))
    for group in optimizer.param_groups:
        group["lr"] = lr
    return lr


def _seed(recipe: Recipe, step: int, accelerator: Accelerator) -> int:
    number = step * accelerator.num_processes + accelerator.process_index
    return (recipe.run.seed * 1_000_003 + number) % 2**31


def _refuse_nan(losses: dict[str, Tensor], batch: Batch, step: int, folder: Path) -> None:
    bad = [name for name, loss in losses.items() if not torch.isfinite(loss).all()]
    if not bad:
        return
    file = folder / f"batch-{step}.pt"
    with replacing(file) as temporary:
        torch.save(batch, temporary)
    value = float(losses[bad[0]].detach())
    raise Diverged(
        f"The loss {bad[0]!r} of step {step} is {value!r}. Its batch is in {str(file)!r}; "
        f"lower optim.lr, or look at what is odd in the batch."
    )


def _copied(objective: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in objective.state_dict().items()}


@torch.no_grad()
def _approach(average: dict[str, Tensor], objective: nn.Module, keep: float, step: int) -> None:
    keep = min(keep, (step + 1) / (step + 10))
    for name, value in objective.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - keep)
        else:
            average[name].copy_(value)


def _resumed(folder: Path, recipe: Recipe, objective: nn.Module, optimizer: Any, average: dict[str, Tensor]) -> Any:
    """The step to go on with and the seconds already spent; the given parts are set to where they were."""
    state = checkpoint.load(folder, recipe.learned)
    if state is None:
        return 0, 0.0
    objective.load_state_dict(state.objective)
    optimizer.load_state_dict(state.optimizer)
    for name, value in state.average.items():
        average[name].copy_(value)
    return state.step, state.seconds


def _save(
    folder: Path, recipe: Recipe, step: int, seconds: float, objective: nn.Module, optimizer: Any, average: Any
) -> None:
    state = Checkpoint(step, seconds, _copied(objective), average, optimizer.state_dict(), recipe.learned)
    checkpoint.save(folder, state)
    write_tensors(folder / WEIGHTS, average, {"recipe": recipe.name, "steps": str(step)})


def _note(folder: Path, told: Told) -> None:
    with (folder / LOG).open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(vars(told)) + "\n")

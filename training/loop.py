"""One loop for every model: an objective, a reader, a recipe.

What a step does depends on the weights, the optimiser and the number of the step, and on nothing else: the reader's
batch and every random draw in the objective follow from that number. A training that was killed therefore goes on as
if nothing had been, bit for bit on one machine's CPU; only with a budget of minutes does the clock have a say.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast, set_seed
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from faceforge.io.files import replacing
from faceforge_training import optimising, weights
from faceforge_training.errors import BadRecipe, Diverged, advised
from faceforge_training.journal import Told
from faceforge_training.kept import Kept
from faceforge_training.settings import Recipe
from faceforge_training.weights import WEIGHTS as WEIGHTS  # where every training leaves what it learned

Batch = dict[str, Any]


def train(
    recipe: Recipe,
    folder: Path,
    *,
    minutes: float | None = None,
    pause: float | None = None,
    tell: Callable[[Told], None] = lambda told: None,
) -> Path:
    """Train, or go on, in a folder; the averaged weights' file.

    The training ends after all steps, or after so many `minutes` in all. A `pause`, in minutes of this call, changes
    nothing of it: the next call goes on.
    """
    accelerator = _accelerator(recipe)
    set_seed(recipe.run.seed)
    bare, reader, validate = recipe.build()
    if recipe.run.start:
        weights.fill(bare, weights.read(Path(recipe.run.start)))
    objective = accelerator.prepare(bare)
    optimizer = accelerator.prepare(optimising.optimizer(bare, recipe.optim))
    run = Kept(recipe, folder, bare, optimizer, accelerator)
    start = run.resume()
    called = time.monotonic()
    began, done = called - run.seconds, 0.0

    for step, parts in _batches(reader, recipe, start, accelerator):
        run.seconds = time.monotonic() - began
        done = _agreed(max(step / recipe.optim.steps, run.seconds / (60 * minutes) if minutes else 0.0), accelerator)
        if done >= 1 or (pause and _agreed((time.monotonic() - called) / (60 * pause), accelerator) >= 1):
            break
        lr = optimising.set_rate(optimizer, recipe.optim, step, done)
        losses = _learn(objective, parts, step, recipe, folder, accelerator)
        accelerator.clip_grad_norm_(objective.parameters(), recipe.optim.clip)
        optimizer.step()
        optimizer.zero_grad()
        optimising.approach(run.average, run.live, recipe.optim.average, step)

        run.step = step + 1
        if run.step % recipe.run.log_every == 0:
            tell(run.told(lr, {name: float(accelerator.reduce(loss, "mean")) for name, loss in losses.items()}))
        if run.step % recipe.run.save_every == 0:
            run.save()
        if validate is not None and run.step % recipe.run.validate_every == 0:
            run.judge(validate)
    ended = done >= 1 or run.step == recipe.optim.steps
    if validate is not None and ended and run.step > start and run.step % recipe.run.validate_every:
        run.judge(validate)
    run.save(last=True)
    return folder / WEIGHTS


def _accelerator(recipe: Recipe) -> Accelerator:
    AcceleratorState._reset_state()  # an earlier training in this process may have had another precision
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)  # a whole batch may drop one condition
    found = Accelerator(mixed_precision=recipe.run.precision, kwargs_handlers=[unused])
    if recipe.run.precision == "fp16" and not found.native_amp:
        raise BadRecipe(f"run.precision='fp16' cannot be used on {found.device.type!r}. Use 'bf16', or 'no'.")
    return found


def _learn(
    objective: Any, parts: list[Batch], step: int, recipe: Recipe, folder: Path, accelerator: Accelerator
) -> dict[str, Tensor]:
    """Gradients of a step's batches together, and the means of their losses."""
    total: dict[str, Tensor] = {}
    for part, batch in enumerate(parts):
        number = (step * len(parts) + part) * accelerator.num_processes + accelerator.process_index
        set_seed((recipe.run.seed * 1_000_003 + number) % 2**31)
        last = part == len(parts) - 1
        with advised(), nullcontext() if last else accelerator.no_sync(objective):
            losses = objective(batch)
            _refuse_nan(losses, batch, step, folder)
            accelerator.backward(torch.stack(list(losses.values())).sum() / len(parts))
        for name, loss in losses.items():
            total[name] = total.get(name, torch.zeros_like(loss.detach())) + loss.detach() / len(parts)
    return total


class _Steps(Dataset[Batch]):
    """A reader's batches by number."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader

    def __getitem__(self, number: int) -> Batch:
        return dict(self.reader.batch(number))


def _batches(reader: Any, recipe: Recipe, start: int, accelerator: Accelerator) -> Iterator[tuple[int, list[Batch]]]:
    """The steps from `start` on with this process's batches of each: one, or as many as gradients are summed over."""
    world, rank, each = accelerator.num_processes, accelerator.process_index, recipe.optim.accumulate
    numbers = range(start * each * world + rank, recipe.optim.steps * each * world, world)
    loader = iter(DataLoader(_Steps(reader), batch_size=None, sampler=numbers, num_workers=recipe.run.workers))
    for step in range(start, recipe.optim.steps):
        yield step, [_moved(next(loader), accelerator.device) for _ in range(each)]


def _moved(batch: Batch, device: torch.device) -> Batch:
    return {name: value.to(device) if isinstance(value, Tensor) else value for name, value in batch.items()}


def _agreed(done: float, accelerator: Accelerator) -> float:
    """How much of the training is done, as the main process sees it: clocks differ, and all must stop at one step."""
    if accelerator.num_processes == 1:
        return done
    return float(broadcast(torch.tensor(done, dtype=torch.float64, device=accelerator.device)))


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

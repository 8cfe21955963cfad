"""What outlives a training: its state, what it learned, its news and its best weights, all in one folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from accelerate import Accelerator
from torch import nn

from faceforge_training import checkpoint, weights
from faceforge_training.checkpoint import Checkpoint
from faceforge_training.journal import Journal, Told
from faceforge_training.settings import Recipe


@runtime_checkable
class Model(Protocol):
    """An objective that trains a whole model, which can be saved and used."""

    def save(self, folder: Path, name: str) -> None: ...


class Kept:
    """The state of a training, its folder, and what is written there; only the main process writes."""

    def __init__(
        self, recipe: Recipe, folder: Path, objective: nn.Module, optimizer: Any, accelerator: Accelerator
    ) -> None:
        self.recipe, self.folder, self.main = recipe, folder, accelerator.is_main_process
        self.objective, self.optimizer, self.scaler = objective, optimizer, accelerator.scaler
        self.live = weights.learned(objective)
        self.average = {name: value.clone() for name, value in self.live.items()}
        self.step, self.seconds = 0, 0.0

    def resume(self) -> int:
        """The step to go on with; everything is set to where it was."""
        state = checkpoint.load(self.folder, self.recipe.learned)
        if state is not None:
            weights.copy(state.objective, self.live)
            weights.copy(state.average, self.average)
            self.optimizer.load_state_dict(state.optimizer)
            if self.scaler is not None and state.scaler:
                self.scaler.load_state_dict(state.scaler)
            self.step, self.seconds = state.step, state.seconds
        if self.main:
            self.folder.mkdir(parents=True, exist_ok=True)
            checkpoint.tidy(self.folder)
            self.journal = Journal(self.folder, self.step)
        return self.step

    def told(self, lr: float, losses: dict[str, float]) -> Told:
        told = Told(self.step, self.recipe.optim.steps, lr, self.seconds, losses)
        if self.main:
            self.journal.note(told)
        return told

    def save(self, *, last: bool = False) -> None:
        """Where the training is, and what it has learned; at the end also the model, where the objective makes one."""
        if not self.main:
            return
        scaler = {} if self.scaler is None else self.scaler.state_dict()
        optimizer, learned = self.optimizer.state_dict(), self.recipe.learned
        checkpoint.save(
            self.folder, Checkpoint(self.step, self.seconds, self.live, self.average, optimizer, learned, scaler)
        )
        weights.write(self.folder, self.average, {"recipe": self.recipe.name, "steps": str(self.step)})
        if last and isinstance(self.objective, Model):
            with weights.lent(self.average, self.live):
                self.objective.save(self.folder / "model", self.recipe.name)
        self.journal.draw(self.recipe)

    def judge(self, validate: Callable[..., dict[str, float]]) -> None:
        """The averaged weights' figures; the best by the first of them are kept."""
        if not self.main:
            return
        with weights.lent(self.average, self.live):
            figures = validate(self.objective, self.folder / "pictures" / f"{self.step:07d}")
        if self.journal.judged(self.step, figures):
            (self.folder / "best").mkdir(exist_ok=True)
            weights.write(self.folder / "best", self.average, {"recipe": self.recipe.name, "steps": str(self.step)})

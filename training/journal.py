"""What a training tells while it runs: lines of JSON always, TensorBoard where it is installed, and a page of HTML."""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceforge_training.page import page
from faceforge_training.settings import Recipe

LOG, FIGURES = "losses.jsonl", "figures.jsonl"


@dataclass(frozen=True)
class Told:
    """One line of news."""

    step: int
    steps: int
    lr: float
    seconds: float
    losses: dict[str, float]


class Journal:
    """A run's news in its folder, from a step on: what a killed training told beyond its checkpoint is told again."""

    def __init__(self, folder: Path, step: int) -> None:
        self.folder = folder
        for name in (LOG, FIGURES):
            kept = [line for line in lines(folder / name) if line["step"] <= step]
            text = "".join(json.dumps(line) + "\n" for line in kept)
            if kept or (folder / name).exists():
                (folder / name).write_text(text, encoding="utf-8")
        self.board = _board(folder, step)

    def note(self, told: Told) -> None:
        self._line(LOG, vars(told))
        self._show({**told.losses, "lr": told.lr}, told.step)

    def judged(self, step: int, figures: Mapping[str, float]) -> bool:
        """Whether these figures are the best so far, by the first of them; higher is better."""
        first = next(iter(figures))
        before = [line[first] for line in lines(self.folder / FIGURES) if first in line]
        self._line(FIGURES, {"step": step, **figures})
        self._show({f"validation/{name}": value for name, value in figures.items()}, step)
        return all(figures[first] > each for each in before)

    def draw(self, recipe: Recipe) -> None:
        """Write run.html anew."""
        told, figures = lines(self.folder / LOG), lines(self.folder / FIGURES)
        pictures = sorted((self.folder / "pictures").glob("*/*.png"))
        text = page(recipe, told, figures, [each.relative_to(self.folder).as_posix() for each in pictures])
        (self.folder / "run.html").write_text(text, encoding="utf-8")

    def _line(self, name: str, line: Mapping[str, Any]) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(line) + "\n")

    def _show(self, numbers: Mapping[str, float], step: int) -> None:
        if self.board is not None:
            for name, value in numbers.items():
                self.board.add_scalar(name, value, step)


def lines(file: Path) -> list[dict[str, Any]]:
    """The whole lines of a file of JSON; a kill may have cut off the last one."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return found


def _board(folder: Path, step: int) -> Any:
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from faceforge.errors import BadWeights
from faceforge.io.weights import read_tensors
from faceforge_training import checkpoint, parts
from faceforge_training.errors import Diverged
from faceforge_training.loop import WEIGHTS, train
from faceforge_training.settings import Recipe, read, recipes
from tests.training import small


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(parts.OBJECTIVES, "small", small.Denoiser)
    monkeypatch.setitem(parts.READERS, "rows", small.Rows)
    file = tmp_path / "small.toml"
    file.write_text(small.RECIPE)
    return file


def same(one: Path, other: Path) -> bool:
    a, b = checkpoint_of(one), checkpoint_of(other)
    averages = [read_tensors(folder / WEIGHTS) for folder in (one, other)]
    return (
        a.step == b.step
        and all(torch.equal(value, b.objective[name]) for name, value in a.objective.items())
        and all(torch.equal(value, averages[1][name]) for name, value in averages[0].items())
        and equal_states(a.optimizer["state"], b.optimizer["state"])
    )


def equal_states(one: dict[int, dict[str, torch.Tensor]], other: dict[int, dict[str, torch.Tensor]]) -> bool:
    return all(torch.equal(value, other[key][name]) for key, each in one.items() for name, value in each.items())


def checkpoint_of(folder: Path) -> checkpoint.Checkpoint:
    return checkpoint.Checkpoint(**torch.load(folder / checkpoint.NAME, weights_only=True))


class Stopped(Exception):
    pass


def stop(told: object) -> None:
    raise Stopped


def test_a_training_that_stopped_ends_bit_for_bit_like_one_that_did_not(recipe: Path, tmp_path: Path) -> None:
    train(read(recipe), tmp_path / "whole")
    with pytest.raises(Stopped):
        train(read(recipe), tmp_path / "halves", tell=stop)  # at step 10, three after the checkpoint
    assert checkpoint_of(tmp_path / "halves").step == 7
    train(read(recipe), tmp_path / "halves")
    assert same(tmp_path / "whole", tmp_path / "halves")


def test_a_training_killed_anywhere_ends_bit_for_bit_like_one_that_was_not(recipe: Path, tmp_path: Path) -> None:
    more = ["optim.steps=3000", "run.save_every=5"]
    script = [sys.executable, "-m", "tests.training.small", str(recipe)]
    killed = subprocess.Popen([*script, str(tmp_path / "killed"), *more], cwd=Path(__file__).parents[2])
    while not (tmp_path / "killed" / checkpoint.NAME).exists():
        assert killed.poll() is None
        time.sleep(0.02)
    time.sleep(0.1)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    reached = checkpoint_of(tmp_path / "killed").step
    assert 0 < reached < 3000, reached
    short = read(recipe, [*more])
    train(short, tmp_path / "killed")
    train(short, tmp_path / "whole")
    assert same(tmp_path / "whole", tmp_path / "killed")


def test_a_loss_that_is_no_number_stops_and_keeps_its_batch(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="'noise' of step 3"):
        train(read(recipe, ["data.bad=3"]), tmp_path / "run")
    batch = torch.load(tmp_path / "run" / "batch-3.pt", weights_only=True)
    assert batch["clean"].isnan().all()


def test_minutes_end_a_training_with_the_rate_run_down(recipe: Path, tmp_path: Path) -> None:
    rates: list[float] = []
    endless = read(recipe, ["optim.steps=1000000", "run.log_every=1"])
    began = time.monotonic()
    train(endless, tmp_path / "run", minutes=0.02, tell=lambda told: rates.append(told.lr))
    assert time.monotonic() - began < 30
    assert rates[-1] < 0.05 * max(rates)


def test_a_checkpoint_of_other_settings_is_refused(recipe: Path, tmp_path: Path) -> None:
    train(read(recipe, ["optim.steps=2"]), tmp_path / "run")
    with pytest.raises(BadWeights, match="other settings"):
        train(read(recipe, ["optim.steps=3"]), tmp_path / "run")


def test_weights_of_an_earlier_training_can_be_the_beginning(recipe: Path, tmp_path: Path) -> None:
    first = train(read(recipe), tmp_path / "first")
    still = ["optim.steps=1", "optim.lr=1e-12", f"run.start={first}"]
    second = read_tensors(train(read(recipe, still), tmp_path / "second"))
    assert all(torch.allclose(value, second[name]) for name, value in read_tensors(first).items())


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_runs_two_steps(name: str, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    drawn = tmp_path_factory.getbasetemp() / "drawn"
    count = "data.portraits=8" if name.startswith("face-finder") else "data.persons=2"
    few = [f"data.folder={drawn}", count, "data.pixels=40", "data.batch=4", "optim.steps=2"]
    recipe: Recipe = read(name, few)
    train(recipe, tmp_path / "run")
    assert checkpoint_of(tmp_path / "run").step == 2

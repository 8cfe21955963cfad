import errno
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from faceforge.errors import BadWeights, CannotWrite
from faceforge.io.weights import read_tensors
from faceforge.synth.dataset import write
from faceforge.synth.wanted import Wanted
from faceforge_training import checkpoint, parts
from faceforge_training.errors import BadRecipe, Diverged, OutOfMemory
from faceforge_training.journal import LOG, lines
from faceforge_training.loop import WEIGHTS, train
from faceforge_training.settings import Recipe, read, recipes
from tests.training import small


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(parts.OBJECTIVES, "small", small.Denoiser)
    monkeypatch.setitem(parts.READERS, "rows", small.Rows)
    monkeypatch.setitem(parts.READERS, "noise", small.Edits)
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


def test_a_training_in_several_calls_ends_bit_for_bit_like_one_in_one(recipe: Path, tmp_path: Path) -> None:
    train(read(recipe), tmp_path / "whole")
    calls = 0
    while calls < 100 and (calls == 0 or checkpoint_of(tmp_path / "calls").step < 60):
        train(read(recipe), tmp_path / "calls", pause=0.0003)
        calls += 1
    assert 1 < calls < 100
    assert same(tmp_path / "whole", tmp_path / "calls")


def test_a_step_that_does_not_fit_is_refused_with_advice(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: small.Denoiser, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(small.Denoiser, "forward", full)
    with pytest.raises(OutOfMemory, match=r"Halve data\.batch"):
        train(read(recipe), tmp_path / "run")


def test_a_checkpoint_of_other_settings_is_refused(recipe: Path, tmp_path: Path) -> None:
    train(read(recipe, ["optim.steps=2"]), tmp_path / "run")
    with pytest.raises(BadWeights, match="other settings"):
        train(read(recipe, ["optim.steps=3"]), tmp_path / "run")


def test_weights_of_an_earlier_training_can_be_the_beginning(recipe: Path, tmp_path: Path) -> None:
    first = train(read(recipe), tmp_path / "first")
    still = ["optim.steps=1", "optim.lr=1e-12", f"run.start={first}"]
    second = read_tensors(train(read(recipe, still), tmp_path / "second"))
    assert all(torch.allclose(value, second[name]) for name, value in read_tensors(first).items())


FEW = {
    "face-finder": ["data.portraits=8", "data.pixels=40"],
    "face-identity": ["data.persons=2", "data.pixels=40"],
    "judge": ["data.persons=2", "data.pixels=40"],
    "mini-vae-straight": ["data.pairs=16", "data.pixels=64"],  # the miniature has no room for its trick
    "mini": ["data.pairs=16", "data.pixels=64", "objective.backbone=tiny"],
    "sd15": ["data.pixels=64", "objective.backbone=tiny", "data.layout=table", "optim.kind=adamw", "run.precision=no"],
}

CLOSE = {"yaw_deg": 0.0, "pitch_deg": 0.0, "roll_deg": 0.0, "occluder": None}  # found by any finder


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_runs_two_steps(name: str, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    drawn = tmp_path_factory.getbasetemp() / "drawn"
    few = next(each for start, each in FEW.items() if name.startswith(start))
    if "vae" in read(name).data:
        few = [*few, "data.vae="]
    if "prepared" in read(name).data:
        write(drawn / "frames", Wanted(2, 5_000_000, 192, kind="pairs", overrides=CLOSE))
        few = [*few, f"data.prepared={tmp_path}"]
        drawn = drawn / "frames"
    few = [*few, f"data.folder={drawn}", "data.batch=4", "optim.steps=2", "optim.accumulate=1", "run.workers=0"]
    recipe: Recipe = replace(read(name, few), validation={})
    train(recipe, tmp_path / "run")
    assert checkpoint_of(tmp_path / "run").step == 2


@pytest.mark.parametrize("text", [small.RECIPE, small.EDITOR], ids=["small", "editor"])
def test_two_processes_learn_what_one_learns_from_the_same_batches(text: str, recipe: Path, tmp_path: Path) -> None:
    """Each of two reads every other batch of those that one sums up: the gradients are equal to rounding."""
    recipe.write_text(text)
    few = ["optim.steps=6", "run.log_every=2", "optim.lr=1e-3"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", f"--master_port={free_port()}"]
    module = ["-m", "tests.training.small", str(recipe), str(tmp_path / "two"), *few]
    on_cpu = {**os.environ, "ACCELERATE_USE_CPU": "true"}
    root = Path(__file__).parents[2]
    found = subprocess.run([*launch, *module], cwd=root, env=on_cpu, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr[-2000:]
    train(read(recipe, [*few, "optim.accumulate=2"]), tmp_path / "one")
    two, one = (checkpoint_of(tmp_path / name) for name in ("two", "one"))
    assert two.step == one.step == 6
    for name, value in one.objective.items():
        torch.testing.assert_close(two.objective[name], value, rtol=1e-4, atol=1e-5)
    told = [[sum(line["losses"].values()) for line in lines(tmp_path / name / LOG)] for name in ("two", "one")]
    assert told[0] == pytest.approx(told[1], rel=1e-4)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_gradients_of_several_batches_are_their_mean(recipe: Path, tmp_path: Path) -> None:
    """Two equal halves summed up move the weights as one of them does."""
    once = ["optim.steps=1", "data.same=true", "objective.quiet=true"]
    train(read(recipe, once), tmp_path / "one")
    train(read(recipe, [*once, "optim.accumulate=2"]), tmp_path / "two")
    assert same(tmp_path / "one", tmp_path / "two")


def test_a_full_disk_leaves_the_last_checkpoint(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(read(recipe), tmp_path / "whole")
    write = torch.save

    def half_written(state: dict[str, object], file: Path) -> None:
        if state["step"] == 21:
            file.write_bytes(b"half of a checkpoint")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(state, file)

    monkeypatch.setattr(torch, "save", half_written)
    with pytest.raises(CannotWrite, match="No space left"):
        train(read(recipe), tmp_path / "full")
    monkeypatch.setattr(torch, "save", write)
    assert checkpoint_of(tmp_path / "full").step == 14
    train(read(recipe), tmp_path / "full")
    assert same(tmp_path / "whole", tmp_path / "full")


def test_news_beyond_the_checkpoint_is_told_once(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        train(read(recipe), tmp_path / "run", tell=stop)  # told at 10, kept at 7
    train(read(recipe), tmp_path / "run")
    assert [line["step"] for line in lines(tmp_path / "run" / LOG)] == [10, 20, 30, 40, 50, 60]
    assert "noise" in (tmp_path / "run" / "run.html").read_text()


def test_the_best_weights_are_kept(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []

    def validate(objective: torch.nn.Module, pictures: Path) -> dict[str, float]:
        seen.append(objective.state_dict()["network.0.weight"].half())
        return {"good": [1.0, 3.0, 2.0][len(seen) - 1]}

    monkeypatch.setitem(parts.VALIDATIONS, "third", lambda: validate)
    asked = ["validation.name=third", "run.validate_every=20"]
    train(read(recipe, asked), tmp_path / "run")
    best = read_tensors(tmp_path / "run" / "best" / WEIGHTS)
    assert len(seen) == 3
    assert torch.equal(best["network.0.weight"], seen[1])
    train(read(recipe), tmp_path / "plain")
    assert same(tmp_path / "run", tmp_path / "plain")  # looking does not change what is learned


def test_what_is_not_there_is_refused_plainly(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="pip install bitsandbytes"):
        train(read(recipe, ["optim.kind=adamw-8bit"]), tmp_path / "run")
    with pytest.raises(BadRecipe, match="'fp16' cannot be used on 'cpu'"):
        train(read(recipe, ["run.precision=fp16"]), tmp_path / "run")

from pathlib import Path

import pytest
from click.testing import CliRunner

from faceforge_training import parts
from faceforge_training.command import command
from faceforge_training.errors import BadRecipe
from faceforge_training.forecast import forecast
from faceforge_training.loop import train
from faceforge_training.settings import read, recipes
from tests.training import small


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_that_ships_is_valid(name: str) -> None:
    assert read(name).name == name


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("optim.lrr=1", "no setting 'lrr'. Did you mean 'lr'?"),
        ("optm.lr=1", "no setting 'optm'. Did you mean 'optim'?"),
        ("objective.name=face-point", "Did you mean 'face-points'?"),
        ("data.reader=face-crop", "Did you mean 'face-crops'?"),
        ("data.portrait=5", "Did you mean 'portraits'?"),
        ("objective.width=wide", "objective.width='wide' cannot be used"),
        ("optim.lr=-1", "optim.lr=-1 cannot be used"),
        ("optim.steps=1.5", "optim.steps=1.5 cannot be used"),
        ("run.precision=fp8", "run.precision='fp8' cannot be used"),
        ("optim", "is not NAME=VALUE"),
        ("optim=3", "is not a table"),
        ("optim.lr.x=3", "'lr' is a value, not a table"),
    ],
)
def test_a_mistaken_setting_is_refused_with_what_was_meant(change: str, told: str) -> None:
    with pytest.raises(BadRecipe) as refusal:
        read("face-finder-landmarks", [change])
    assert told in str(refusal.value)


def test_a_recipe_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadRecipe, match="Did you mean 'face-finder-detect'"):
        read("face-finder-detct")


def test_a_missing_setting_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "short.toml"
    file.write_text('objective = { name = "face-map" }\ndata = { reader = "face-scenes" }\noptim = { lr = 1e-3 }')
    with pytest.raises(BadRecipe, match=r"data\.folder"):
        read(file)


def test_text_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "odd.toml"
    file.write_text("optim = {")
    with pytest.raises(BadRecipe, match="not TOML"):
        read(file)


def test_the_command_lists_recipes() -> None:
    listed = CliRunner().invoke(command, ["--list"])
    assert listed.output.split() == recipes()


def test_a_dry_run_tells_what_a_training_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parts.OBJECTIVES, "small", small.Denoiser)
    monkeypatch.setitem(parts.READERS, "rows", small.Rows)
    recipe = tmp_path / "small.toml"
    recipe.write_text(small.RECIPE)
    folder = tmp_path / "run"
    told = CliRunner().invoke(command, [str(recipe), "--dry-run", "--set", "optim.lr=0.5", "-o", str(folder)])
    assert told.exit_code == 0, told.output
    assert "lr=0.5" in told.output
    assert "0.00 million learn" in told.output
    assert "60 of 60 steps" in told.output
    assert not folder.exists()
    train(read(recipe), folder)
    assert forecast(read(recipe), folder)["time left"].startswith("0 of 60 steps")

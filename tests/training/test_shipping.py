"""A run's model as it ships: opened by its name, with its history, and referring to what another ships."""

import json
from pathlib import Path

import pytest
import torch

import faceforge as ff
from faceforge import assets
from faceforge.errors import BadWeights
from faceforge.store.checkpoint import weights_hash
from faceforge.store.shipped import shipped
from faceforge_training.loop import train
from faceforge_training.settings import read
from faceforge_training.shipping import ship
from tests.training import small


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A model that was trained for three steps."""
    small.known()
    (tmp_path / "small.toml").write_text(small.EDITOR)
    return train(read(tmp_path / "small.toml", ["run.log_every=1"]), tmp_path / "run").parent


@pytest.fixture
def ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what ships lies, for the time of a test."""
    (tmp_path / "assets").mkdir()
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets" / "__init__.py"))
    return tmp_path / "assets"


def test_what_ships_is_opened_by_its_name_and_says_how_it_came_to_be(run: Path, ships: Path) -> None:
    assert ship(run, ships / "small") == ships / "small"
    assert list(shipped()) == ["small"]
    forge = ff.load("small")
    assert forge.name == "small"
    assert "synthetic portraits alone" in forge.notice
    (history,) = json.loads((ships / "small" / "training.json").read_text())
    assert history["steps"] == 3
    assert [point[0] for point in history["curve"]] == [1, 2, 3]
    assert "'backbone': 'tiny'" in history["recipe"]
    assert not [each for each in (ships / "small").rglob("*.json") if str(run) in each.read_text()]


def test_what_a_run_went_on_from_is_told_before_it(run: Path, ships: Path, tmp_path: Path) -> None:
    train(read(tmp_path / "small.toml", [f"run.start={run}", "run.log_every=1", "optim.lr=1e-5"]), tmp_path / "more")
    ship(tmp_path / "more", ships / "small", before=[run])
    first, second = json.loads((ships / "small" / "training.json").read_text())
    assert "1e-05" in second["recipe"]
    assert "1e-05" not in first["recipe"]


def test_parts_that_are_the_same_are_kept_once(run: Path, ships: Path) -> None:
    ship(run, ships / "small")
    ship(run, ships / "other", "small")
    assert not (ships / "other" / "backbone" / "vae").exists()
    assert not list((ships / "other").rglob("text_encoder"))
    one, other = (ff.load(name).backbone for name in ("small", "other"))
    assert one.vae is not None
    assert other.vae is not None
    assert weights_hash(one.vae) == weights_hash(other.vae)
    assert torch.equal(one.text.embed("a portrait"), other.text.embed("a portrait"))


def test_parts_of_another_training_are_refused(run: Path, ships: Path, tmp_path: Path) -> None:
    ship(run, ships / "small")
    train(read(tmp_path / "small.toml", ["run.seed=1"]), tmp_path / "another")
    with pytest.raises(BadWeights, match="The text of this model is not that of 'small'"):
        ship(tmp_path / "another", ships / "other", "small")
    with pytest.raises(BadWeights, match="No model that ships is called 'smal': small"):
        ship(run, ships / "other", "smal")
    assert list(shipped()) == ["small"]

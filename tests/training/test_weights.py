from pathlib import Path

import pytest
import torch
from torch import nn

from faceforge.errors import BadWeights
from faceforge_training import weights


def some(count: int = 9, size: int = 3_000_000) -> dict[str, torch.Tensor]:
    return {f"layer{n}": torch.full((size,), float(n)) for n in range(count)}


def test_weights_come_back_in_half_precision_from_a_few_files_of_a_limited_size(tmp_path: Path) -> None:
    """54 MB of halves: no file above 16 MB, and not more than six."""
    weights.write(tmp_path, some(), {"steps": "1"})
    files = list(tmp_path.iterdir())
    assert 1 < len(files) <= weights.MOST_FILES
    assert max(each.stat().st_size for each in files) < weights.MOST_BYTES + 10_000
    found = weights.read(tmp_path)
    assert {name: float(each[0]) for name, each in found.items()} == {f"layer{n}": float(n) for n in range(9)}
    assert found["layer0"].dtype == torch.float16


def test_there_are_never_more_files_than_a_few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "MOST_BYTES", 100)
    weights.write(tmp_path, some(50, 100), {"steps": "1"})
    assert len(list(tmp_path.iterdir())) <= weights.MOST_FILES


def test_files_of_two_steps_or_too_few_of_them_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "MOST_BYTES", 100)
    weights.write(tmp_path, some(4, 100), {"steps": "1"})
    first = sorted(tmp_path.iterdir())[0]
    old = first.read_bytes()
    weights.write(tmp_path, some(4, 100), {"steps": "2"})
    weights.read(tmp_path)
    first.write_bytes(old)
    with pytest.raises(BadWeights, match="different steps"):
        weights.read(tmp_path)
    first.unlink()
    with pytest.raises(BadWeights, match="holds 3 of 4"):
        weights.read(tmp_path)


def test_only_what_is_trained_is_learned() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    network[0].requires_grad_(False)
    assert set(weights.learned(network)) == {f"1.{name}" for name in network[1].state_dict()}


def test_lent_weights_are_given_back_bit_for_bit() -> None:
    network = nn.Linear(3, 3)
    live = weights.learned(network)
    before = {name: value.clone() for name, value in live.items()}
    with weights.lent({name: value + 1 for name, value in before.items()}, live):
        assert torch.equal(network.weight, before["weight"] + 1)
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())


def test_a_start_of_another_shape_is_refused() -> None:
    with pytest.raises(BadWeights, match="'weight' differs"):
        weights.fill(nn.Linear(3, 3), weights.learned(nn.Linear(2, 3)))

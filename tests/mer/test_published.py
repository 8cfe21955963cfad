"""Published weights are loaded strictly, and see the channels they were trained on."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from faceforge.errors import BadPicture, BadWeights
from faceforge.mer.detectors import detector
from faceforge.mer.detectors.published import Expects, published

CHANNELS = torch.rand(2, 3, 28, 28, generator=torch.Generator().manual_seed(0))


def saved(folder: Path, name: str, classes: int, suffix: str) -> Path:
    state, file = detector(name, num_classes=classes).state_dict(), folder / f"{name}{suffix}"
    torch.save(state, file) if suffix == ".pth" else save_file(state, file)
    return file


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_ststnet_of_its_authors_sees_strain_first_from_0_to_255(tmp_path: Path, suffix: str) -> None:
    file = saved(tmp_path, "ststnet", 3, suffix)
    ours = published("ststnet", file, num_classes=3)
    answer = ours(CHANNELS)
    assert torch.equal(answer, ours.network(255 * CHANNELS.flip(1)))
    as_benchmark = published("ststnet", file, Expects(), num_classes=3)
    assert torch.equal(as_benchmark(CHANNELS), ours.network(CHANNELS))
    assert not torch.allclose(as_benchmark(CHANNELS), answer)


def test_offapexnet_sees_flow_without_strain(tmp_path: Path) -> None:
    ours = published("offapexnet", saved(tmp_path, "offapexnet", 12, ".pth"))
    assert torch.equal(ours(CHANNELS), ours.network(CHANNELS[:, :2]))
    assert len(ours.sha256) == 64


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="does not fit ststnet"):
        published("ststnet", saved(tmp_path, "ststnet", 3, ".pth"), num_classes=12)
    with pytest.raises(BadWeights, match="does not fit offapexnet"):
        published("offapexnet", saved(tmp_path, "ststnet", 12, ".pth"))


def test_channels_in_another_range_or_number_are_refused(tmp_path: Path) -> None:
    ours = published("ststnet", saved(tmp_path, "ststnet", 12, ".pth"))
    with pytest.raises(BadPicture, match="from 0 to 1"):
        ours(255 * CHANNELS)
    with pytest.raises(BadPicture, match=r"\(2, 2, 28, 28\)"):
        ours(CHANNELS[:, :2])

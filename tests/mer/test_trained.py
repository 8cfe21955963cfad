"""What trained judges learned, beyond what every judge has to hold."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from faceforge.errors import BadWeights
from faceforge.io.weights import write_tensors
from faceforge.mer.dose_response import spearman
from faceforge.mer.intensity import IntensityJudge
from faceforge.mer.pairs import PIXELS, PairNetwork
from tests.mer.pairs import judged_by, smiling

STRANGERS = range(5_100_000, 5_100_003)  # no recipe trains on these
TRAINED = pytest.mark.parametrize("name", ["intensity", "motion"])


def changes(name: str, source: Image.Image, edited: Image.Image) -> np.ndarray:
    return np.array(judged_by(name).delta(source, edited))


@TRAINED
@pytest.mark.parametrize("code", ["AU1", "AU4", "AU12", "AU25", "AU26"])
def test_a_unit_that_sets_in_is_seen_to(name: str, code: str) -> None:
    found = [changes(name, smiling(seed), smiling(seed, **{code: 4.0})) for seed in STRANGERS]
    own = np.mean(found, 0)[list(judged_by(name).codes).index(code)]
    assert own > 2 * judged_by(name).facts.least


@TRAINED
def test_more_of_a_smile_is_seen_as_more(name: str) -> None:
    doses = (1.0, 2.0, 3.0, 4.0, 5.0)
    place = list(judged_by(name).codes).index("AU12")
    found = [changes(name, smiling(), smiling(AU12=dose))[place] for dose in doses]
    assert spearman(np.array(doses), np.array(found)) > 0.9, found


def test_the_network_is_odd_whatever_its_weights() -> None:
    network = PairNetwork(5, width=8)
    one, other = torch.rand(2, 3, 1, PIXELS, PIXELS)
    assert torch.equal(network(one, other), -network(other, one))
    assert not network(one, one).any()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    write_tensors(tmp_path / "odd.safetensors", {"a": torch.zeros(1)})
    with pytest.raises(BadWeights, match="does not fit"):
        IntensityJudge(tmp_path / "odd.safetensors")


def test_every_judge_says_which_weights_it_has() -> None:
    said = [judged_by("intensity"), judged_by("motion")]
    assert len({each.facts.weights for each in said}) == 2
    assert all(len(each.facts.weights) == 64 for each in said)

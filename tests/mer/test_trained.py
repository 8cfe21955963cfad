"""What the trained judges have to hold whatever they learned, and that they learned it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import spearmanr

from faceforge.errors import BadWeights
from faceforge.io.weights import write_tensors
from faceforge.mer.intensity import IntensityJudge
from faceforge.mer.judges import Judge, judge
from faceforge.mer.pairs import PIXELS, PairNetwork
from tests.mer import people

TRAINED = pytest.mark.parametrize("name", ["intensity", "motion"])


def changes(name: str, source: Image.Image, edited: Image.Image) -> np.ndarray:
    return np.array(judge(name).delta(source, edited))


@TRAINED
def test_a_picture_beside_itself_has_not_changed_at_all(name: str) -> None:
    assert not changes(name, people.taken(0), people.taken(0).copy()).any()


@TRAINED
def test_exchanged_pictures_change_by_the_same_with_the_other_sign(name: str) -> None:
    before, after = people.taken(0), people.taken(0, AU12=3.0)
    forth, back = changes(name, before, after), changes(name, after, before)
    assert forth.any()
    assert (forth == -back).all()


@TRAINED
@pytest.mark.parametrize(
    "edit",
    [
        lambda image: people.brighter(image, 1.1),
        lambda image: people.brighter(image, 0.9),
        people.compressed,
        people.turned,
    ],
    ids=["brighter", "darker", "jpeg", "turned"],
)
def test_what_no_muscle_does_counts_as_no_change(name: str, edit: Callable[[Image.Image], Image.Image]) -> None:
    least = judge(name).facts.least
    found = np.array([changes(name, each, edit(each)) for each in people.at_rest()])
    assert np.abs(found).max() < least, found.round(2)


@TRAINED
@pytest.mark.parametrize("code", ["AU1", "AU4", "AU12", "AU25", "AU26"])
def test_a_unit_that_sets_in_is_seen_to(name: str, code: str) -> None:
    found = [changes(name, each, people.taken(n, **{code: 4.0})) for n, each in enumerate(people.at_rest())]
    own = np.mean(found, 0)[list(judge(name).codes).index(code)]
    assert own > 2 * judge(name).facts.least


@TRAINED
def test_more_of_a_smile_is_seen_as_more(name: str) -> None:
    doses = (1.0, 2.0, 3.0, 4.0, 5.0)
    place = list(judge(name).codes).index("AU12")
    found = [changes(name, people.taken(1), people.taken(1, AU12=dose))[place] for dose in doses]
    assert spearmanr(doses, found).statistic > 0.9, found


@pytest.mark.parametrize(("points", "codes"), [(people.BROWS, ("AU1", "AU2")), (people.MOUTH_CORNERS, ("AU12",))])
def test_the_motion_judge_follows_skin_that_is_pushed_by_hundredths_of_the_eye_distance(
    points: tuple[int, ...], codes: tuple[str, ...]
) -> None:
    shares = (0.01, 0.02, 0.03, 0.04, 0.05)
    places = [list(judge("motion").codes).index(code) for code in codes]
    for each in people.at_rest():
        pushed = [changes("motion", each, people.raised(each, points, share)) for share in shares]
        found = [change[places].sum() for change in pushed]
        assert spearmanr(shares, found).statistic >= 0.9, found


def test_the_network_is_odd_whatever_its_weights() -> None:
    network = PairNetwork(5, width=8)
    one, other = torch.rand(2, 3, 1, PIXELS, PIXELS)
    assert torch.equal(network(one, other), -network(other, one))
    assert not network(one, one).any()


def test_weights_of_another_network_are_refused(tmp_path) -> None:
    write_tensors(tmp_path / "odd.safetensors", {"a": torch.zeros(1)})
    with pytest.raises(BadWeights, match="does not fit"):
        IntensityJudge(tmp_path / "odd.safetensors")


def test_every_judge_says_which_weights_it_has() -> None:
    said: list[Judge] = [judge("intensity"), judge("motion")]
    assert len({each.facts.weights for each in said}) == 2
    assert all(len(each.facts.weights) == 64 for each in said)

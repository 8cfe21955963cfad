"""Google's Face Landmarker, which never saw our renderer, takes our portraits for faces and reads our units in them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from benchmarks.landmarker import FULL, See, found_model, landmarker, response, spearman, watch_person, watch_portraits

PEOPLE = 8
PORTRAITS = 16
SIGNS = {"AU1": "browInnerUp", "AU2": "browOuterUp", "AU12": "mouthSmile", "AU26": "jawOpen"}


@pytest.fixture(scope="module")
def see() -> Iterator[See]:
    model = found_model()
    if model is None:
        pytest.skip("no landmark model (set FACEFORGE_LANDMARKER)")
    with landmarker(model) as found:
        yield found


@pytest.fixture(scope="module")
def people(see: See) -> list[dict[str, Any]]:
    """What it reads in plain frontal pictures of a few people, each unit alone, half and at full intensity."""
    return [watch_person(see, number, SIGNS, {}, intensities=(FULL / 2, FULL)) for number in range(PEOPLE)]


@pytest.mark.slow
def test_it_finds_every_plain_face(people: list[dict[str, Any]]) -> None:
    assert all(each["rest"] is not None for each in people)


@pytest.mark.slow
def test_its_landmarks_are_ours(people: list[dict[str, Any]]) -> None:
    assert np.mean([each["errors"] for each in people]) < 0.05  # eye distances


@pytest.mark.slow
def test_it_finds_portraits_of_every_kind(see: See) -> None:
    found = watch_portraits(see, range(PORTRAITS)).values()
    assert sum(each["drawn"] is not None for each in found) >= 0.9 * PORTRAITS


@pytest.mark.slow
@pytest.mark.parametrize(("au", "sign"), SIGNS.items())
def test_its_blendshapes_follow_our_units(people: list[dict[str, Any]], au: str, sign: str) -> None:
    found = response(au, sign, people)
    assert found.within >= 0.8
    assert found.at_full > 0


def test_ranks_of_equal_values_are_shared() -> None:
    assert spearman(np.array([0.0, 1, 2, 3]), np.array([0.1, 0.1, 4, 9])) == pytest.approx(0.948683)  # 3 / sqrt(10)
    assert spearman(np.array([0.0, 1, 2]), np.ones(3)) == 0

"""The figures that the shipped networks carry reach what was asked for, and are found again on held-out people."""

import json
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest

from faceforge.io.weights import read_metadata
from faceforge.mer.identity import ASSET as IDENTITY
from faceforge.mer.identity import EmbeddedIdentity
from faceforge.mer.intensity import ASSET as INTENSITY
from faceforge.mer.intensity import IntensityJudge
from faceforge.mer.motion import ASSET as MOTION
from faceforge_training.judged import ALIGNED, agreement, directions, equal_error, held_out
from faceforge_training.people import People

MEAN_ICC, LEAST_ICC, MOST_ERRORS = 0.7, 0.5, 0.05
PEOPLE = 12


def recorded(asset: str) -> dict[str, str]:
    with as_file(files("faceforge.assets") / asset) as file:
        return read_metadata(file)


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> People:
    folder: Path = tmp_path_factory.getbasetemp() / "strangers"
    return held_out(folder, PEOPLE)


def test_the_intensity_judge_agrees_with_the_truth_about_strangers() -> None:
    icc = [unit["icc"] for unit in json.loads(recorded(INTENSITY)["aligned"]).values()]
    assert np.mean(icc) >= MEAN_ICC
    assert min(icc) >= LEAST_ICC


def test_the_identity_embedding_tells_strangers_apart() -> None:
    assert float(recorded(IDENTITY)["equal_error_rate"]) <= MOST_ERRORS


def test_all_of_them_together_are_small() -> None:
    sizes = []
    for asset in (INTENSITY, MOTION, IDENTITY):
        with as_file(files("faceforge.assets") / asset) as file:
            sizes.append(file.stat().st_size)
    assert sum(sizes) < 6e6


@pytest.mark.slow
def test_the_agreement_on_record_is_found_again(strangers: People) -> None:
    once = np.mean([unit["icc"] for unit in json.loads(recorded(INTENSITY)["aligned"]).values()])
    again = np.nanmean(agreement(IntensityJudge(), strangers, ALIGNED).icc)
    assert again == pytest.approx(once, abs=0.1)
    assert again >= MEAN_ICC - 0.05  # twelve people are few


@pytest.mark.slow
def test_the_confusion_on_record_is_found_again(strangers: People) -> None:
    assert equal_error(directions(EmbeddedIdentity(), strangers)) == pytest.approx(
        EmbeddedIdentity().equal_error_rate, abs=0.03
    )

from dataclasses import replace

import numpy as np
import pytest

from faceforge.face.squares import MIRRORED
from faceforge.mer.identity import EmbeddedIdentity
from faceforge.mer.looking import looker
from tests.mer.pairs import smiling

STRANGERS = range(5_100_000, 5_100_003)  # no recipe trains on these


@pytest.fixture(scope="module")
def identity() -> EmbeddedIdentity:
    return EmbeddedIdentity()


def embedded(identity: EmbeddedIdentity, seed: int, **aus: float) -> np.ndarray:
    seen = looker().look(smiling(seed, **aus))
    return identity.embed(seen.pixels, seen.face)


def test_an_embedding_is_a_direction(identity: EmbeddedIdentity) -> None:
    assert np.linalg.norm(embedded(identity, STRANGERS[0])) == pytest.approx(1, abs=1e-5)


def test_people_are_likest_to_themselves_whatever_their_face_does(identity: EmbeddedIdentity) -> None:
    rest = [embedded(identity, seed) for seed in STRANGERS]
    smiling = [embedded(identity, seed, AU12=4.0, AU6=3.0) for seed in STRANGERS]
    cosines = np.array([[one @ other for other in smiling] for one in rest])
    assert (cosines.argmax(1) == np.arange(3)).all(), cosines


def test_the_mirror_image_is_the_same_person(identity: EmbeddedIdentity) -> None:
    seen = looker().look(smiling())
    width = seen.image.width
    mirrored = replace(seen.face, landmarks=seen.face.landmarks[list(MIRRORED[:68])] * (-1, 1) + (width, 0))
    there = identity.embed(np.ascontiguousarray(seen.pixels[:, ::-1]), mirrored)
    assert identity.embed(seen.pixels, seen.face) @ there > 0.98


def test_how_often_strangers_are_confused_is_known(identity: EmbeddedIdentity) -> None:
    assert 0 < identity.equal_error_rate <= 0.05

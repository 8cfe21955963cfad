import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import faceforge.assets
from faceforge.errors import BadWeights
from faceforge.face.embedded import WEIGHTS, EmbeddedFinder
from faceforge.face.found import Face
from faceforge.io.weights import read_tensors, write_tensors
from faceforge.synth import photograph, sample
from faceforge.synth.portrait import Portrait

SHIPPED = Path(faceforge.assets.__file__).parent / WEIGHTS
FIRST = 5_000_000  # people that no recipe trains on


@cache
def finder() -> EmbeddedFinder:
    return EmbeddedFinder()


@cache
def taken() -> list[Portrait]:
    """Eight portraits, some turned, nothing before their faces."""
    turns = (0.0, 8.0, -8.0, 15.0, -15.0, 25.0, -25.0, 35.0)
    sittings = [sample(FIRST + number, yaw_deg=yaw) for number, yaw in enumerate(turns)]
    return photograph([replace(each, occluder=None) for each in sittings], 256)


def error(face: Face, truth: np.ndarray) -> float:
    """The mean distance of the points, in eye distances."""
    right, left = truth[36:42].mean(0), truth[42:48].mean(0)
    return float(np.linalg.norm(face.landmarks - truth, axis=1).mean() / np.hypot(*(left - right)))


def test_the_faces_of_strangers_are_found_with_their_points() -> None:
    errors = []
    for each in taken():
        (face,) = finder().find(each.image)
        errors.append(error(face, each.landmarks))
    assert np.mean(errors) < 0.07, errors


def test_a_head_that_turns_is_read_as_turned_to_the_same_side() -> None:
    found = [finder().find(each.image)[0].yaw_deg for each in taken()]
    true = [each.sitting.yaw_deg for each in taken()]
    assert np.corrcoef(found, true)[0, 1] > 0.95


def test_the_left_iris_lies_in_the_left_eye() -> None:
    face = finder().find(taken()[0].image)[0]
    assert face.irises is not None
    for iris, eye in zip(face.irises, (face.landmarks[42:48], face.landmarks[36:42]), strict=True):
        assert np.hypot(*(iris - eye.mean(0))) < 0.25 * face.eye_distance


def test_the_same_picture_gives_the_same_points_bit_for_bit() -> None:
    first, again = (EmbeddedFinder().find(taken()[1].image)[0] for _ in range(2))
    assert np.array_equal(first.landmarks, again.landmarks)


def test_a_mirrored_picture_has_a_mirrored_face() -> None:
    image = taken()[3].image
    face, mirrored = finder().find(image)[0], finder().find(image[:, ::-1])[0]
    across = mirrored.landmarks[8] * (-1, 1) + (image.shape[1], 0)
    assert np.hypot(*(across - face.landmarks[8])) < 0.15 * face.eye_distance
    assert mirrored.yaw_deg == pytest.approx(-face.yaw_deg, abs=8)


def test_both_of_two_faces_are_found() -> None:
    image = np.concatenate([taken()[0].image, taken()[1].image], 1)
    left, right = sorted(finder().find(image), key=lambda face: face.box[0])
    assert error(left, taken()[0].landmarks) < 0.12
    assert error(right, np.add(taken()[1].landmarks, (256, 0))) < 0.12


def test_a_small_face_in_a_large_picture_is_found() -> None:
    image = np.full((1200, 900, 3), 90, np.uint8)
    image[700:956, 500:756] = taken()[0].image
    assert any(error(face, np.add(taken()[0].landmarks, (500, 700))) < 0.12 for face in finder().find(image))


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 3), (64, 64), (300, 500)])
def test_where_no_one_is_no_one_is_found(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert finder().find(noise) == []
    assert finder().find(np.zeros((*shape, 3), np.uint8)) == []


def test_it_needs_no_outside_package_and_ships_small() -> None:
    code = (
        "import sys, numpy as np; from faceforge.face.embedded import EmbeddedFinder;"
        "EmbeddedFinder().find(np.zeros((40, 40, 3), np.uint8));"
        "print([name for name in ('mediapipe', 'cv2', 'torchvision', 'scipy') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
    assert SHIPPED.stat().st_size < 2_500_000


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    tensors = read_tensors(SHIPPED)
    tensors.pop("points.answer.bias")
    write_tensors(tmp_path / "odd.safetensors", tensors)
    with pytest.raises(BadWeights, match="does not fit"):
        EmbeddedFinder(tmp_path / "odd.safetensors")

"""What is known of finders: told numbers do not depend on the picture, and the table says what it must."""

from dataclasses import replace

import numpy as np
import pytest

from faceforge.face.calibration import (
    ANGLES,
    BLENDSHAPES,
    FINDERS,
    POINTS,
    READ,
    TOLD,
    UNITS,
    calibration,
    posture,
    tensors_of,
    told,
)
from faceforge.face.found import Face
from faceforge.face.readings import action_units
from faceforge.face.squares import MIRRORED


def face(turn_deg: float = 0.0, scale: float = 1.0, shift: float = 0.0) -> Face:
    points = np.random.default_rng(3).normal(0, 40, (70, 2))
    points[36:42, 0], points[42:48, 0] = -30, 30  # eyes with a line between them
    cosine, sine = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    points = scale * points @ np.array([[cosine, sine], [-sine, cosine]]) + 100 + shift
    return Face(points[:68], (200, 200), "mediapipe", irises=points[68:])


def test_told_points_do_not_depend_on_place_size_and_tilt() -> None:
    plain, moved = (told(each)[POINTS] for each in (face(), face(20.0, 1.7, -30.0)))
    np.testing.assert_allclose(moved, plain, atol=1e-9)


def test_what_is_not_told_is_said_to_be_missing() -> None:
    silent = told(replace(face(), irises=None))
    assert np.isnan(silent[136:140]).all()
    assert np.isnan(silent[READ]).all()
    assert np.isfinite(silent[:136]).all()
    heard = told(replace(face(), aus={"AU12": 2.0}))[READ]
    assert heard[UNITS.index("AU12")] == 2.0
    assert np.isnan(heard).sum() == len(UNITS) - 1


@pytest.mark.parametrize("name", FINDERS)
def test_both_halves_of_a_face_have_the_same_chances(name: str) -> None:
    habits = calibration(name)
    assert habits.habits.shape == (TOLD, len(posture(0, 0)))
    assert habits.response.shape == (TOLD, len(UNITS))
    points = habits.deviation[POINTS].reshape(70, 2)
    np.testing.assert_allclose(points[list(MIRRORED)], points, rtol=1e-3)
    assert 0 < points.min() < points.max() < 0.15
    assert habits.deviation[ANGLES].max() < 6


def test_only_mediapipe_reads_units_and_each_grows_with_its_own() -> None:
    assert np.isinf(calibration("embedded").deviation[READ]).all()
    read = calibration("mediapipe")
    assert np.isfinite(read.deviation[READ]).all()
    own = np.diag(read.response[READ])
    assert all(own[UNITS.index(unit)] > 0.05 for unit in ("AU1", "AU2", "AU5", "AU9", "AU12", "AU15", "AU17", "AU26"))


def test_mirrored_faces_have_mirrored_habits() -> None:
    ahead = calibration("mediapipe").habits[POINTS, 0].reshape(70, 2)
    np.testing.assert_allclose(ahead[list(MIRRORED)] * (-1, 1), ahead, atol=1e-4)


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        ("AU1", ("browInnerUp",)),
        ("AU2", ("browOuterUpLeft", "browOuterUpRight")),
        ("AU12", ("mouthSmileLeft", "mouthSmileRight")),
        ("AU26", ("jawOpen",)),
        ("AU43", ("eyeBlinkLeft", "eyeBlinkRight")),
    ],
)
def test_a_unit_is_read_more_where_its_blendshape_shows_more(unit: str, names: tuple[str, ...]) -> None:
    usual = dict(zip(BLENDSHAPES, tensors_of("units")["middle"] ** 2, strict=True))
    for name in names:
        usual.pop(name.removesuffix("Left").removesuffix("Right"), None)
    less, more = (action_units(usual | dict.fromkeys(names, value)) for value in (0.05, 0.8))
    assert more[unit] > less[unit] + 0.5
    assert all(0 <= value <= 5 for value in more.values())


def test_sides_count_alike_and_unknown_names_do_not_count() -> None:
    one = action_units({"mouthSmileLeft": 0.8})
    assert one == action_units({"mouthSmileRight": 0.8, "noseSneerLeft": 0.9})

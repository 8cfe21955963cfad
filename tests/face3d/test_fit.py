"""Fitting finds the heads that synthetic portraits were taken of, and refuses what is no face."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.fit import exact_face, pose_error, true_expression
from faceforge.errors import BadHead, BadPicture
from faceforge.face.found import Face
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.fitted import HeadFit
from faceforge.face3d.fitting import fit, fit_clip, follow
from faceforge.face3d.fitting.evidence import Evidence
from faceforge.face3d.fitting.points import seen_points, seen_with_slopes
from faceforge.face3d.fitting.unknowns import COUNT, DISTANCE, FORM, JAW, MOVES, SCALE, Frame
from faceforge.face3d.light import shade
from faceforge.synth import Portrait, photograph, sample

HEAD = EmbeddedHead()
SIZE = 256


def portrait(**overrides: Any) -> Portrait:
    given = {"aus": {"AU12": 3.0, "AU1": 3.0}, "yaw_deg": 15.0, "occluder": None, "glasses": "none"}
    return photograph([sample(7, **(given | overrides))], SIZE)[0]


@pytest.fixture(scope="module")
def taken() -> Portrait:
    return portrait()


@pytest.fixture(scope="module")
def fitted(taken: Portrait) -> HeadFit:
    return fit(taken.image, exact_face(taken))


def test_the_head_lies_on_its_landmarks(taken: Portrait, fitted: HeadFit) -> None:
    points = HEAD.landmarks68(HEAD(fitted.params))
    seen = fitted.camera.project(points, fitted.size)[0]
    pixels = (1 - seen[:, :2].numpy()) * SIZE / 2
    assert fitted.error < 0.03
    assert np.median(np.linalg.norm(pixels - taken.landmarks, axis=1)) < 0.02 * exact_face(taken).eye_distance


def test_the_pose_and_the_expression_are_found(taken: Portrait, fitted: HeadFit) -> None:
    found, true = true_expression(fitted.params), true_expression(taken.sitting)
    assert pose_error(fitted, taken.sitting) < 6
    assert np.abs(found - true).mean() < 0.6
    assert fitted.aus["AU12L"] > 1.5
    assert fitted.aus["AU1R"] > 1.0


def test_the_units_say_what_the_parameters_do(fitted: HeadFit) -> None:
    again = HEAD.from_aus(fitted.aus)
    assert again.expression is not None
    assert fitted.params.expression is not None
    torch.testing.assert_close(again.expression, fitted.params.expression, atol=2e-3, rtol=0)


def test_light_times_albedo_gives_the_skins_brightness_back(taken: Portrait, fitted: HeadFit) -> None:
    skin = torch.from_numpy(taken.parts == 1)
    normals = torch.from_numpy(taken.normals)[skin].double()[None]
    made = (fitted.albedo * shade(normals, fitted.light))[0].mean(0)
    seen = torch.from_numpy(taken.image)[skin].double().mean(0) / 255
    assert (made - seen).abs().max() < 0.12


def test_slopes_are_those_of_the_points() -> None:
    x, frame = np.zeros(COUNT), Frame((SIZE, SIZE))
    x[SCALE], x[DISTANCE] = np.log(8.0), np.log(100.0)
    person = HEAD.of()
    seen = seen_with_slopes(HEAD, person, x, frame)
    for index in (3, 4, SCALE, DISTANCE, *range(7, 12)):
        moved = x.copy()
        moved[index] += 1e-4
        slope = (seen_points(HEAD, person, moved, frame) - seen.points) / 1e-4
        assert np.abs(slope - seen.slopes[:, :, index])[17:].max() < 0.02 * np.abs(slope).max() + 0.05, index
    assert seen.slopes[:, :, FORM].any()


def test_the_next_frame_keeps_the_person(taken: Portrait, fitted: HeadFit) -> None:
    face = exact_face(taken)
    shifted = replace(face, landmarks=face.landmarks + 1.0, irises=None)
    later = follow(taken.image, shifted, fitted)
    assert later.params.identity is not None
    assert fitted.params.identity is not None
    torch.testing.assert_close(later.params.identity, fitted.params.identity)
    assert later.error < 0.05


def test_a_clip_is_fitted_alike_every_time(taken: Portrait) -> None:
    face = exact_face(taken)
    first, second = (fit_clip([taken.image] * 2, [face] * 2) for _ in range(2))
    assert len(first) == 2
    assert [each.aus for each in first] == [each.aus for each in second]


def test_a_poor_fit_says_so(taken: Portrait) -> None:
    face = exact_face(taken)
    torn = face.landmarks + np.random.default_rng(0).normal(0, 0.25 * face.eye_distance, (68, 2))
    assert any("landmarks" in note for note in fit(taken.image, replace(face, landmarks=torn)).notes)


def _with_nan(face: Face) -> Face:
    points = face.landmarks.copy()
    points[30] = np.nan
    return replace(face, landmarks=points)


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (_with_nan, BadHead, "landmarks.30."),
        (lambda face: replace(face, landmarks=face.landmarks[:60]), BadHead, "expected .68, 2."),
        (lambda face: replace(face, landmarks=face.landmarks + 400), BadPicture, "outside"),
        (lambda face: replace(face, landmarks=face.landmarks * 0.1), BadPicture, "px apart"),
        (lambda face: replace(face, size=(64, 64), landmarks=face.landmarks / 4), BadPicture, "found in"),
    ],
)
def test_what_is_no_face_is_refused(taken: Portrait, spoil: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        fit(taken.image, spoil(exact_face(taken)))


def test_a_finders_own_pose_and_units_are_heard(taken: Portrait) -> None:
    face = replace(exact_face(taken), backend="mediapipe", aus={"AU12": 0.2})
    straight, turned = (fit(taken.image, replace(face, yaw_deg=yaw)) for yaw in (0.0, 30.0))
    smiling = fit(taken.image, replace(face, yaw_deg=15.0, aus={"AU12": 5.0}))
    assert turned.params.neck is not None
    assert straight.params.neck is not None
    assert turned.params.neck[0, 1] > straight.params.neck[0, 1] + 0.05
    assert smiling.aus["AU12L"] > straight.aus.get("AU12L", 0.0) + 0.5


def test_evidence_follows_the_unknowns_as_its_slopes_say(taken: Portrait) -> None:
    x, frame = np.zeros(COUNT), Frame((SIZE, SIZE))
    x[SCALE], x[DISTANCE] = np.log(8.0), np.log(100.0)
    person = HEAD.of()
    evidence = Evidence.of(replace(exact_face(taken), backend="mediapipe", aus={"AU12": 2.0})).seen_from(x)
    slopes = evidence.slopes(seen_with_slopes(HEAD, person, x, frame))
    before = evidence.off(seen_points(HEAD, person, x, frame), x)
    for index in (0, 3, SCALE, JAW, MOVES.start, MOVES.start + 4):  # units that make no edges touch
        moved = x.copy()
        moved[index] += 1e-4
        slope = (evidence.off(seen_points(HEAD, person, moved, frame), moved) - before) / 1e-4
        assert np.abs(slope - slopes[:, index])[34:].max() < 0.02 * np.abs(slope).max() + 1e-3, index


def test_numbers_that_are_not_told_are_left_out(taken: Portrait) -> None:
    face = replace(exact_face(taken), backend="mediapipe")
    without = Evidence.of(replace(face, irises=None))
    assert len(Evidence.of(face).values) - len(without.values) == 4
    np.testing.assert_allclose(without.points, Evidence.of(face).points)


def test_a_picture_of_words_is_refused(taken: Portrait) -> None:
    with pytest.raises(BadPicture, match=r"0\.\.1"):
        fit(taken.image.astype(np.float64), exact_face(taken))

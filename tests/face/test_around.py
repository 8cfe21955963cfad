"""What the systems want to see around a face, and what is said of faces that will not do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from faceforge.face import find_faces
from faceforge.face.attributes import attribute_picture, dot_colour, face_only, grey_person, jaw_dots, to_template
from faceforge.face.found import Face
from faceforge.face.masks import agreement
from faceforge.face.mediapipe import MediaPipeFinder
from faceforge.face.people import person
from faceforge.face.quality import advice
from faceforge.synth import Portrait
from tests.face.conftest import known

PHOTOGRAPHS = Path(__file__).parents[3] / "shared/data/photos"


def test_jaw_dots_have_the_releases_colours_from_the_viewers_left() -> None:
    assert dot_colour(0) == (255, 0, 127)
    assert dot_colour(16)[:2] == (238, 169)
    assert len({dot_colour(number) for number in range(17)}) == 17


def test_jaw_dots_lie_on_the_jaw_and_nowhere_else(plain: Portrait) -> None:
    dots = jaw_dots(plain.landmarks, (384, 384))
    for number in range(17):
        x, y = plain.landmarks[number].astype(int)
        assert np.abs(dots[y, x].astype(int) - dot_colour(number)).max() < 60
    assert 100 < (dots.max(-1) > 100).sum() < 900


def test_the_template_is_met_by_its_own_points() -> None:
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[30] = (93.0892, 103.8926), (163.5636, 103.5028), (128.5504, 143.9732)
    points[48], points[54] = (99.5986, 185.231), (157.9598, 184.9082)
    assert to_template(points) == pytest.approx(np.eye(3), abs=1e-9)


def test_hiding_the_face_alone_keeps_the_hair(plain: Portrait) -> None:
    image = Image.fromarray(plain.image)
    hidden = face_only(plain.landmarks, image.size)
    picture = np.asarray(attribute_picture(image, plain.landmarks, hidden=hidden))
    x, y = plain.landmarks[33].astype(int)
    assert not picture[y, x].any()
    hair = (plain.parts == 6) & ~hidden
    assert np.mean((picture == plain.image).all(-1)[hair]) > 0.95


def test_a_grey_person_is_grey_127_and_the_rest_untouched(plain: Portrait) -> None:
    picture = np.asarray(grey_person(Image.fromarray(plain.image), plain.landmarks))
    grey = (picture == 127).all(-1)
    assert agreement(grey, plain.parts > 0) > 0.8
    assert np.array_equal(picture[~grey], plain.image[~grey])


@pytest.mark.parametrize(
    ("name", "target", "least"),
    [
        ("magicface/00025", "magicface/00025_bg", 0.80),
        ("magicface/00381", "magicface/00381_bg", 0.93),
        ("magicface/00512", "magicface/00512_bg", 0.78),
        ("rigface/id1/sor", "rigface/id1/bg_pose+exp", 0.90),
        ("rigface/id2/sor", "rigface/id2/bg_light", 0.95),
    ],
)
def test_people_are_hidden_as_in_the_releases_examples(
    finder: MediaPipeFinder, name: str, target: str, least: float
) -> None:
    if not (PHOTOGRAPHS / f"{name}.png").is_file():
        pytest.skip("no golden cases in the shared photographs")
    image = Image.open(PHOTOGRAPHS / f"{name}.png").convert("RGB")
    theirs = np.asarray(Image.open(PHOTOGRAPHS / f"{target}.png").convert("RGB")).astype(int)
    level = 127 if "rigface" in name else 0
    (face,) = find_faces(image, backend=finder)
    assert agreement(person(image, face.landmarks), (np.abs(theirs - level) <= 2).all(-1)) > least


def test_nothing_is_said_of_a_good_portrait(plain: Portrait) -> None:
    assert advice(Image.fromarray(plain.image), known(plain)) == ()


def test_what_will_not_do_is_named(plain: Portrait) -> None:
    image, face = Image.fromarray(plain.image), known(plain)
    width = face.box[2] - face.box[0]

    def said(image: Image.Image, face: Face) -> str:
        return " ".join(advice(image, face))

    half = replace(face, landmarks=face.landmarks / 2, size=(192, 192))
    assert "pixels wide" in said(image.resize((192, 192)), half)
    assert "is blurred" in said(image.filter(ImageFilter.GaussianBlur(0.03 * width)), face)
    cut = replace(face, landmarks=face.landmarks - (170, 0), size=(384, 214))
    assert "not certain" in said(image, replace(face, score=0.45))
    assert "cut off" in said(image.crop((170, 0, 384, 384)), cut)
    assert "sideways by 70" in said(image, replace(face, yaw_deg=-70.0))
    assert "up or down" in said(image, replace(face, pitch_deg=40.0))
    left, top, right, bottom = (round(each) for each in face.box)
    tight = replace(face, landmarks=face.landmarks - (left - 10, top - 40), size=(bottom - top + 50, right - left + 20))
    assert "fills" in said(image.crop((left - 10, top - 40, right + 10, bottom + 10)), tight)
    barred = np.asarray(image).copy()
    barred[:, :95] = barred[:, -95:] = 0
    assert "black border" in said(Image.fromarray(barred), face)


def test_two_overlapping_faces_are_named_and_two_apart_are_not(plain: Portrait) -> None:
    image, face = Image.fromarray(plain.image), known(plain)
    width = face.box[2] - face.box[0]
    near, far = (replace(face, landmarks=face.landmarks + np.array([share * width, 0])) for share in (0.6, 2.0))
    assert "overlaps" in " ".join(advice(image, face, others=[face, near]))
    assert advice(image, face, others=[face, far]) == ()

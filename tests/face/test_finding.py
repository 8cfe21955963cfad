"""Faces are found where they are, turned as they are, in pictures of every kind; otherwise one line says why not."""

import gc
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceforge.errors import BadWeights, HubError, NoFace
from faceforge.face import Face, choose, find_faces, finding
from faceforge.face.ibug import IN_MEDIAPIPE, from_mediapipe
from faceforge.face.mediapipe import MediaPipeFinder
from faceforge.face.search import LOOKED_AT, Window, piece, windows
from faceforge.synth import Portrait, photograph, sample
from faceforge.synth.shots import Camera


def placed(portrait: Portrait, width: int, canvas: tuple[int, int], at: tuple[int, int]) -> np.ndarray:
    """A grey picture (height, width) with the portrait in it, its face so many pixels wide."""
    left, _, right, _ = portrait.box
    side = round(384 * width / (right - left))
    small = np.asarray(Image.fromarray(portrait.image).resize((side, side), Image.Resampling.LANCZOS))
    picture = np.full((*canvas, 3), 120, np.uint8)
    part = picture[at[1] : at[1] + side, at[0] : at[0] + side]
    part[:] = small[: part.shape[0], : part.shape[1]]
    return picture


def test_landmarks_lie_on_the_known_ones(finder: MediaPipeFinder, plain: Portrait) -> None:
    (face,) = find_faces(plain.image, backend=finder)
    off = np.linalg.norm(face.landmarks - plain.landmarks, axis=1).mean() / face.eye_distance
    assert off < 0.06
    assert face.mesh is not None
    assert face.mesh.shape == (478, 3)
    assert face.irises is not None
    assert face.irises[0, 0] > face.irises[1, 0]


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(20, 0, 0), (-20, 0, 0), (0, 18, 0), (0, -18, 0), (0, 0, 20), (0, 0, -20), (15, 10, 10)]
)
def test_angles_have_the_documented_signs(finder: MediaPipeFinder, yaw: float, pitch: float, roll: float) -> None:
    pose = {"yaw_deg": float(yaw), "pitch_deg": float(pitch), "roll_deg": float(roll)}
    turned = photograph([sample(100, **pose, camera=Camera(), occluder=None, aus={})], 256)[0]
    (face,) = find_faces(turned.image, backend=finder)
    found = np.array([face.yaw_deg, face.pitch_deg, face.roll_deg])
    assert np.abs(found - (yaw, pitch, roll)).max() < 10
    assert all(np.sign(each) == np.sign(asked) for each, asked in zip(found, (yaw, pitch, roll), strict=True) if asked)


def test_eyes_that_look_to_the_right_of_the_picture_have_a_positive_yaw(
    finder: MediaPipeFinder, plain: Portrait
) -> None:
    looks = [replace(plain.sitting, gaze_yaw_deg=yaw) for yaw in (20.0, -20.0)]
    right, left = (find_faces(each.image, backend=finder)[0].gaze_deg for each in photograph(looks, 384))
    assert right is not None
    assert left is not None
    assert right[0] > 10
    assert left[0] < -10


def test_a_smile_is_read_as_one(finder: MediaPipeFinder, plain: Portrait) -> None:
    smiling = photograph([replace(plain.sitting, aus={"AU12": 4.0})], 384)[0]
    rest, smile = (find_faces(each.image, backend=finder)[0].aus for each in (plain, smiling))
    assert rest is not None
    assert smile is not None
    assert smile["AU12"] > rest["AU12"] + 1
    assert all(0 <= value <= 5 for value in smile.values())


def test_a_small_face_in_a_large_picture_is_found(finder: MediaPipeFinder, plain: Portrait) -> None:
    (face,) = find_faces(placed(plain, 60, (2000, 2000), (1130, 700)), backend=finder)
    assert 50 < face.box[2] - face.box[0] < 72


def test_the_largest_of_many_faces_comes_first(finder: MediaPipeFinder, plain: Portrait) -> None:
    picture = placed(plain, 90, (700, 1200), (20, 100))
    picture[:, 600:] = placed(plain, 180, (700, 600), (20, 60))
    faces = find_faces(picture, backend=finder)
    assert len(faces) == 2
    assert faces[0].area > faces[1].area


def test_a_face_that_the_border_cuts_is_found_where_it_is(finder: MediaPipeFinder, plain: Portrait) -> None:
    cut = np.ascontiguousarray(plain.image[:, 130:])
    (face,) = find_faces(cut, backend=finder)
    shifted = plain.landmarks[36:60] - (130, 0)
    assert np.linalg.norm(face.landmarks[36:60] - shifted, axis=1).mean() < 0.15 * face.eye_distance


@pytest.mark.parametrize("level", [0, 127, 255])
def test_an_empty_picture_has_no_face(finder: MediaPipeFinder, level: int) -> None:
    assert find_faces(np.full((300, 400, 3), level, np.uint8), backend=finder) == []


def test_grey_pictures_and_pictures_with_alpha_are_searched_too(finder: MediaPipeFinder, plain: Portrait) -> None:
    image = Image.fromarray(plain.image)
    assert len(find_faces(image.convert("L"), backend=finder)) == 1
    assert len(find_faces(image.convert("RGBA"), backend=finder)) == 1


def test_a_picture_stored_on_its_side_is_searched_upright(finder: MediaPipeFinder, plain: Portrait) -> None:
    image = Image.fromarray(plain.image).rotate(90, expand=True)
    image.getexif()[0x0112] = 6
    (face,) = find_faces(image, backend=finder)
    assert abs(face.roll_deg) < 10


def test_a_huge_photograph_needs_little_more_memory_than_itself(finder: MediaPipeFinder, plain: Portrait) -> None:
    picture = placed(plain, 900, (6000, 8200), (3000, 2000))
    gc.collect()
    tracemalloc.start()
    (face,) = find_faces(picture, backend=finder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 800 < face.box[2] - face.box[0] < 1050
    assert peak < 64 << 20  # of 148 MB


def test_windows_cover_every_place_and_stay_small() -> None:
    picture = np.zeros((1500, 2000, 3), np.uint8)
    seen = np.zeros((1500, 2000), bool)
    whole, *tiles = windows(picture)
    for each in tiles:
        seen[each.top : each.top + each.height, each.left : each.left + each.width] = True
        assert max(piece(picture, each)[0].shape) <= LOOKED_AT
    assert whole == Window(0, 0, 2000, 1500)
    assert seen.all()


def test_a_window_beyond_the_picture_is_black_there() -> None:
    part, scale = piece(np.full((20, 20, 3), 9, np.uint8), Window(-5, 10, 20, 20))
    assert scale == 1
    assert part.shape == (20, 20, 3)
    assert not part[:, :5].any()
    assert not part[10:].any()
    assert (part[:10, 5:] == 9).all()


def test_the_68_points_are_different_points_of_the_mesh() -> None:
    assert len(set(IN_MEDIAPIPE)) == 68
    mesh = np.arange(478 * 3, dtype=float).reshape(478, 3)
    assert from_mediapipe(mesh)[0].tolist() == [3 * 127, 3 * 127 + 1]


def face_of(width: float) -> Face:
    return Face(np.linspace((0, 0), (width, width), 68), (100, 100), "made")


class Two:
    """Finds two faces in everything."""

    name = "two"

    def find(self, image: np.ndarray) -> list[Face]:
        return [face_of(10), face_of(40)]


def test_any_finder_will_do_and_its_faces_are_sorted() -> None:
    faces = find_faces(np.zeros((100, 100, 3), np.uint8), backend=Two())
    assert [face.area for face in faces] == [1600, 100]
    assert choose(faces) == faces[:1]
    assert choose(faces, 2) == faces[1:]
    assert choose(faces, "all") == faces


@pytest.mark.parametrize("which", [0, 3, -1, "2", True])
def test_a_face_that_is_not_there_is_refused_with_their_number(which: object) -> None:
    with pytest.raises(NoFace, match=r"2 faces found\. Give a number from 1 .* to 2, or 'all'"):
        choose([face_of(40), face_of(10)], which)  # type: ignore[arg-type]


def test_no_face_is_never_the_whole_picture() -> None:
    with pytest.raises(NoFace, match="No face was found"):
        choose([], "all")


def test_without_model_and_network_the_error_says_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEFORGE_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("FACEFORGE_LANDMARKER", raising=False)
    monkeypatch.setattr(finding, "_embedded", lambda: None)
    with pytest.raises(HubError, match=r"face_landmarker\.task.*copy it to"):
        finding.default_finder.__wrapped__()


def test_a_file_that_is_no_landmarker_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.task").write_bytes(b"nothing")
    with pytest.raises(BadWeights, match="no landmark model"):
        MediaPipeFinder(tmp_path / "x.task")


def test_a_program_that_has_found_faces_ends_in_silence(finder: MediaPipeFinder) -> None:
    from benchmarks.landmarker import found_model

    code = f"from faceforge.face.mediapipe import MediaPipeFinder; kept = MediaPipeFinder({str(found_model())!r})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")

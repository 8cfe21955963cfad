"""Portraits: pictures and their labels agree, alone or in company."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from faceforge.errors import BadSpec
from faceforge.synth import Portrait, Sitting, occluders, pair, photograph, pictures, sample
from faceforge.synth.draws import Draws
from faceforge.synth.photo import Photo
from faceforge.synth.render import PART_NAMES
from faceforge.synth.shots import Camera
from faceforge.synth.sitting import _UNITS

SIZE = 64


def plain(seed: int, **held: object) -> Sitting:
    return sample(seed, photo=Photo(), occluder=None, **held)


def taken(sitting: Sitting, size: int = SIZE) -> Portrait:
    return photograph([sitting], size)[0]


def levels_apart(one: Portrait, other: Portrait) -> int:
    return int(np.abs(one.image.astype(int) - other.image.astype(int)).max())


def test_a_portrait_is_the_same_alone_and_in_a_batch() -> None:
    sittings = [sample(seed) for seed in (3, 4, 4, 5, 6, 7, 8, 9, 10, 11)]  # more than are rendered at once
    for together, sitting in zip(photograph(sittings, 32), sittings, strict=True):
        alone = taken(sitting, 32)
        assert levels_apart(alone, together) <= 1
        assert np.array_equal(alone.landmarks, together.landmarks)


def test_the_number_of_threads_changes_no_pixel_by_more_than_a_level() -> None:
    before = torch.get_num_threads()
    one = taken(sample(6))
    torch.set_num_threads(2)
    try:
        assert levels_apart(one, taken(sample(6))) <= 1
    finally:
        torch.set_num_threads(before)


def test_lights_of_fewer_lamps_shine_in_the_same_batch() -> None:
    three = plain(6)
    lone = replace(three.light, directions=three.light.directions[:1], colours=three.light.colours[:1])
    sittings = [three, replace(three, light=lone)]
    for together, sitting in zip(photograph(sittings, 32), sittings, strict=True):
        assert levels_apart(taken(sitting, 32), together) <= 1


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert np.array_equal(taken(sample(7)).image, taken(sample(7)).image)
    assert np.array_equal(taken(sample(7)).image, pictures([sample(7)], SIZE)[0].permute(1, 2, 0).numpy())


def test_a_larger_picture_shows_the_same() -> None:
    small, large = taken(plain(9)), taken(plain(9), 2 * SIZE)
    halved = large.image.reshape(SIZE, 2, SIZE, 2, 3).mean((1, 3))
    assert np.abs(halved - small.image).mean() < 4
    np.testing.assert_allclose(large.landmarks, 2 * small.landmarks, atol=0.01)


def test_maps_agree_on_where_the_person_is() -> None:
    found = taken(plain(10, hair_style="bald"))
    solid = (found.parts > 0) & (found.parts < PART_NAMES.index("hair"))
    assert np.array_equal(solid, found.depth > 0)
    assert np.isfinite(found.depth).all()
    assert found.normals[solid][:, 2].mean() > 0.3  # they look at the camera


@pytest.mark.parametrize("kind", occluders.KINDS)
def test_what_comes_between_is_a_part_of_its_own_and_hides_the_face_from_every_map(kind: str) -> None:
    free = taken(plain(10, hair_style="bald", aus={}, camera=Camera()))
    thing = occluders.of_kind(kind, Draws(4))
    found = taken(replace(free.sitting, occluder=thing))
    there = occluders.draw([thing], SIZE)[0, 3].numpy() > 0.5
    assert there.any()
    assert np.array_equal(found.parts == PART_NAMES.index("occluder"), there)
    assert not found.depth[there].any()
    assert not found.normals[there].any()
    for name in ("parts", "depth", "normals"):
        assert np.array_equal(getattr(found, name)[~there], getattr(free, name)[~there])
    column, row = np.floor(found.landmarks).astype(int).T
    assert np.array_equal(found.visible, free.visible & ~there[row, column])


def test_all_landmarks_of_a_bare_frontal_face_are_visible() -> None:
    for seed in range(6):
        held = {"hair_style": "bald", "aus": {}, "yaw_deg": 0.0, "pitch_deg": 0.0, "roll_deg": 0.0}
        assert taken(plain(seed, camera=Camera(), **held), 256).visible.all()


@pytest.mark.parametrize(
    ("yaw", "near", "far"), [(70.0, range(36, 42), range(42, 48)), (-70.0, range(42, 48), range(36, 42))]
)
def test_a_turned_head_hides_its_far_eye(yaw: float, near: range, far: range) -> None:
    held = {"hair_style": "bald", "aus": {}, "yaw_deg": yaw, "pitch_deg": 0.0, "roll_deg": 0.0, "glasses": "none"}
    seen = taken(plain(2, camera=Camera(), **held), 256).visible
    assert seen[list(near)].all()
    assert seen[list(far)].sum() <= 1


def test_landmarks_beyond_the_border_are_not_visible() -> None:
    found = taken(plain(11, yaw_deg=0.0, camera=Camera(half_extent=3.0)), 64)
    outside = ((found.landmarks < 0) | (found.landmarks >= 64)).any(1)
    assert 20 < outside.sum() < 68
    assert not found.visible[outside].any()
    assert found.visible[~outside].any()


def test_visibility_does_not_depend_on_the_size_of_the_picture() -> None:
    for yaw in (-60.0, -25.0, 40.0):
        sitting = plain(12, yaw_deg=yaw, hair_style="bald", camera=Camera())
        assert np.array_equal(taken(sitting, 64).visible, taken(sitting, 128).visible)


def test_normals_are_of_unit_length_inside_the_person() -> None:
    found = taken(plain(10, hair_style="bald", glasses="none"))
    length = np.linalg.norm(found.normals, axis=-1)
    assert length.max() <= 1 + 1e-5
    padded = np.pad(found.depth > 0, 1)
    inside = padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    assert (length[inside] > 0.9).mean() > 0.97  # what is left are creases, where neighbours differ


def test_landmarks_lie_on_the_features_that_they_name() -> None:
    found = taken(plain(11, yaw_deg=0.0, aus={}, hair_style="buzz", camera=Camera()), 256)
    face = {PART_NAMES.index(name) for name in ("skin", "eye", "mouth")}
    for x, y in found.landmarks[17:]:
        assert int(found.parts[int(y), int(x)]) in face
    left, right = found.landmarks[36:42].mean(0), found.landmarks[42:48].mean(0)
    for x, y in (left, right):
        assert found.parts[int(y), int(x)] == PART_NAMES.index("eye")
    assert left[0] < right[0]


def test_a_change_of_expression_leaves_the_background_alone() -> None:
    first, second = (taken(replace(each, photo=Photo(), occluder=None)) for each in pair(14, yaw_deg=5.0))
    both = (first.parts == 0) & (second.parts == 0)
    edge = np.pad(both, 1, constant_values=True)
    well_inside = both & edge[:-2, 1:-1] & edge[2:, 1:-1] & edge[1:-1, :-2] & edge[1:-1, 2:]
    assert well_inside.sum() > 200
    assert np.abs(first.image[well_inside].astype(int) - second.image[well_inside].astype(int)).max() <= 1
    assert levels_apart(first, second) > 20


@pytest.mark.parametrize("size", [1, 33])
def test_odd_sizes_work(size: int) -> None:
    assert taken(sample(15), size).image.shape == (size, size, 3)


@pytest.mark.parametrize("size", [0, 5000])
def test_sizes_of_no_picture_are_refused(size: int) -> None:
    with pytest.raises(BadSpec, match=str(size)):
        taken(sample(15), size)


@pytest.mark.parametrize(
    "held",
    [
        {"aus": dict.fromkeys(_UNITS, 5.0)},
        {"age": 80.0, "tone": 10.0, "aus": {"AU12L": 5.0, "AU43R": 5.0}},
        {"yaw_deg": 90.0, "pitch_deg": 40.0, "roll_deg": 45.0},
        {"gaze_yaw_deg": 40.0, "gaze_pitch_deg": -35.0},
        {"camera": Camera(distance=25.0, half_extent=6.0)},
        {
            "aus": dict.fromkeys(_UNITS, 5.0),
            "yaw_deg": -90.0,
            "roll_deg": -45.0,
            "gaze_yaw_deg": 30.0,
            "gaze_pitch_deg": -20.0,
            "camera": Camera(distance=45.0, half_extent=11.8),
        },
    ],
)
def test_the_extremes_of_what_is_legal_give_whole_pictures(held: dict[str, object]) -> None:
    found = taken(plain(16, **held))
    assert np.isfinite(found.landmarks).all()
    assert np.isfinite(found.normals).all()
    assert np.isfinite(found.depth).all()
    assert found.image.std() > 5

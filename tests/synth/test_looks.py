"""What portraits look like: hair is solid, nothing shines through, lamps cast shadows, faces stay readable."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from faceforge.face3d.embedded.grid import COLUMNS, HALF, ROW, ROWS
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.embedded.parts import ears
from faceforge.face3d.head import HeadParams
from faceforge.synth import Portrait, combing, photograph, sample, sheets
from faceforge.synth import glasses as spectacles
from faceforge.synth.person import GARMENTS, HAIR_STYLES
from faceforge.synth.photo import Photo, metered
from faceforge.synth.render import PART_NAMES
from faceforge.synth.shadows import shaded
from faceforge.synth.shots import Camera, Light
from faceforge.synth.sitting import Sitting

SIZE = 96
HAIR, CLOTHES = PART_NAMES.index("hair"), PART_NAMES.index("clothes")


def styled(style: str, seed: int = 5, **pose: float) -> Sitting:
    rest = sheets.plain(seed)
    return replace(rest, person=replace(rest.person, hair_style=style, glasses="none"), **pose)


def test_hair_is_nearer_than_the_skull_under_it() -> None:
    styles = ["short", "fringe", "long", "back", "afro"]
    bald, *haired = photograph([styled(style) for style in ["bald", *styles]], SIZE)
    for style, found in zip(styles, haired, strict=True):
        over = (found.parts == HAIR) & (bald.depth > 0)
        assert over.sum() > 150, style
        nearer = bald.depth[over] - found.depth[over]
        assert nearer.min() > -0.06, style
        assert np.median(nearer) > 0.2, style


def test_hair_has_depth_wherever_it_is() -> None:
    found = photograph([styled("long")], SIZE)[0]
    assert (found.depth[found.parts == HAIR] > 50).all()
    assert ((found.parts > 0) == (found.depth > 0)).all()


def test_normals_are_unit_vectors_on_people_and_nothing_elsewhere() -> None:
    for found in photograph([sample(seed) for seed in range(60, 66)], SIZE):
        length = np.linalg.norm(found.normals, axis=-1)
        np.testing.assert_allclose(length[found.depth > 0], 1, atol=1e-5)
        assert (length[found.depth == 0] == 0).all()


@pytest.mark.parametrize("yaw", [0.0, 30.0])
def test_no_background_is_enclosed_between_hair_and_face(yaw: float) -> None:
    sittings = [styled(style, seed, yaw_deg=yaw) for seed, style in enumerate(HAIR_STYLES, 40)]
    for style, found in zip(HAIR_STYLES, photograph(sittings, SIZE), strict=True):
        left, top, right, _ = found.box
        temples = np.zeros((SIZE, SIZE), dtype=bool)
        temples[int(top) - 8 : int(found.landmarks[28, 1]), int(left) - 2 : int(right) + 3] = True
        assert (_enclosed(found.parts == 0) & temples).sum() == 0, style


def _enclosed(background: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Background from which no way leads to the border."""
    reached = np.zeros_like(background)
    reached[[0, -1]] = reached[:, [0, -1]] = True
    reached &= background
    while True:
        grown = reached.copy()
        grown[1:] |= reached[:-1]
        grown[:-1] |= reached[1:]
        grown[:, 1:] |= reached[:, :-1]
        grown[:, :-1] |= reached[:, 1:]
        grown &= background
        if (grown == reached).all():
            return background & ~reached
        reached = grown


def test_every_style_of_hair_shows_its_own_outline() -> None:
    outlines = [each.parts == HAIR for each in photograph([styled(style) for style in HAIR_STYLES], 64)]
    for number, one in enumerate(outlines):
        for other in outlines[:number]:
            assert (one ^ other).sum() > 12


def test_every_garment_differs_and_collars_count_as_clothes() -> None:
    rest = replace(sheets.plain(8), camera=Camera(half_extent=17.0, y=-2.0))
    found = photograph([replace(rest, person=replace(rest.person, garment=each)) for each in GARMENTS], 64)
    worn = dict(zip(GARMENTS, found, strict=True))
    for number, one in enumerate(found):
        for other in found[:number]:
            assert np.abs(one.image.astype(int) - other.image.astype(int)).max() > 20
    assert (worn["turtleneck"].parts == CLOTHES).sum() > 1.05 * (worn["crew"].parts == CLOTHES).sum()


def test_a_nose_casts_a_shadow_away_from_the_lamp() -> None:
    head = EmbeddedHead()
    points = (head(HeadParams()).vertices * 100).float()
    nothing = torch.zeros(1, combing.RINGS * combing.AROUND, 3)
    right, left = (shaded(points, nothing, torch.tensor([[side, 0.35, 0.55]])) for side in (-0.75, 0.75))
    grid = [each[0, : ROWS * COLUMNS].view(ROWS, COLUMNS)[ROW["ala"]] for each in (right, left)]
    beside = slice(HALF + 9, HALF + 13)  # the subject's left cheek beside the wing
    assert float(grid[0][beside].min()) < 0.3
    assert float(grid[1][beside].min()) > 0.8


def test_glasses_rest_on_the_ears() -> None:
    people = [sample(seed, glasses="thin").person for seed in range(4)]
    bones = EmbeddedHead().of(torch.tensor([each.traits for each in people], dtype=torch.float64))
    places = spectacles.points(people, bones)
    ear = ears(bones.traits, bones.form.skin)["ear_left"].flatten(1, 2)
    for each, shell in zip(places[:, -4:], ear, strict=True):  # how the left temple ends
        assert float(torch.cdist(each, shell).min()) < 1.0
        assert shell[:, 1].min() < each[:, 1].mean() < shell[:, 1].max()


def test_dark_and_pale_faces_are_exposed_closer_to_each_other() -> None:
    light = Light(directions=((0.0, 0.0, 1.0),), colours=((0.5,) * 3,), sky=((0.3,) * 3,) * 6)
    dark, pale = metered([(0.05, 0.03, 0.02), (0.7, 0.55, 0.45)], [light] * 2)
    assert dark > 1.3 > 1 > pale


def face_of(found: Portrait) -> NDArray[np.bool_]:
    return np.isin(found.parts, [PART_NAMES.index(name) for name in ("skin", "eye", "mouth")])


def grey(found: Portrait) -> NDArray[np.float64]:
    return found.image @ np.array([0.299, 0.587, 0.114]) / 255


@pytest.mark.parametrize("count", [48, pytest.param(500, marks=pytest.mark.slow)])
def test_no_camera_hides_a_face(count: int) -> None:
    for first in range(0, count, 8):
        drawn = [replace(sample(seed), occluder=None) for seed in range(first, min(count, first + 8))]
        rough = photograph(drawn, 64)
        clean = photograph([replace(each, photo=Photo()) for each in drawn], 64)
        for sitting, one, other in zip(drawn, rough, clean, strict=True):
            inside = face_of(one)
            seen, meant = grey(one)[inside], grey(other)[inside]
            assert 0.15 < seen.mean() < 0.88, sitting.seed
            assert seen.std() > 0.03, sitting.seed
            assert np.corrcoef(seen, meant)[0, 1] > 0.65, sitting.seed

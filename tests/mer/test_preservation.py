"""What is kept: laws of likeness, of drift, of pose and light."""

import numpy as np
import pytest
from PIL import Image

from faceforge import load
from faceforge.errors import BadPlugin
from faceforge.face3d.fitting import fit
from faceforge.mer.looking import looker
from faceforge.mer.preservation import drifted, embedding, pose_and_light, surroundings
from faceforge.mer.similarity import BEST_DB, gmsd, psnr, ssim
from tests.mer.pairs import as_jpeg, brighter, face, moved, raised

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
EVERYWHERE = np.ones((40, 50), bool)


def test_equal_pictures_are_as_alike_as_can_be() -> None:
    assert psnr(PIXELS, PIXELS, EVERYWHERE) == BEST_DB
    assert ssim(PIXELS, PIXELS, EVERYWHERE) == pytest.approx(1)
    assert gmsd(PIXELS, PIXELS) == 0


def test_psnr_of_one_level_is_what_the_formula_says() -> None:
    darker = np.clip(PIXELS, 1, 255).astype(np.uint8)
    assert psnr(darker, darker - np.uint8(1), EVERYWHERE) == pytest.approx(20 * np.log10(255))


def test_likeness_falls_with_every_step_away() -> None:
    image = np.asarray(face())
    where = np.ones(image.shape[:2], bool)
    steps = [np.asarray(as_jpeg(face(), quality)) for quality in (95, 60, 20, 5)]
    for measure in (psnr, ssim):
        found = [measure(image, each, where) for each in steps]
        assert found == sorted(found, reverse=True)
    distances = [gmsd(image, each) for each in steps]
    assert distances == sorted(distances)


def test_nothing_to_compare_is_no_number() -> None:
    assert np.isnan(psnr(PIXELS, PIXELS, ~EVERYWHERE))
    assert np.isnan(ssim(PIXELS, PIXELS, ~EVERYWHERE))


def test_an_edit_inside_the_face_leaves_the_background_alone() -> None:
    seen = looker()
    inside, outside = raised(face(), (48, 54), 0.05), brighter(face(), 0.1)
    kept = surroundings(*seen.pair(face(), inside))
    assert kept["background_psnr"] > 60
    assert kept["gmsd"] > 0
    assert surroundings(*seen.pair(face(), outside))["background_psnr"] < 35


def test_a_turn_of_the_picture_is_no_drift_but_a_pulled_nose_is() -> None:
    seen = looker()
    source = seen.look(face()).face
    assert not drifted(source, source)
    assert not drifted(source, seen.look(moved(face(), 3, 3)).face)
    pulled = source.landmarks.copy()
    pulled[27:30] += 0.1 * source.eye_distance
    assert drifted(source, type(source)(pulled, source.size, source.backend))
    turned = type(source)(source.landmarks, source.size, source.backend, yaw_deg=source.yaw_deg + 6)
    assert drifted(source, turned)


def test_pose_is_told_from_light() -> None:
    def change(edited: Image.Image) -> tuple[float, float]:
        before, after = (fit(each.pixels, each.face) for each in looker().pair(face(), edited))
        found = pose_and_light(before, after)
        return found["pose_deg"], found["light"]

    warp = load(finder="embedded")
    assert change(face()) == pytest.approx((0, 0), abs=1e-4)
    turned, lit = change(moved(face(), 3, 3)), change(warp.edit(face(), light="left").image)
    assert turned[0] == pytest.approx(3, abs=1)
    assert turned[1] < 0.03
    assert lit[0] < 2.5
    assert lit[1] > 0.1


def test_an_unknown_embedding_is_refused() -> None:
    with pytest.raises(BadPlugin, match="No identity embedding is called 'arcface'"):
        embedding("arcface")

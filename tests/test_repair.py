"""A model that repairs the warp: the photograph's own pixels stay where they are known, its own come elsewhere."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from faceforge import Forge, load
from faceforge.face import Face
from faceforge.io.depth import encode_png
from faceforge.jobs import Defaults, Job
from faceforge.synth import Portrait, photograph, sample
from faceforge.synth.shots import Camera
from tests.face.conftest import known
from tests.makes import Known, forge_of

SIDE = 256
WISH: dict[str, Any] = {"aus": {"AU26": 3.0, "AU12": 2.0}}
FAST: dict[str, Any] = {"steps": 1}


@pytest.fixture(scope="module")
def somebody() -> Portrait:
    straight = dict.fromkeys(("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"), 0.0)
    return photograph([sample(300, **straight, camera=Camera(), occluder=None, aus={})], SIDE)[0]


@pytest.fixture(scope="module")
def finder(somebody: Portrait) -> Known:
    return Known(known(somebody))


@pytest.fixture(scope="module")
def forge(finder: Known) -> Forge:
    return forge_of("warp", defaults=Defaults(repairs=True), finder=finder)


def off(one: Image.Image | None, other: Image.Image | None) -> np.ndarray:
    assert one is not None
    assert other is not None
    return np.abs(np.asarray(one, int) - np.asarray(other, int)).max(2)


def test_beyond_the_mask_the_result_is_the_warp_bit_for_bit(forge: Forge, finder: Known, somebody: Portrait) -> None:
    source = Image.fromarray(somebody.image)
    made, moved = forge.edit(source, **WISH, **FAST), load(finder=finder).edit(source, **WISH)
    placed = next(forge._rows(Job.of(source, None, {**WISH, **FAST}))).placed
    assert placed is not None
    assert placed.base is not None
    assert np.array_equal(np.asarray(placed.base.image), np.asarray(moved.image))
    outside = _on_picture(placed.mask, placed.crop.matrix) <= 0
    assert outside.any()
    assert off(made.image, moved.image)[outside].max() == 0
    assert off(made.image, moved.image)[~outside].max() > 0


def test_opacity_and_sixteen_bits_are_kept(forge: Forge, somebody: Portrait) -> None:
    deep = np.full((SIDE, SIDE, 4), 65535, np.uint16)
    deep[..., :3] = somebody.image.astype(np.uint16) * 257 + 1
    deep[:20, :, 3] = 0
    result = forge.edit(encode_png(deep), **WISH, **FAST)
    assert result.own is not None
    assert result.own.dtype == np.uint16
    assert (result.own[:20, :, 3] == 0).all()
    changed = (result.own != deep).any(2)
    assert 0 < changed.mean() < 0.9


def test_each_of_several_faces_is_repaired_on_its_own_warp(somebody: Portrait) -> None:
    two = Image.fromarray(np.concatenate([somebody.image, somebody.image], 1))
    face = known(somebody)
    both = Known(*(Face(face.landmarks + np.array([shift, 0]), (SIDE, 2 * SIDE), "known") for shift in (0, SIDE)))
    model = forge_of("warp", defaults=Defaults(repairs=True), finder=both)
    all_of_it = np.asarray(model.edit(two, face="all", **WISH, **FAST).image)
    for number in (1, 2):
        own = np.asarray(model.edit(two, face=number, **WISH, **FAST).image)
        changed = (own != np.asarray(two)).any(2)
        assert changed.any()
        assert np.array_equal(all_of_it[changed], own[changed])


def test_who_brings_the_warp_gets_what_the_model_made(forge: Forge, finder: Known, somebody: Portrait) -> None:
    source, asked = Image.fromarray(somebody.image), finder.asked
    result = forge.edit(source, pictures={"warp": source, "unknown": source}, **FAST)
    assert finder.asked == asked
    assert result.image is not None
    assert result.image.size == (forge.backbone.size, forge.backbone.size)


def _on_picture(plane: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A crop's plane where the picture has it."""
    six = tuple(float(each) for each in matrix[:2].ravel())
    return np.asarray(
        Image.fromarray(plane).transform((SIDE, SIDE), Image.Transform.AFFINE, six, Image.Resampling.BICUBIC)
    )

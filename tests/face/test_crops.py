"""Crops lie where the releases' lie, go both ways, and edits return through them without a trace elsewhere."""

import numpy as np
import pytest
from PIL import Image

from faceforge.errors import BadPicture
from faceforge.face.crops import Crop, box_crop, close_crop, deca_crop, detector_box, face_crop, smirk_crop, whole_crop
from faceforge.face.masks import composite, filled, from_parts, parts
from faceforge.face.paste import paste_back, paste_change, paste_over
from faceforge.io.pictures import read_picture
from faceforge.synth import Portrait
from tests.face.conftest import known


def test_a_box_of_width_w_around_c_has_scale_352_by_1_5_w_and_puts_c_in_the_middle() -> None:
    crop = box_crop((100.0, 50.0, 300.0, 330.0))  # the height is not consulted
    assert crop.scale == pytest.approx(352 / (1.5 * 200))
    assert crop.to_crop(np.array([[200.0, 190.0]])) == pytest.approx(np.array([[256.0, 256.0]]))
    assert crop.to_crop(np.array([[50.0, 40.0]])) == pytest.approx(np.array([[80.0, 80.0]]))


def test_a_deca_crop_is_1_43_mean_extents_wide_and_on_centres_of_corner_pixels(plain: Portrait) -> None:
    face = known(plain)
    left, top, right, bottom = face.box
    side = int((right - left + bottom - top) / 2 * 1.1 * 1.3)
    crop = deca_crop(face)
    assert crop.size == (224, 224)
    assert crop.scale == pytest.approx(223 / side)
    corner = np.array([[(left + right - side) / 2, (top + bottom - side) / 2]])
    assert crop.to_crop(corner) == pytest.approx(np.array([[0.5, 0.5]]))


def test_a_smirk_crop_is_1_4_mean_extents_wide(plain: Portrait) -> None:
    face = known(plain)
    left, top, right, bottom = face.box
    assert smirk_crop(face).scale == pytest.approx(223 / int((right - left + bottom - top) / 2 * 1.4))


def test_places_go_to_a_crop_and_back(plain: Portrait) -> None:
    for crop in (face_crop(known(plain)), deca_crop(known(plain)), whole_crop((384, 200))):
        assert crop.to_picture(crop.to_crop(plain.landmarks)) == pytest.approx(plain.landmarks)


def test_the_box_of_a_detector_holds_all_landmarks(plain: Portrait) -> None:
    left, top, right, bottom = detector_box(known(plain))
    low, high = plain.landmarks.min(0), plain.landmarks.max(0)
    assert left < low[0] < high[0] < right
    assert top < low[1]
    assert high[1] <= bottom


def test_a_close_crop_is_half_again_as_large_around_the_same_middle(plain: Portrait) -> None:
    face = known(plain)
    close, usual = (crop.to_crop(plain.landmarks) for crop in (close_crop(face), face_crop(face)))
    assert 0 < close.min() < close.max() < 512
    assert np.ptp(close, 0) == pytest.approx(1.5 * 512 / 352 / 1.45 * np.ptp(usual, 0))
    assert close - 256 == pytest.approx(1.5 * 512 / 352 / 1.45 * (usual - 256))


def test_a_crop_of_scale_one_is_the_picture_itself_and_black_beyond(plain: Portrait) -> None:
    shift = Crop(np.array([[1, 0, 10], [0, 1, -20], [0, 0, 1.0]]), (394, 384))
    cut = np.asarray(shift.cut(Image.fromarray(plain.image)))
    assert np.array_equal(cut[:364, 10:], plain.image[20:])
    assert not cut[:, :10].any()
    assert not cut[364:].any()


def test_a_large_face_is_averaged_rather_than_skipped_over() -> None:
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = Crop(np.diag([0.25, 0.25, 1.0]), (200, 200))
    assert np.ptp(np.asarray(crop.cut(Image.fromarray(stripes)))[5:-5, 5:-5].astype(int)) <= 2


@pytest.mark.parametrize("box", [(5.0, 5.0, 5.0, 9.0), (0.0, 0.0, float("nan"), 1.0)])
def test_a_box_without_extent_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(BadPicture, match="cannot be cut out"):
        box_crop(box)


def masked(portrait: Portrait) -> tuple[Crop, np.ndarray]:
    crop = face_crop(known(portrait))
    return crop, composite(crop.to_crop(portrait.landmarks), crop.size)


def edited(image: Image.Image, crop: Crop) -> Image.Image:
    return crop.cut(image.convert("RGB")).transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def test_an_edit_that_changes_nothing_changes_no_bit(plain: Portrait) -> None:
    image = Image.fromarray(plain.image)
    crop, mask = masked(plain)
    assert np.array_equal(paste_back(read_picture(image), crop.cut(image), crop, mask), plain.image)


def test_only_what_the_mask_covers_is_touched(plain: Portrait) -> None:
    image = Image.fromarray(plain.image)
    crop, mask = masked(plain)
    pasted = paste_back(read_picture(image), edited(image, crop), crop, mask)
    inside = Crop(crop.inverse, image.size).cut_plainly(Image.fromarray(mask))
    changed = (pasted != plain.image).any(-1)
    assert changed.sum() > 1000
    near = np.asarray(inside.resize((48, 48)).resize(image.size)) > 0
    assert not changed[~near].any()


def test_the_middle_of_the_face_is_the_edit(plain: Portrait) -> None:
    image = Image.fromarray(plain.image)
    crop, mask = masked(plain)
    pasted = Image.fromarray(paste_back(read_picture(image), edited(image, crop), crop, mask, match=False))
    core = mask == 1
    again, asked = (np.asarray(each).astype(float)[core] for each in (crop.cut(pasted), edited(image, crop)))
    assert np.abs(again - asked).mean() < 3


def test_a_shift_of_colour_leaves_no_seam(plain: Portrait) -> None:
    image = Image.fromarray(plain.image)
    crop, mask = masked(plain)
    shifted = crop.cut(image).point(lambda level: min(255, level + 8))
    pasted = paste_back(read_picture(image), shifted, crop, mask).astype(int)
    unmatched = paste_back(read_picture(image), shifted, crop, mask, match=False).astype(int)
    touched = np.abs(unmatched - plain.image).max(-1) > 4
    assert touched.sum() > 1000
    assert np.abs(pasted - plain.image)[touched].mean() < 0.5


def test_transparency_is_kept(plain: Portrait) -> None:
    image = Image.fromarray(plain.image)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    crop, mask = masked(plain)
    pasted = paste_back(read_picture(image), edited(image, crop), crop, mask)
    assert pasted.shape == (384, 384, 4)
    assert (pasted[..., :3] != np.asarray(image)[..., :3]).any()
    assert np.array_equal(pasted[..., 3], np.asarray(image.getchannel("A")))


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_what_is_drawn_over_goes_where_it_is_asked_and_nowhere_else(plain: Portrait, depth: type) -> None:
    full = np.iinfo(depth).max
    pixels = (plain.image.astype(np.float64) * (full / 255)).astype(depth)
    crop, mask = masked(plain)
    white, share = Image.new("RGB", crop.size, "white"), np.zeros((384, 384), np.float32)
    assert np.array_equal(paste_over(pixels, white, crop, mask, share), pixels)
    x, y = plain.landmarks[33].astype(int)
    share[y - 5 : y + 6, x - 5 : x + 6] = 1
    drawn = paste_over(pixels, white, crop, mask, share)
    assert (drawn[y - 5 : y + 6, x - 5 : x + 6] >= 0.99 * full).all()
    reached = np.zeros((384, 384), bool)
    reached[y - 8 : y + 9, x - 8 : x + 9] = True  # three pixels of a soft edge
    assert np.array_equal(drawn[~reached], pixels[~reached])
    assert drawn.dtype == depth


def test_nothing_is_drawn_beyond_the_mask(plain: Portrait) -> None:
    crop, mask = masked(plain)
    white, everywhere = Image.new("RGB", crop.size, "white"), np.ones((384, 384), np.float32)
    drawn = paste_over(plain.image, white, crop, np.zeros_like(mask), everywhere)
    assert np.array_equal(drawn, plain.image)


def test_sixteen_bits_stay_sixteen_bits_and_an_edit_of_eight_fits_in(plain: Portrait) -> None:
    deep = plain.image.astype(np.uint16) * 257 - plain.image  # not what 8 bits could hold
    crop, mask = masked(plain)
    change = np.full((512, 512, 3), -3.0, np.float32)
    pasted = paste_change(deep, change, crop, mask)
    assert pasted.dtype == np.uint16
    x, y = plain.landmarks[33].astype(int)
    moved = np.maximum(deep[y, x].astype(int) - 771, 0)
    assert np.abs(pasted[y, x].astype(int) - moved).max() <= 8
    assert np.array_equal(pasted[:20], deep[:20])


def test_a_picture_of_sixteen_bit_greys_takes_an_edit(plain: Portrait) -> None:
    grey = np.asarray(Image.fromarray(plain.image).convert("L")).astype("<u2") * 257 + 3
    image = Image.frombytes("I;16", (384, 384), grey.tobytes())
    crop, mask = masked(plain)
    pasted = paste_back(read_picture(image), edited(Image.fromarray(plain.image), crop), crop, mask)
    assert pasted.dtype == np.uint16
    assert (pasted[..., 0] != grey).any()
    assert np.array_equal(pasted[:10, :, 0], grey[:10])


def test_a_picture_on_its_side_comes_back_upright(plain: Portrait) -> None:
    image = Image.fromarray(plain.image).rotate(90, expand=True)
    image.getexif()[0x0112] = 6
    crop, mask = masked(plain)
    upright = Image.fromarray(plain.image)
    assert np.array_equal(paste_back(read_picture(image), crop.cut(upright), crop, mask), plain.image)


def test_a_face_at_the_border_takes_an_edit(plain: Portrait) -> None:
    image = Image.fromarray(plain.image[:, 150:])
    crop = Crop(face_crop(known(plain)).matrix @ np.array([[1, 0, 150], [0, 1, 0], [0, 0, 1.0]]), (512, 512))
    mask = composite(crop.to_crop(plain.landmarks - (150, 0)), crop.size)
    pasted = paste_back(read_picture(image), edited(image, crop), crop, mask)
    assert pasted.shape == (384, 234, 3)
    assert (pasted[:, 0] != plain.image[:, 150]).any()


def test_an_edit_of_another_size_is_refused(plain: Portrait) -> None:
    crop, mask = masked(plain)
    with pytest.raises(BadPicture, match="do not fit a crop"):
        paste_back(read_picture(plain.image), Image.new("RGB", (256, 256)), crop, mask)


def test_the_composite_mask_is_soft_spares_hair_and_covers_what_moves(plain: Portrait) -> None:
    mask = composite(plain.landmarks, (384, 384))
    hair = from_parts(plain.parts, 6) > 0
    moving = filled(plain.landmarks[48:60], (384, 384)) > 0.5
    assert mask.max() == 1
    assert not mask[0].any()
    assert np.abs(np.diff(mask, axis=0)).max() < 0.2
    assert mask[moving].min() > 0.9
    assert mask[hair].mean() < 0.05
    assert not composite(plain.landmarks, (384, 384), keep=from_parts(plain.parts, 6))[hair].any()


def test_parts_lie_on_their_own_landmarks(plain: Portrait) -> None:
    masks = parts(plain.landmarks, (384, 384))
    x, y = plain.landmarks[[62, 66]].mean(0).astype(int)
    assert masks["mouth"][y, x] == 1
    assert masks["eyes"][y, x] == 0
    for name, points in (("eyes", slice(36, 42)), ("brows", slice(17, 22))):
        x, y = plain.landmarks[points].mean(0).astype(int)
        assert masks[name][y, x] > 0.9
        assert masks["mouth"][y, x] == 0

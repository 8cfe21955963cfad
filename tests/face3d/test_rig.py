"""RigFace's conditions: whose pose, face and light a render shows, where it stands, and the room without a person."""

from collections.abc import Collection
from itertools import combinations

import numpy as np
import pytest
import torch
from torch import Tensor

from faceforge.errors import BadPicture
from faceforge.face3d.codes import DecaCode
from faceforge.face3d.flame import FlameHead, load_flame
from faceforge.face3d.light import FACTORS
from faceforge.face3d.maps import Texture, written
from faceforge.face3d.rig import Rig, foreground, grey_person
from faceforge.face3d.transfer import RIGFACE_EDITS, face_centre, rigface
from tests.face3d.heads import flame, write_flame, write_landmarks, write_template

EDITS = [edits for count in range(4) for edits in combinations(RIGFACE_EDITS, count)]
SIDE = 64


def described(seed: int, rows: int = 1) -> DecaCode:
    """A head of moderate shape in the middle of a picture, under light that is nowhere negative."""
    random = torch.Generator().manual_seed(seed)
    code = DecaCode.from_vector(torch.randn(rows, 236, generator=random) * 0.2)
    cam = torch.tensor([[2.0, 0.05 * seed, 0.0]]).repeat(rows, 1)
    light = code.light.clone() * 0.5
    light[:, 0] = 3.0 + 0.3 * seed
    crop = torch.eye(3).repeat(rows, 1, 1) * torch.tensor([224 / SIDE, 224 / SIDE, 1.0])[:, None]
    return DecaCode(**{**vars(code), "cam": cam, "light": light, "crop": crop})


SOURCE, TARGET = described(1), described(2)


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> FlameHead:
    folder = tmp_path_factory.mktemp("flame")
    model = flame(expression=50)
    return load_flame(write_flame(folder, **model), write_landmarks(folder), write_template(folder, model["f"]))


@pytest.fixture(scope="module")
def texture(head: FlameHead) -> Texture:
    pixels = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.2 + 0.2
    return Texture(pixels, head.uv, head.uv_faces)


def drawn(rig: Rig, head: FlameHead, texture: Texture) -> Tensor:
    return rig.render(head, texture, (SIDE, SIDE))


@pytest.mark.parametrize("edits", EDITS, ids="+".join)
def test_light_is_the_targets_only_where_it_is_edited_and_exchanged_only_as_the_release_does(
    edits: Collection[str],
) -> None:
    given = {True: TARGET.light, False: SOURCE.light}
    meant = "light" in edits
    assert torch.equal(rigface(SOURCE, TARGET, edits).light, given[meant])
    as_released = meant if "pose" in edits else not meant
    literal = rigface(SOURCE, TARGET, edits, parity=True)
    assert torch.equal(literal.light, given[as_released])
    assert torch.equal(Rig.of(SOURCE, TARGET, edits, parity=True).code.vector(), literal.vector())
    assert torch.equal(literal.exp, rigface(SOURCE, TARGET, edits).exp)


def test_no_edit_renders_the_source_and_all_edits_render_the_target(head: FlameHead, texture: Texture) -> None:
    own = {code: drawn(Rig(code, code), head, texture) for code in (SOURCE, TARGET)}
    assert torch.equal(drawn(Rig.of(SOURCE, TARGET, ()), head, texture), own[SOURCE])
    assert torch.equal(drawn(Rig.of(SOURCE, TARGET, RIGFACE_EDITS), head, texture), own[TARGET])
    assert not torch.equal(own[SOURCE], own[TARGET])


@pytest.mark.parametrize(("edits", "place"), [(("exp",), SOURCE), (("pose",), TARGET), (("pose", "light"), TARGET)])
def test_a_face_stays_in_the_place_of_the_photograph_that_poses_it(
    head: FlameHead, edits: Collection[str], place: DecaCode
) -> None:
    rig = Rig.of(SOURCE, TARGET, edits)
    kept, found = head.landmarks68(head(place.params())), head.landmarks68(rig.mesh(head))
    torch.testing.assert_close(face_centre(found), face_centre(kept), atol=1e-6, rtol=0)
    unmoved = head.landmarks68(head(rig.code.params()))
    assert float((face_centre(unmoved) - face_centre(kept)).norm()) > 1e-3  # so that something was put right


def test_light_changes_colours_and_no_outline(head: FlameHead, texture: Texture) -> None:
    plain, lit = (drawn(Rig.of(SOURCE, TARGET, edits), head, texture) for edits in ((), ("light",)))
    assert torch.equal(plain.sum(1) > 0, lit.sum(1) > 0)
    assert 0.05 < float((plain.sum(1) > 0).float().mean()) < 0.95
    assert not torch.equal(written(plain), written(lit))


def test_a_level_light_shows_the_texture_itself(head: FlameHead) -> None:
    level = torch.zeros(1, 9, 3)
    level[:, 0] = 1 / FACTORS[0]
    code = DecaCode(**{**vars(SOURCE), "light": level})
    flat = Texture(torch.full((1, 3, 8, 8), 0.4), head.uv, head.uv_faces)
    found = drawn(Rig(code, code), head, flat)
    inside = found > 0.39  # the texture fades at its rim, as published
    torch.testing.assert_close(found[inside], torch.full_like(found[inside], 0.4))
    assert inside.any()
    assert float(found.max()) < 0.4 + 1e-6


def test_a_crop_that_lies_elsewhere_moves_the_head_with_it(head: FlameHead, texture: Texture) -> None:
    assert SOURCE.crop is not None
    right = torch.eye(3)
    right[0, 2] = -5.0  # the crop's pixels are those of the picture five further right
    moved = DecaCode(**{**vars(SOURCE), "crop": SOURCE.crop @ right})
    still, away = (drawn(Rig(code, code), head, texture) for code in (SOURCE, moved))
    torch.testing.assert_close(away[..., 5:], still[..., :-5], atol=1e-3, rtol=0)


def test_one_photograph_serves_many_frames(head: FlameHead, texture: Texture) -> None:
    frames = described(3, rows=3)
    found = drawn(Rig.of(SOURCE, frames, ("exp",)), head, texture)
    assert found.shape == (3, 3, SIDE, SIDE)
    alone = drawn(Rig.of(SOURCE, frames[1:2], ("exp",)), head, texture)
    torch.testing.assert_close(found[1:2], alone, atol=1e-5, rtol=0)


def test_a_picture_without_its_person_has_two_kinds_of_pixels() -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (8, 6, 3), dtype=np.uint8)
    classes = random.integers(0, 19, (8, 6)) * (random.random((8, 6)) < 0.5)
    found = grey_person(image, classes)
    assert (found[classes == 0] == image[classes == 0]).all()
    assert (found[classes != 0] == 127).all()
    assert found.dtype == np.uint8


def test_a_new_pose_hides_where_the_head_was_and_where_it_goes() -> None:
    source, target = np.array([[0, 1, 1, 0]]), np.array([[0, 0, 17, 4]])
    assert foreground(source, target, ("pose", "exp")).tolist() == [[False, True, True, True]]
    for edits in ((), ("exp",), ("light", "exp")):
        assert foreground(source, target, edits).tolist() == [[False, True, True, False]]


def test_masks_and_pictures_that_do_not_fit_are_refused() -> None:
    image, mask = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4))
    with pytest.raises(BadPicture, match=r"\(4, 4, 3\) and a mask \(2, 2\)"):
        grey_person(image, mask[:2, :2])
    with pytest.raises(BadPicture, match="float64"):
        grey_person(image / 255, mask)
    with pytest.raises(BadPicture, match="expected the same"):
        foreground(mask, mask[:2], ("pose",))

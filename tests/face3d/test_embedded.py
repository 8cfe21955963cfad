"""Laws of the embedded head: what must hold for every identity, every unit and every pose, whatever its numbers are."""

import random
import re
from math import radians

import pytest
import torch
from scipy import ndimage
from torch import Tensor

from faceforge.aus import UNITS
from faceforge.errors import BadHead
from faceforge.face3d.camera import ScaledOrthographic
from faceforge.face3d.embedded.edges import unfolded
from faceforge.face3d.embedded.expression import EXPRESSIONS
from faceforge.face3d.embedded.form import EYEBALL
from faceforge.face3d.embedded.grid import COLUMN, COLUMNS, HALF, ROW, ROWS
from faceforge.face3d.embedded.model import JAW_OPEN, EmbeddedHead, rotation
from faceforge.face3d.embedded.parts import PATCHES
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.face3d.embedded.traits import LIMIT, TRAITS
from faceforge.face3d.head import JOINTS, HeadParams
from faceforge.face3d.raster import rasterize
from tests.face3d.people import (
    CM,
    HEAD,
    MIRROR,
    at_rest,
    average,
    corners,
    crowd,
    folded,
    identities,
    lid_opening,
    lid_overlap,
    lip_overlap,
    making,
    one_hot,
    pairs,
    part,
    skin,
    symmetric,
    to_the_globe,
    turned_inside_out,
)  # fmt: skip

SIDED = [code for code in UNITS if code not in JAW_OPEN]

# Half width, lowest and highest point in cm of where a region's units act, on the front of the average face.
REGIONS = {
    "brow": (7.0, 4.2, 11.0),
    "eye": (6.8, -0.5, 6.0),
    "nose": (4.0, -3.2, 5.5),
    "mouth": (6.0, -9.5, 0.5),
    "jaw": (8.0, -14.0, 0.5),
}

# Skin in cm² that each unit at intensity 5 may turn inside out on the average face; every other unit none.
CREASES = {"AU5": 0.2, "AU12": 0.2, "AU25": 0.2, "AU27": 0.12}

# The iBUG landmarks as a mirror shows them.
SWAPPED = [
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,
]  # fmt: skip


def test_the_same_people_are_built_bit_for_bit() -> None:
    some = HeadParams(identity=identities(3))
    one, other = EmbeddedHead(), EmbeddedHead()
    assert torch.equal(one(some).vertices, other(some).vertices)
    assert torch.equal(one(some).joints, other(some).joints)
    assert torch.equal(one.faces, other.faces)
    assert torch.equal(one.uv, other.uv)


def test_a_person_is_the_same_alone_and_in_a_batch() -> None:
    some = identities(5, seed=1)
    together = HEAD(HeadParams(identity=some))
    for index in range(5):
        alone = HEAD(HeadParams(identity=some[index : index + 1]))
        torch.testing.assert_close(alone.vertices[0], together.vertices[index], rtol=0, atol=1e-9)
        torch.testing.assert_close(alone.joints[0], together.joints[index], rtol=0, atol=1e-9)


@pytest.mark.parametrize("count", [50, pytest.param(500, marks=pytest.mark.slow)])
def test_no_identity_breaks_the_head_or_leaves_the_box_of_people(count: int) -> None:
    for mesh in crowd(count):
        assert bool(mesh.vertices.isfinite().all())
        low, high = CM * mesh.vertices.amin((0, 1)), CM * mesh.vertices.amax((0, 1))
        assert bool((low >= torch.tensor([-25.0, -34.0, -13.0])).all()), low
        assert bool((high <= torch.tensor([25.0, 18.0, 16.0])).all()), high
        size = skin(mesh).flatten(1, 2).amax(1) - skin(mesh).flatten(1, 2).amin(1)
        assert bool((size >= torch.tensor([13.0, 29.0, 19.0])).all()), size.amin(0)


@pytest.mark.parametrize("count", [50, pytest.param(500, marks=pytest.mark.slow)])
def test_rows_of_the_face_fall_from_crown_to_collar_on_everybody(count: int) -> None:
    columns = torch.arange(-COLUMN["outer"], COLUMN["outer"] + 1)
    joined = torch.ones(ROWS - 1, len(columns), dtype=torch.bool)
    joined[ROW["lid_up"]] = columns.abs() < COLUMN["inner"]
    joined[ROW["seam_up"]] = columns.abs() > COLUMN["mouth"]
    for mesh in crowd(count):
        step = skin(mesh)[:, :, HALF + columns, 1].diff(dim=1)
        folds = ((step >= 0) & joined).nonzero()
        assert not len(folds), f"{len(folds)} folds; person, row, column: {folds[:5].tolist()}"


def test_no_skin_of_a_resting_face_looks_into_the_head() -> None:
    for mesh in crowd(100, most=1.5):
        assert float(turned_inside_out(mesh).max()) <= 1e-6  # cm²


@pytest.mark.parametrize("code", UNITS)
def test_a_unit_turns_no_skin_of_the_face_inside_out(code: str) -> None:
    assert float(turned_inside_out(making(average(), {code: 5}))) <= CREASES.get(code, 1e-6)


def test_six_units_at_once_fold_little_skin() -> None:
    chosen = random.Random(1)
    mixes = [dict.fromkeys(chosen.sample(list(UNITS), 6), 5.0) for _ in range(100)]
    person = HEAD.of(identities(1, seed=3))
    mesh = making(person, *mixes)
    over = folded(mesh, HEAD.pose(person, HeadParams()))
    assert float(over.max()) <= 0.1  # cm²
    assert float(over.mean()) <= 0.002
    assert float(turned_inside_out(mesh).mean()) <= 0.2


def test_no_two_units_fold_skin_that_a_viewer_sees() -> None:
    over = folded(making(average(), *pairs()), at_rest())
    assert float(over.max()) <= 0.1, pairs()[int(over.argmax())]  # cm²
    assert float(over.mean()) <= 0.001


@pytest.mark.parametrize("code", UNITS)
def test_a_unit_folds_no_skin_of_anybody_that_a_viewer_sees(code: str) -> None:
    person = HEAD.of(identities(20, seed=16))
    assert float(folded(making(person, {code: 5}), HEAD.pose(person, HeadParams())).max()) <= 1e-6


def test_skin_in_order_is_left_exactly_as_it_is() -> None:
    rest = HEAD.of(identities(5, seed=17)).form.skin
    assert torch.equal(unfolded(rest, rest), rest)


def test_skin_pushed_anyhow_keeps_its_rows_and_columns_in_order() -> None:
    rest = HEAD.of(identities(3, seed=17)).form.skin
    moved = rest + torch.randn(rest.shape, generator=torch.Generator().manual_seed(1))
    pushed = unfolded(rest, moved)
    rows, columns = slice(0, ROW["menton"] + 1), slice(HALF - COLUMN["temple"], HALF + COLUMN["temple"] + 1)
    assert float(pushed[:, rows, :, 1].diff(dim=1).max()) <= 1e-12
    across = (pushed.diff(dim=2) / rest.diff(dim=2))[:, rows, columns.start : columns.stop - 1, 0]
    assert float(across.min()) > 0.29
    assert torch.equal(pushed[..., 2], moved[..., 2])


def test_skin_that_is_kept_from_folding_still_has_slopes() -> None:
    push = torch.full((1, 1, 1, 1), 5.0, dtype=torch.float64, requires_grad=True)
    rest = average().form.skin
    unfolded(rest, rest - push * average().field("AU1L")).square().sum().backward()
    assert push.grad is not None
    assert 0 < float(push.grad.abs()) < float("inf")


def test_a_corner_pulled_by_many_goes_little_farther_than_by_one() -> None:
    alone, many = skin(making(average(), {"AU12": 5}, {"AU12": 5, "AU14": 5, "AU20": 5, "AU33": 5}))
    moved = [(each - skin(at_rest())[0])[ROW["seam_up"], HALF + COLUMN["mouth"]].norm() for each in (alone, many)]
    assert moved[1] < 1.35 * moved[0]


@pytest.mark.parametrize("name", TRAITS)
def test_every_trait_can_be_seen(name: str) -> None:
    mesh = HEAD(HeadParams(identity=one_hot((1, len(TRAITS)), 0, TRAITS.index(name), value=2.0)))
    assert float(CM * (mesh.vertices - at_rest().vertices).norm(dim=-1).max()) > 0.05


def test_traits_end_where_features_would_fold() -> None:
    beyond, limit = (HeadParams(identity=torch.full((1, len(TRAITS)), value)) for value in (3 * LIMIT, LIMIT))
    assert torch.equal(HEAD(beyond).vertices, HEAD(limit).vertices)


@pytest.mark.parametrize("code", UNITS)
def test_a_unit_acts_in_its_own_region(code: str) -> None:
    rest = CM * at_rest().vertices[0]
    energy = (CM * making(average(), {code: 5}).vertices[0] - rest).square().sum(-1)
    half, low, high = REGIONS[UNITS[code].region]
    inside = (rest[:, 0].abs() <= half) & (rest[:, 1] >= low) & (rest[:, 1] <= high) & (rest[:, 2] > 0)
    assert float(energy.sum()) > 1
    assert float(energy[inside].sum() / energy.sum()) >= 0.7


@pytest.mark.parametrize("code", UNITS)
def test_the_left_half_of_a_unit_mirrors_the_right(code: str) -> None:
    person = HEAD.of(symmetric(1, seed=5))
    left, right, rest = (skin(making(person, each)) / CM for each in ({f"{code}L": 5}, {f"{code}R": 5}, {}))
    torch.testing.assert_close((left - rest).flip(2) * MIRROR, right - rest, rtol=0, atol=1e-9)


@pytest.mark.parametrize("code", UNITS)
def test_both_halves_ask_for_the_whole_unit(code: str) -> None:
    left, right, whole = (HEAD.from_aus({name: 5}) for name in (f"{code}L", f"{code}R", code))
    for name in ("expression", "jaw", "eyelids"):
        assert torch.equal(getattr(left, name) + getattr(right, name), getattr(whole, name))


@pytest.mark.parametrize("code", SIDED)
def test_both_halves_add_up_to_the_whole_displacement(code: str) -> None:
    # A jaw turns, and half turns do not add; its units are left out.
    person = HEAD.of(identities(1, seed=6))
    left, right, whole, rest = (
        making(person, each).vertices for each in ({f"{code}L": 5}, {f"{code}R": 5}, {code: 5}, {})
    )
    torch.testing.assert_close(left + right - rest, whole, rtol=0, atol=1e-9)


@pytest.mark.parametrize("code", SIDED)
def test_one_half_leaves_the_other_side_alone(code: str) -> None:
    rest, moved = skin(at_rest()), skin(making(average(), {f"{code}L": 5}))
    right = rest[..., 0] < -0.8
    torch.testing.assert_close(moved[right], rest[right], rtol=0, atol=1e-9)


@pytest.mark.parametrize("code", UNITS)
def test_a_unit_at_zero_is_the_resting_face(code: str) -> None:
    # Not bit for bit: a jaw that turns by nothing still rounds.
    torch.testing.assert_close(making(average(), {code: 0}).vertices, at_rest().vertices, rtol=0, atol=1e-15)


def test_one_person_making_many_faces_is_many_calls() -> None:
    person, identity = HEAD.of(identities(1, seed=8)), identities(1, seed=8)
    together = making(person, *({code: 5} for code in UNITS))
    for index, code in enumerate(UNITS):
        params = HEAD.from_aus({code: 5})
        alone = HEAD(HeadParams(identity, params.expression, jaw=params.jaw, eyelids=params.eyelids))
        torch.testing.assert_close(together.vertices[index], alone.vertices[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("code", ["AU43", "AU45"])
def test_closed_eyes_leave_nothing_open(code: str) -> None:
    person = HEAD.of(identities(20, seed=9))
    assert bool((lid_opening(making(person, {code: 5})) < 0.02 * lid_opening(making(person, {}))).all())


def test_closed_lids_hide_the_pupils_from_a_camera_a_metre_away() -> None:
    # Weights of a thin triangle do not quite add up to 1, and far away that is a depth of millimetres.
    mesh = making(HEAD.of(symmetric(4, seed=9)), {"AU43": 5})
    x, y, z = (CM * mesh.vertices).unbind(-1)
    seen = torch.stack([-x / 16, y / 16, 120 - z], -1).float()
    shown = rasterize(seen, HEAD.faces, (384, 384)).pix_to_face
    eyes = torch.cat([HEAD.parts["eye_left"], HEAD.parts["eye_right"]])
    assert not torch.isin(shown[shown >= 0] % len(HEAD.faces), eyes).any()


def test_the_upper_lid_raiser_widens_every_eye() -> None:
    person = HEAD.of(identities(20, seed=9))
    assert bool((lid_opening(making(person, {"AU5": 5})) > 1.2 * lid_opening(making(person, {}))).all())


def test_a_jaw_drop_opens_the_lips() -> None:
    mesh = making(HEAD.of(identities(20, seed=9)), {"AU26": 5})
    upper, lower = skin(mesh)[:, ROW["seam_up"], HALF], skin(mesh)[:, ROW["seam_low"], HALF]
    assert float((upper - lower)[:, 1].min()) >= 1.2


@pytest.mark.parametrize("seed", [None, 3])
def test_no_two_units_push_one_lip_through_the_other(seed: int | None) -> None:
    person = average() if seed is None else HEAD.of(identities(1, seed))
    for first in range(0, len(pairs()), 100):
        some = pairs()[first : first + 100]
        overlap = lip_overlap(making(person, *some))
        assert float(overlap.max()) <= 1e-6, list(some[int(overlap.argmax())])


@pytest.mark.parametrize("code", UNITS)
def test_no_unit_pushes_one_lid_through_the_other(code: str) -> None:
    assert float(lid_overlap(making(HEAD.of(identities(5, seed=10)), {code: 5})).max()) <= 1e-6


def test_no_two_units_push_one_lid_through_the_other() -> None:
    closing = [{"AU43": 5.0, code: 5.0} for code in UNITS] + [{"AU7": 5.0, "AU9": 5.0}, {"AU6": 5.0, "AU9": 5.0}]
    assert float(lid_overlap(making(average(), *closing)).max()) <= 1e-6


def test_resting_lids_lie_on_the_eyeballs_of_everybody() -> None:
    for mesh in crowd(200):
        assert float(to_the_globe(mesh).min()) > EYEBALL


def test_no_two_units_push_a_lid_into_an_eyeball() -> None:
    for first in range(0, len(pairs()), 100):
        some = pairs()[first : first + 100]
        reach = to_the_globe(making(average(), *some))
        assert float(reach.min()) > EYEBALL, list(some[int(reach.argmin())])


def gazing(*pitch_yaw: tuple[float, float]) -> HeadParams:
    """Both eyes turned down and to the left, in radians; one row per gaze."""
    turns = torch.tensor([[[pitch, yaw, 0.0]] * 2 for pitch, yaw in pitch_yaw], dtype=torch.float64)
    return HeadParams(eyes=turns)


GAZES = gazing((0.4, 0.6), (-0.4, -0.6), (0.5, 0.1), (-0.5, -0.1))


def test_gaze_turns_eyeballs_about_their_own_middle() -> None:
    mesh = HEAD.pose(average(), GAZES)
    assert torch.equal(mesh.joints, at_rest().joints.expand_as(mesh.joints))
    for side in ("left", "right"):
        joint = CM * mesh.joints[:, JOINTS.index(f"{side}_eye"), None]
        assert GAZES.eyes is not None
        turn = rotation(GAZES.eyes[:, 0]).mT
        resting = part(at_rest(), f"eye_{side}") - joint[:1]
        torch.testing.assert_close(part(mesh, f"eye_{side}") - joint, resting @ turn, rtol=0, atol=1e-9)


def test_gaze_moves_nothing_but_eyeballs_and_a_little_of_the_lids() -> None:
    mesh = HEAD.pose(average(), GAZES)
    for name in ("ear_left", "ear_right", "teeth_up", "teeth_low", "tongue", "lining_up", "lining_low", "shoulders"):
        still = part(at_rest(), name).expand(len(mesh.vertices), -1, -1)
        assert torch.equal(part(mesh, name), still), name
    moved = (skin(mesh) - skin(at_rest())).norm(dim=-1)
    assert 0 < float(moved.max()) < 0.6
    moved[:, ROW["fold"] : ROW["orbit"] + 1] = 0
    assert not moved.any()


def test_no_gaze_pulls_a_lid_into_an_eyeball() -> None:
    assert float(to_the_globe(HEAD.pose(average(), GAZES)).min()) > EYEBALL


def test_one_person_can_look_along_the_horizon_in_a_batch() -> None:
    assert len(HEAD.pose(average(), gazing((0.0, 0.1), (0.0, 0.2))).vertices) == 2


def test_the_jaw_carries_lower_teeth_and_chin_and_nothing_above_the_mouth() -> None:
    jaw = one_hot((1, 3), 0, 0, value=0.3)
    mesh, hinge = HEAD(HeadParams(jaw=jaw)), CM * at_rest().joints[:, JOINTS.index("jaw"), None]
    for name in ("teeth_low", "tongue"):
        turned = (part(at_rest(), name) - hinge) @ rotation(jaw).mT + hinge
        torch.testing.assert_close(part(mesh, name), turned, rtol=0, atol=1e-9)
    for name in ("teeth_up", "eye_left", "eye_right", "ear_left", "ear_right", "shoulders"):
        assert torch.equal(part(mesh, name), part(at_rest(), name)), name
    moved = (skin(mesh) - skin(at_rest())).norm(dim=-1)[0]
    assert not moved[: ROW["orbit"]].any()
    assert float(moved[ROW["menton"], HALF]) > 2


def test_turning_the_whole_head_is_rigid() -> None:
    turn = torch.tensor([[0.2, 0.5, -0.3]], dtype=torch.float64)
    mesh, matrix = HEAD(HeadParams(rotation=turn)), rotation(turn).mT
    torch.testing.assert_close(mesh.vertices, at_rest().vertices @ matrix, rtol=0, atol=1e-12)
    torch.testing.assert_close(mesh.joints, at_rest().joints @ matrix, rtol=0, atol=1e-12)
    assert not mesh.joints[:, JOINTS.index("root")].any()


def test_the_neck_carries_the_head_and_leaves_the_shoulders_alone() -> None:
    turn = torch.tensor([[0.2, 0.5, -0.3]], dtype=torch.float64)
    mesh, matrix = HEAD(HeadParams(neck=turn)), rotation(turn).mT
    assert torch.equal(part(mesh, "shoulders"), part(at_rest(), "shoulders"))
    below = CM * at_rest().vertices[0, :, 1] < -12.5
    assert torch.equal(mesh.vertices[:, below], at_rest().vertices[:, below])
    hinge = at_rest().joints[:, JOINTS.index("neck"), None]
    rigid = (at_rest().vertices - hinge) @ matrix + hinge
    above = CM * at_rest().vertices[0, :, 1] > -7.5
    above[first_vertices()["shoulders"] :] = False
    torch.testing.assert_close(mesh.vertices[:, above], rigid[:, above], rtol=0, atol=1e-12)
    torch.testing.assert_close(
        mesh.joints[:, 2:], (at_rest().joints[:, 2:] - hinge) @ matrix + hinge, rtol=0, atol=1e-12
    )


def test_translation_comes_after_everything_else() -> None:
    turn, step = torch.tensor([[0.1, 0.4, 0.2]]), torch.tensor([[0.03, -0.02, 0.5]])
    here = HEAD(HeadParams(rotation=turn, neck=turn))
    there = HEAD(HeadParams(rotation=turn, neck=turn, translation=step))
    torch.testing.assert_close(there.vertices, here.vertices + step, rtol=0, atol=1e-12)
    torch.testing.assert_close(there.joints, here.joints + step, rtol=0, atol=1e-12)


RIGHT_SHAPES = {
    "identity": (1, len(TRAITS)), "expression": (1, len(EXPRESSIONS)), "rotation": (1, 3), "neck": (1, 3),
    "jaw": (1, 3), "eyes": (1, 2, 3), "eyelids": (1, 2), "translation": (1, 3),
}  # fmt: skip


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", RIGHT_SHAPES)
def test_numbers_that_are_none_are_refused(name: str, value: float) -> None:
    with pytest.raises(BadHead, match=f"{name}.* NaN or infinity"):
        HEAD(HeadParams(**{name: torch.full(RIGHT_SHAPES[name], value)}))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("identity", (1, len(TRAITS) - 1)),
        ("identity", (len(TRAITS),)),
        ("expression", (1, len(EXPRESSIONS) + 1)),
        ("expression", (len(EXPRESSIONS),)),
        ("rotation", (1, 4)),
        ("rotation", (3,)),
        ("neck", (3,)),
        ("jaw", (3,)),
        ("eyes", (1, 3)),
        ("eyelids", (1, 3)),
        ("translation", (1, 1)),
    ],
)
def test_wrong_shapes_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(BadHead, match=re.escape(str(shape))):
        HEAD(HeadParams(**{name: torch.zeros(shape)}))


@pytest.mark.parametrize("name", RIGHT_SHAPES)
def test_batches_of_nobody_are_refused(name: str) -> None:
    with pytest.raises(BadHead, match=f"{name}.* no rows"):
        HEAD(HeadParams(**{name: torch.zeros(0, *RIGHT_SHAPES[name][1:])}))
    with pytest.raises(BadHead, match="no rows"):
        HEAD.of(torch.zeros(0, len(TRAITS)))


def test_different_batch_sizes_are_refused() -> None:
    with pytest.raises(BadHead, match=r"batched differently: \[2, 3\]"):
        HEAD(HeadParams(identity=identities(2), jaw=torch.zeros(3, 3)))


def test_one_row_serves_a_whole_batch() -> None:
    many = HEAD(HeadParams(identity=identities(3), jaw=torch.zeros(1, 3), translation=torch.ones(1, 3)))
    assert many.vertices.shape == (3, HEAD.vertex_count, 3)
    assert many.joints.shape == (3, len(JOINTS), 3)


def test_landmarks_of_a_symmetric_face_are_symmetric() -> None:
    found = HEAD.landmarks68(HEAD(HeadParams(identity=symmetric(20, seed=11))))
    assert found.shape == (20, 68, 3)
    torch.testing.assert_close(found[:, SWAPPED] * MIRROR, found, rtol=0, atol=1e-8)


def test_landmarks_of_eyes_lie_between_the_corners_of_the_lids() -> None:
    mesh = HEAD(HeadParams(identity=identities(50, seed=12)))
    found, corner = CM * HEAD.landmarks68(mesh), skin(mesh)[:, ROW["lid_up"]]
    outer, inner = COLUMN["outer"], COLUMN["inner"]
    for first, ends in ((36, (-outer, -inner)), (42, (inner, outer))):
        start, stop = (corner[:, HALF + column] for column in ends)
        torch.testing.assert_close(found[:, [first, first + 3]], torch.stack([start, stop], 1))
        between = found[:, [first + 1, first + 2, first + 4, first + 5], 0]
        assert bool(((between > start[:, :1]) & (between < stop[:, :1])).all())
        assert bool((found[:, [first + 1, first + 2], 1] > found[:, [first + 5, first + 4], 1]).all())


def test_landmarks_of_the_mouth_end_where_the_seam_ends() -> None:
    mesh = HEAD(HeadParams(identity=identities(20, seed=13)))
    ends = skin(mesh)[:, ROW["seam_up"]][:, [HALF - COLUMN["mouth"], HALF + COLUMN["mouth"]]]
    torch.testing.assert_close(CM * HEAD.landmarks68(mesh)[:, [48, 54]], ends)


def test_the_skin_is_cut_into_triangles_as_a_mirror_shows_it() -> None:
    faces = HEAD.faces[HEAD.parts["skin"]]
    row, column = faces // COLUMNS, faces % COLUMNS
    mirrored = (row * COLUMNS + (COLUMNS - 1 - column)).sort(1).values
    assert set(map(tuple, mirrored.tolist())) == set(map(tuple, faces.sort(1).values.tolist()))


@pytest.mark.parametrize("name", ["ear_left", "ear_right"])
def test_the_bowls_of_ears_close(name: str) -> None:
    pole = part(HEAD(HeadParams(identity=identities(10, seed=15))), name).unflatten(1, (12, 26))[:, 0]
    torch.testing.assert_close(pole, pole[:, :1].expand_as(pole), rtol=0, atol=1e-9)


def test_faces_join_vertices_that_exist_and_use_them_all() -> None:
    assert at_rest().vertices.shape == (1, HEAD.vertex_count, 3)
    assert torch.equal(HEAD.faces.unique(), torch.arange(HEAD.vertex_count))


def test_every_face_belongs_to_one_part() -> None:
    assert torch.equal(torch.cat(list(HEAD.parts.values())).sort().values, torch.arange(len(HEAD.faces)))
    assert set(HEAD.parts) == {"skin", *(patch.name for patch in PATCHES)}


def test_texture_coordinates_lie_in_the_atlas() -> None:
    assert HEAD.uv.shape == (HEAD.vertex_count, 2)
    assert torch.equal(HEAD.uv_faces, HEAD.faces)
    assert 0 <= float(HEAD.uv.min()) <= float(HEAD.uv.max()) <= 1


def facing(name: str, centre: Tensor) -> Tensor:
    """Area of a part's faces in cm², negative where they look towards a centre (3,); on the average head, (F,)."""
    middle, normal = corners(HEAD.faces[HEAD.parts[name]], CM * at_rest().vertices)
    area = normal.norm(dim=-1)
    towards = (normal * (middle - centre)).sum(-1)
    return torch.where(area > 1e-9, area * torch.sign(towards), 0.0)[0]


@pytest.mark.parametrize("name", ["eye_left", "eye_right", "teeth_up", "teeth_low", "tongue", "shoulders"])
def test_rounded_parts_look_outwards(name: str) -> None:
    assert float(facing(name, part(at_rest(), name).mean(1)[0]).min()) >= 0


@pytest.mark.parametrize(("name", "sign"), [("ear_left", 1), ("ear_right", -1)])
def test_ears_look_away_from_the_head(name: str, sign: int) -> None:
    _, normal = corners(HEAD.faces[HEAD.parts[name]], CM * at_rest().vertices)
    outer = sign * normal[0, : len(normal[0]) * 9 // 11, 0]  # the last two rings are the back of the ear
    assert float(-outer.clamp(max=0).sum()) < 0.03 * float(outer.clamp(min=0).sum())
    assert float(facing(name, part(at_rest(), name).mean(1)[0]).sum()) > 0


@pytest.mark.parametrize("culled", [False, True])
@pytest.mark.parametrize("yaw_deg", [-35, 0, 35])
def test_heads_have_no_holes(yaw_deg: int, culled: bool) -> None:
    turn = torch.tensor([[0.0, radians(yaw_deg), 0.0]])
    vertices = HEAD(HeadParams(identity=identities(8, seed=14), rotation=turn)).vertices
    size = (512, 512)
    seen = ScaledOrthographic.framing(vertices).project(vertices, size).float()
    for head, covered in enumerate(rasterize(seen, HEAD.faces, size, cull_backfaces=culled).covered.numpy()):
        holes, count = ndimage.label(ndimage.binary_fill_holes(covered) & ~covered)
        assert not count, f"head {head}: {count} holes near {ndimage.center_of_mass(holes > 0)}"

"""Rotations, joints and skin: what turns, about what, and what is refused."""

import math

import pytest
import torch
from torch import Tensor

from faceforge.errors import BadHead
from faceforge.face3d.head import HeadParams
from faceforge.face3d.linear import LinearHead, checked_head
from faceforge.face3d.skinning import axis_angles, posed, rotations, yaw_deg

PARENTS = (-1, 0, 1, 1, 1)


def head(seed: int = 0, dtype: torch.dtype = torch.float64) -> LinearHead:
    """Ten vertices, three identity and two expression shapes, eyelids."""
    random = torch.Generator().manual_seed(seed)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random, dtype=torch.float64)

    weights = torch.softmax(numbers(10, 5), 1)
    return LinearHead(
        template=numbers(10, 3),
        identity=numbers(3, 10, 3),
        expression=numbers(2, 10, 3),
        correctives=0.1 * numbers(36, 10, 3),
        regressor=torch.softmax(numbers(5, 10), 1),
        weights=weights,
        faces=torch.tensor([[0, 1, 2], [2, 3, 4]]),
        uv=torch.zeros(1, 2, dtype=torch.float64),
        uv_faces=torch.zeros(2, 3, dtype=torch.long),
        parts={"skin": torch.arange(2)},
        identity_names=("a", "b", "c"),
        expression_names=("smile", "frown"),
        eyelids=0.1 * numbers(2, 10, 3),
    ).to(dtype=dtype)


def some_params(rows: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> HeadParams:
    random = torch.Generator().manual_seed(seed)
    shapes = {"identity": (3,), "expression": (2,), "rotation": (3,), "neck": (3,), "jaw": (3,), "eyes": (2, 3)}
    shapes |= {"eyelids": (2,), "translation": (3,)}
    return HeadParams(**{name: torch.randn(rows, *each, generator=random).to(dtype) for name, each in shapes.items()})


def test_no_rotation_is_exactly_the_identity() -> None:
    for dtype in (torch.float32, torch.float64):
        assert torch.equal(rotations(torch.zeros(2, 5, 3, dtype=dtype)), torch.eye(3, dtype=dtype).expand(2, 5, 3, 3))


def test_rotations_turn_by_the_right_hand() -> None:
    quarter = torch.eye(3, dtype=torch.float64) * math.pi / 2
    turned = rotations(quarter) @ torch.tensor([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=torch.float64)[..., None]
    expected = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)
    torch.testing.assert_close(turned[..., 0], expected, atol=1e-7, rtol=0)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-4, 1.0, 3.0, math.pi - 1e-6, math.pi])
def test_axis_angles_undo_rotations(angle: float) -> None:
    axis = torch.nn.functional.normalize(torch.randn(50, 3, dtype=torch.float64), dim=1)
    rotation = rotations(axis * angle)
    found = axis_angles(rotation)
    assert float(found.norm(dim=1).max()) <= math.pi + 1e-9
    torch.testing.assert_close(rotations(found), rotation, atol=1e-7, rtol=0)


def test_the_gradient_of_no_rotation_is_finite() -> None:
    zero = torch.zeros(1, 3, requires_grad=True)
    rotations(zero).sum().backward()
    assert zero.grad is not None
    assert torch.isfinite(zero.grad).all()


def test_skin_of_one_joint_turns_about_that_joint() -> None:
    rest, joints = torch.randn(1, 4, 3), torch.randn(1, 5, 3)
    turns = rotations(torch.zeros(1, 5, 3))
    turns[:, 2] = rotations(torch.tensor([[0.3, 0.0, 0.0]]))
    jaw_only = torch.eye(5)[2].expand(4, 5)
    skin, places = posed(rest, joints, turns, jaw_only, PARENTS)
    expected = (rest - joints[:, 2:3]) @ turns[0, 2].T + joints[:, 2:3]
    torch.testing.assert_close(skin, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(places, joints, atol=1e-6, rtol=0)


def test_the_neck_carries_jaw_and_eyes_along() -> None:
    model = head()
    neck = torch.tensor([[0.0, 0.5, 0.0]], dtype=torch.float64)
    still, turned = model(HeadParams()), model(HeadParams(neck=neck))
    hinge = still.joints[:, 1:2]
    torch.testing.assert_close(turned.joints[:, 2:] - hinge, (still.joints[:, 2:] - hinge) @ rotations(neck)[0].T)
    torch.testing.assert_close(turned.joints[:, :2], still.joints[:, :2])
    torch.testing.assert_close(turned.turn, rotations(neck))


def test_yaw_grows_to_the_left_and_folds_back_beyond_profile() -> None:
    degrees = torch.tensor([0.0, 30.0, -30.0, 120.0], dtype=torch.float64)
    turned = rotations(torch.stack([0 * degrees, degrees.deg2rad(), 0 * degrees], 1))
    expected = torch.tensor([0.0, 30.0, -30.0, 60.0], dtype=torch.float64)
    torch.testing.assert_close(yaw_deg(turned), expected, atol=1e-5, rtol=0)


def test_a_head_rests_as_modelled() -> None:
    model = head()
    mesh = model(HeadParams())
    torch.testing.assert_close(mesh.vertices[0], model.template)
    torch.testing.assert_close(mesh.joints[0], model.regressor @ model.template)


def test_a_batch_equals_its_rows_and_single_rows_serve_all() -> None:
    model, params = head(), some_params(4)
    whole = model(params)
    for row in range(4):
        one = model(HeadParams(**{name: value[row : row + 1] for name, value in vars(params).items()}))
        torch.testing.assert_close(one.vertices[0], whole.vertices[row])
        torch.testing.assert_close(one.joints[0], whole.joints[row])
    assert params.identity is not None
    shared = HeadParams(**{**vars(params), "identity": params.identity[:1]})
    torch.testing.assert_close(model(shared).vertices[0], whole.vertices[0])


def test_missing_columns_are_zero() -> None:
    model = head()
    short, full = torch.tensor([[2.0]]), torch.tensor([[2.0, 0.0, 0.0]])
    assert torch.equal(model(HeadParams(identity=short)).vertices, model(HeadParams(identity=full)).vertices)


def test_single_precision_is_close_to_double() -> None:
    params = some_params(4)
    double, single = head()(params), head(dtype=torch.float32)(params)
    assert single.vertices.dtype == torch.float32
    torch.testing.assert_close(single.vertices.double(), double.vertices, atol=1e-5, rtol=0)


def test_one_persons_head_needs_no_identity_any_more() -> None:
    model, params = head(), some_params(3)
    assert params.identity is not None
    person = model.of(params.identity[0])
    rest = {**vars(params), "identity": None}
    everybody = HeadParams(**{**rest, "identity": params.identity[:1]})
    torch.testing.assert_close(person(HeadParams(**rest)).vertices, model(everybody).vertices)
    assert person.identity_names == ()
    with pytest.raises(BadHead, match="one person"):
        model.of(params.identity)


def test_eyelids_turn_with_the_head_unless_as_published() -> None:
    model = head()
    params = HeadParams(rotation=torch.tensor([[0.0, 1.0, 0.0]]), eyelids=torch.tensor([[1.0, 0.5]]))
    turned = model(HeadParams(rotation=params.rotation)).vertices
    assert model.eyelids is not None
    lids = model.eyelids[0] + 0.5 * model.eyelids[1]
    torch.testing.assert_close(model.as_published()(params).vertices, turned + lids)
    assert not torch.allclose(model(params).vertices, turned + lids)
    still = HeadParams(eyelids=params.eyelids)
    torch.testing.assert_close(model(still).vertices, model.as_published()(still).vertices)


def test_gradients_reach_every_parameter() -> None:
    leaves = {name: value.requires_grad_() for name, value in vars(some_params(2)).items()}
    head()(HeadParams(**leaves)).vertices.square().sum().backward()
    assert all(leaf.grad is not None and bool(leaf.grad.abs().sum() > 0) for leaf in leaves.values())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"identity": torch.zeros(1, 4)}, r"identity has shape \(1, 4\), expected \(B, up to 3\)"),
        ({"expression": torch.zeros(2)}, r"expression has shape \(2,\)"),
        ({"rotation": torch.zeros(1, 4)}, r"expected \(B, 3\)"),
        ({"eyes": torch.zeros(1, 6)}, r"expected \(B, 2, 3\)"),
        ({"jaw": torch.tensor(1.0)}, "jaw has shape"),
        ({"jaw": torch.zeros(0, 3)}, "jaw has shape"),
        ({"jaw": torch.zeros(2, 3), "neck": torch.zeros(3, 3)}, "'jaw': 2, 'neck': 3|'neck': 3, 'jaw': 2"),
        ({"jaw": torch.tensor([[0.0, math.nan, 0.0]])}, r"jaw\[0, 1\] is nan"),
        ({"identity": torch.tensor([[math.inf]])}, r"identity\[0, 0\] is inf"),
    ],
)
def test_parameters_that_fit_no_head_are_refused(given: dict[str, Tensor], says: str) -> None:
    with pytest.raises(BadHead, match=says):
        head()(HeadParams(**given))


def test_eyelids_of_a_head_without_any_are_refused() -> None:
    model = head()
    model.eyelids = None
    with pytest.raises(BadHead, match="l_eyelid"):
        model(HeadParams(eyelids=torch.zeros(1, 2)))


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("weights", torch.zeros(10, 4), "weights has shape"),
        ("identity", torch.zeros(2, 10, 3), "identity has shape"),
        ("template", torch.full((10, 3), math.nan), "template holds NaN"),
        ("faces", torch.tensor([[0, 1, 10], [0, 1, 2]]), "faces has an index beyond 9"),
        ("faces", torch.tensor([[0, 1, -1], [0, 1, 2]]), "faces has an index"),
        ("parts", {"skin": torch.tensor([0])}, "share out"),
        ("parts", {"skin": torch.tensor([0, 7])}, "part skin"),
        ("parents", (-1, 0, 1, 4, 3), "parents"),
    ],
)
def test_tensors_that_make_no_head_are_refused(field: str, value: object, says: str) -> None:
    model = head()
    setattr(model, field, value)
    with pytest.raises(BadHead, match=says):
        checked_head(model, "x.safetensors")

"""ICT-FaceKit from a folder in its layout: what is kept, what moves, and what is refused."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from faceforge.aus import UNITS
from faceforge.errors import BadHead
from faceforge.face3d.head import HeadModel, HeadParams
from faceforge.face3d.heads import load_head
from faceforge.face3d.ict import FACS, IctHead, convert_ict, load_ict
from faceforge.face3d.obj import read_mesh, read_vertices
from faceforge.face3d.skinning import rotations
from tests.face3d.heads import EXPRESSIONS, SMALL, write_ict


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_ict(tmp_path / "ICT-FaceKit")


@pytest.fixture
def head(folder: Path) -> IctHead:
    return load_ict(folder, layout=SMALL)


def test_the_folder_is_the_model(folder: Path, head: IctHead) -> None:
    typed: HeadModel = head
    assert typed.expression_names == EXPRESSIONS
    assert head.identity_names == ("identity000", "identity001")
    assert set(head.parts) == {"skin", "neck", "teeth", "eye_left", "eye_right"}
    neutral = read_vertices(folder / "FaceXModel/generic_neutral_mesh.obj")
    smile = read_vertices(folder / "FaceXModel/mouthSmile_L.obj")
    weights = torch.zeros(1, len(EXPRESSIONS))
    weights[0, EXPRESSIONS.index("mouthSmile_L")] = 1
    found = head(HeadParams(expression=weights)).vertices[0].numpy()
    # Half precision: a thousandth of a shape's few millimetres.
    assert np.abs(found - smile[:54] / 100).max() < 1e-5
    assert np.abs(head(HeadParams()).vertices[0].numpy() - neutral[:54] / 100).max() < 1e-7


def test_quads_are_split_and_helpers_left_out(folder: Path, head: IctHead) -> None:
    mesh = read_mesh(folder / "FaceXModel/generic_neutral_mesh.obj")
    assert mesh.faces[:2].tolist() == [[0, 1, 2], [0, 2, 3]]
    assert len(head.faces) == len(mesh.faces) - 2
    assert len(head.template) == 54
    assert head.uv.shape == (60, 2)


def test_fewer_parts_are_fewer_vertices(folder: Path, tmp_path: Path) -> None:
    convert_ict(folder, tmp_path / "ict.safetensors", parts=("skin", "eyes"), layout=SMALL)
    head = load_ict(tmp_path / "ict.safetensors")
    assert len(head.template) == 38
    assert set(head.parts) == {"skin", "eye_left", "eye_right"}
    assert head.landmarks68(head(HeadParams())).shape == (1, 68, 3)
    convert_ict(folder, tmp_path / "neck.safetensors", parts=("neck",), layout=SMALL)
    bare = load_ict(tmp_path / "neck.safetensors")
    with pytest.raises(BadHead, match="no landmarks"):
        bare.landmarks68(bare(HeadParams()))


def test_a_converted_head_is_half_the_size_and_the_same(folder: Path, head: IctHead, tmp_path: Path) -> None:
    convert_ict(folder, tmp_path / "ict.safetensors", layout=SMALL)
    tensors = load_file(tmp_path / "ict.safetensors")
    assert tensors["expression"].dtype == tensors["identity"].dtype == torch.float16
    found = load_head(tmp_path / "ict.safetensors")
    params = HeadParams(identity=torch.ones(1, 2), expression=torch.ones(1, 7), neck=torch.ones(1, 3))
    assert torch.equal(found(params).vertices, head(params).vertices)
    facts = json.loads((tmp_path / "ict.json").read_text())
    assert facts["licence_note"] == "MIT (ICT-FaceKit)"
    assert facts["counts"] == {"vertices": 54, "faces": len(head.faces), "identity": 2, "expression": 7}


def test_the_jaw_opens_by_its_shape(head: IctHead) -> None:
    weights = torch.zeros(1, len(EXPRESSIONS))
    weights[0, EXPRESSIONS.index("jawOpen")] = 0.5
    opened = head(HeadParams(jaw=torch.tensor([[0.25, 0.0, 0.0]])))
    torch.testing.assert_close(opened.vertices, head(HeadParams(expression=weights)).vertices)
    smile = torch.ones(3, 1)
    both = head(HeadParams(expression=smile, jaw=torch.tensor([[0.25, 0.0, 0.0]])))
    torch.testing.assert_close(
        both.vertices, head(HeadParams(expression=smile)).vertices + opened.vertices - head.template
    )


def test_eyeballs_turn_about_their_middle_and_nothing_else_moves(head: IctHead) -> None:
    eyes = torch.zeros(1, 2, 3)
    eyes[0, 0, 1] = 0.5
    still, turned = head(HeadParams()), head(HeadParams(eyes=eyes))
    moved = (still.vertices - turned.vertices).abs().amax(2)[0] > 1e-6
    left = head.faces[head.parts["eye_left"]].unique()
    assert set(moved.nonzero()[:, 0].tolist()) >= set(left.tolist())
    assert not moved[:46].any()
    centre = still.joints[0, 3]
    expected = (still.vertices[0, left] - centre) @ rotations(eyes[0, 0]).T + centre
    torch.testing.assert_close(turned.vertices[0, left], expected)


@pytest.mark.parametrize("joint", ["rotation", "neck"])
def test_the_head_turns_rigidly(head: IctHead, joint: str) -> None:
    turned = head(HeadParams(**{joint: torch.tensor([[0.1, 0.7, 0.0]])}))
    before, after = ((v[:, None] - v).norm(dim=-1) for v in (head.template, turned.vertices[0]))
    torch.testing.assert_close(before, after, atol=1e-6, rtol=0)


def test_action_units_are_shapes_with_their_sides(head: IctHead) -> None:
    def weights(**aus: float) -> dict[str, float]:
        found = head.from_aus(aus).expression
        assert found is not None
        return {name: round(float(value), 4) for name, value in zip(EXPRESSIONS, found[0], strict=True) if value}

    assert weights(AU12=5) == {"mouthSmile_L": 1.0, "mouthSmile_R": 1.0}
    assert weights(AU12L=2.5) == {"mouthSmile_L": 0.5}
    assert weights(AU26=5) == {"jawOpen": 0.35}
    assert weights(AU26R=5) == {"jawOpen": 0.175}
    assert weights(AU43=5, AU45R=-2.5) == {"eyeBlink_L": 1.0, "eyeBlink_R": 0.5}
    head(head.from_aus({"AU1": 3, "AU27": 2}))


def test_every_action_unit_has_shapes_in_the_published_model() -> None:
    assert set(FACS) == set(UNITS)


def test_action_units_without_shapes_are_named(head: IctHead) -> None:
    with pytest.raises(BadHead, match="no shapes for AU4L, AU28"):
        head.from_aus({"AU4L": 1, "AU28": 2, "AU12": 1})


def test_eyelids_are_the_blinks(head: IctHead) -> None:
    weights = torch.zeros(1, len(EXPRESSIONS))
    weights[0, EXPRESSIONS.index("eyeBlink_R")] = 0.5
    closed = head(HeadParams(eyelids=torch.tensor([[0.0, 0.5]]))).vertices
    torch.testing.assert_close(closed, head(HeadParams(expression=weights)).vertices)


def test_folders_that_are_no_facekit_are_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BadHead, match=r"no generic_neutral_mesh\.obj"):
        load_ict(tmp_path)
    with pytest.raises(BadHead, match="has 60 vertices, expected 26719"):
        load_ict(folder)
    with pytest.raises(BadHead, match="no part 'hair'"):
        convert_ict(folder, tmp_path / "x.safetensors", parts=("hair",), layout=SMALL)
    assert not (tmp_path / "x.safetensors").exists()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("jawOpen.obj", None, "no file .*jawOpen"),
        ("identity000.obj", None, "identity000.obj' is missing"),
        ("jawOpen.obj", "v 1 2 3\n", "has 1 vertices, expected 60"),
        ("jawOpen.obj", "v 1 2\n" * 60, "3 finite numbers"),
        ("jawOpen.obj", "v 1 2 nan\n" * 60, "3 finite numbers"),
        ("jawOpen.obj", "v one two three\n" * 60, "no row of numbers"),
        ("generic_neutral_mesh.obj", "v 1 2 3\n" * 60 + "f 1 2 61\n", "names vertex 61, but there are 60"),
        ("generic_neutral_mesh.obj", "v 1 2 3\n" * 60 + "f -1 -2 -3\n", "relative indices"),
        ("generic_neutral_mesh.obj", "v 1 2 3\n" * 60 + "f a b c\n", "expected f 1/1"),
        ("vertex_indices.json", "{", "as JSON"),
        ("vertex_indices.json", '{"expressions": ["../../secret"]}', "no list of 'expressions'"),
        ("vertex_indices.json", '{"expressions": []}', "names no expression"),
        ("vertex_indices.json", '{"expressions": ["jawOpen"], "idx_to_landmark_verts": [1]}', "68 vertices"),
    ],
)
def test_damaged_folders_are_refused(folder: Path, name: str, content: str | None, says: str) -> None:
    path = folder / "FaceXModel" / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadHead, match=says):
        load_ict(folder, layout=SMALL)


def test_parameters_without_sense_are_refused(head: IctHead) -> None:
    with pytest.raises(BadHead, match=r"jaw\[0, 0\] is nan"):
        head(HeadParams(jaw=torch.full((1, 3), math.nan)))
    with pytest.raises(BadHead, match="up to 7"):
        head(HeadParams(expression=torch.zeros(1, 8), jaw=torch.zeros(1, 3)))

"""FLAME from whatever files a user has: found by content, checked, converted whole or not at all."""

import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from faceforge.errors import BadHead, BadWeights, CannotWrite
from faceforge.face3d.flame import convert_flame, load_flame
from faceforge.face3d.head import HeadMesh, HeadModel, HeadParams
from faceforge.face3d.heads import load_head
from faceforge.face3d.landmarks import contour_rows
from faceforge.face3d.skinning import rotations
from tests.face3d.heads import (
    COUNT,
    flame,
    write_eyelids,
    write_flame,
    write_landmarks,
    write_template,
)

NOTE = "made up for a test"


def write_table(folder: Path, aus: str = "AU12L AU12R AU4", width: int = 4) -> Path:
    tensors = {"expression": torch.arange(float(len(aus.split()) * width)).reshape(-1, width)}
    save_file(tensors, folder / "aus.safetensors", {"aus": aus})
    return folder / "aus.safetensors"


def write_masks(folder: Path) -> Path:
    masks = {"left_eyeball": np.arange(8, 24), "right_eyeball": np.arange(16, 40), "lips": np.arange(3), "face": [1]}
    (folder / "masks.pkl").write_bytes(pickle.dumps({**masks, "face": np.arange(COUNT)}, 2))
    return folder / "masks.pkl"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """One of everything that belongs to a model, under names that say nothing."""
    found = [write_table(tmp_path), write_landmarks(tmp_path), *write_eyelids(tmp_path), write_masks(tmp_path)]
    random = np.random.default_rng(0)
    mediapipe = {"lmk_face_idx": random.integers(0, 56, 105).astype(np.uint32), "lmk_b_coords": random.random((105, 3))}
    np.savez(tmp_path / "x.npz", **mediapipe, landmark_indices=np.arange(105))
    return [*found, tmp_path / "x.npz", write_template(tmp_path, flame()["f"]), write_flame(tmp_path)]


def test_every_file_finds_its_place_by_its_content(files: list[Path]) -> None:
    head = load_flame(*files)
    typed: HeadModel = head
    assert len(typed.identity_names) == 300
    assert head.expression_names == tuple(f"expression_{number:03}" for number in range(6))
    assert set(head.parts) == {"eye_left", "eye_right", "skin"}
    assert torch.cat(list(head.parts.values())).unique().numel() == len(head.faces)
    mesh = head(HeadParams(identity=torch.ones(2, 100), expression=torch.ones(2, 6)))
    assert mesh.vertices.shape == (2, COUNT, 3)
    assert head.landmarks68(mesh).shape == head.landmarks68_fixed(mesh).shape == (2, 68, 3)
    assert head.landmarks_mediapipe(mesh).shape == (2, 105, 3)


def test_texture_coordinates_follow_the_models_order_of_faces(tmp_path: Path) -> None:
    faces = flame()["f"].astype(int)
    head = load_flame(write_flame(tmp_path), write_template(tmp_path, np.roll(faces[::-1], 1, axis=1)))
    last = len(faces) - 1
    expected = [[3 * (last - number) + (corner + 1) % 3 for corner in range(3)] for number in range(len(faces))]
    assert head.uv_faces.tolist() == expected


def test_the_open_release_says_how_many_columns_are_expression(tmp_path: Path) -> None:
    content = flame(identity=300, expression=10)
    content["supr_expression_metadata"] = {"n_expr": np.int64(60), "names": ["anything"]}
    (tmp_path / "open.pkl").write_bytes(pickle.dumps(content, 2))
    head = load_flame(tmp_path / "open.pkl")
    assert (len(head.identity), len(head.expression)) == (250, 60)


@pytest.mark.parametrize("protocol", range(5))
def test_every_encoding_is_the_same_model(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(flame(), protocol))
    np.savez(tmp_path / "b.npz", **flame())
    one, other = load_flame(tmp_path / "a.pkl"), load_flame(tmp_path / "b.npz")
    assert torch.equal(one.identity, other.identity)
    assert torch.equal(one.regressor, other.regressor)


def test_a_converted_model_is_the_model_and_says_where_it_is_from(files: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "flame.safetensors"
    convert_flame(files, target, NOTE)
    head, expected = load_flame(target), load_flame(*files)
    params = HeadParams(identity=torch.ones(1, 300), expression=torch.ones(1, 6), jaw=torch.ones(1, 3) / 5)
    assert torch.equal(head(params).vertices, expected(params).vertices)
    assert torch.equal(head.landmarks68(head(params)), expected.landmarks68(expected(params)))
    assert torch.equal(head.uv[head.uv_faces], expected.uv[expected.uv_faces])
    assert head.from_aus({"AU12": 1}).expression is not None
    facts = json.loads(target.with_suffix(".json").read_text())
    assert facts["licence_note"] == NOTE == head.facts["licence_note"]
    assert facts["counts"] == {"vertices": COUNT, "faces": 56, "identity": 300, "expression": 6}
    assert {"name", "sha256"} == set(facts["sources"][0])
    assert len(facts["sources"]) == len(files)
    tensors = load_file(target)
    assert tensors["posedirs"].shape == (36, COUNT * 3)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32, torch.int32}
    assert isinstance(load_head(target), type(head))


def test_converting_needs_a_word_about_the_licence(tmp_path: Path) -> None:
    with pytest.raises(BadHead, match="licence"):
        convert_flame([write_flame(tmp_path)], tmp_path / "x.safetensors", "  ")
    assert not (tmp_path / "x.safetensors").exists()


def test_a_conversion_leaves_strangers_files_and_half_written_ones_alone(tmp_path: Path) -> None:
    model = write_flame(tmp_path)
    (tmp_path / "x.json").write_text('{"my": "notes"}')
    with pytest.raises(CannotWrite, match=r"x\.json"):
        convert_flame([model], tmp_path / "x.safetensors", NOTE)
    (tmp_path / "y.safetensors").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CannotWrite):
        convert_flame([model], tmp_path / "y.safetensors", NOTE)
    with pytest.raises(BadHead, match="must end in"):
        convert_flame([model], tmp_path / "z.npz", NOTE)
    assert sorted(tmp_path.iterdir()) == before
    for _ in range(2):
        convert_flame([model], tmp_path / "again.safetensors", NOTE)


def test_a_user_without_a_file_is_told_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(BadHead, match=r"FLAME 2023 Open.*or FLAME 2020.*faceforge convert flame"):
        load_flame()
    with pytest.raises(BadHead, match="FLAME 2023 Open"):
        load_flame(write_landmarks(tmp_path))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"v_template": np.zeros((COUNT, 2))}, r"'v_template' has shape \(40, 2\), expected \(any, 3\)"),
        ({"v_template": np.zeros((0, 3))}, "'v_template' has shape"),
        ({"shapedirs": np.zeros((COUNT + 1, 3, 306))}, r"expected \(40, 3, any\)"),
        ({"shapedirs": np.zeros((COUNT, 3, 20))}, "20 columns, expected 300"),
        ({"supr_expression_metadata": {"n_expr": 400}}, "306 columns"),
        ({"supr_expression_metadata": {"n_expr": "many"}}, "not one whole number"),
        ({"supr_expression_metadata": {"n_expr": math.nan}}, "not one whole number"),
        ({"posedirs": np.full((COUNT, 3, 36), 1e300)}, "correctives holds NaN or infinity"),
        ({"posedirs": np.zeros((COUNT, 3, 27))}, r"'posedirs' has shape \(40, 3, 27\), expected \(40, 3, 36\)"),
        ({"posedirs": "none"}, "'posedirs' is a str"),
        ({"weights": None}, "'weights' is nothing"),
        ({"weights": np.full((COUNT, 5), 0.1)}, "Row 0 of 'weights' adds up to 0.5"),
        ({"J_regressor": np.ones((5, COUNT))}, "'J_regressor' adds up to 40"),
        ({"J_regressor": np.full((5, COUNT), math.nan)}, r"J_regressor\[0, 0\] is nan"),
        ({"f": np.array([[0, 1, COUNT]], np.uint32)}, "'f' runs from 0 to 40, expected whole numbers for 40 vertices"),
        ({"f": np.array([[0, 1, -1]])}, "'f' runs from -1"),
        ({"f": np.array([[0.0, 1.0, 2.0]])}, "'f' runs"),
        ({"kintree_table": np.array([[0, 2, 1, 1, 1], [0, 1, 2, 3, 4]])}, "joint 1 has parent 2"),
        ({"kintree_table": np.array([[0, 1, 1, 1, 1], [0, 1, 2, 3, 4]])}, "joint 1 has parent 1"),
        ({"kintree_table": np.zeros((2, 5))}, "float64 numbers"),
        ({"kintree_table": np.zeros((2, 4), int)}, "'kintree_table' has shape"),
    ],
)
def test_models_that_cannot_be_flame_are_refused_by_name(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadHead, match=says):
        load_flame(write_flame(tmp_path, **changes))


def test_files_that_do_not_belong_to_flame_are_refused(tmp_path: Path) -> None:
    model = write_flame(tmp_path)
    np.savez(tmp_path / "texture.npz", mean=np.zeros(3), tex_dir=np.zeros(3))
    with pytest.raises(BadHead, match="it holds mean, tex_dir"):
        load_flame(model, tmp_path / "texture.npz")
    with pytest.raises(BadHead, match="second model"):
        load_flame(model, model)
    with pytest.raises(BadHead, match="come in pairs"):
        load_flame(model, write_eyelids(tmp_path)[0])
    with pytest.raises(BadHead, match="not the model's"):
        load_flame(model, write_template(tmp_path, flame()["f"][:9].astype(int)))
    wrong = np.zeros((COUNT - 1, 3))
    np.savez(tmp_path / "lids.npz", l_eyelid=wrong, r_eyelid=wrong)
    with pytest.raises(BadHead, match=r"'l_eyelid' has shape \(39, 3\)"):
        load_flame(model, tmp_path / "lids.npz")
    masks = {"left_eyeball": np.array([99]), "right_eyeball": np.arange(3)}
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(masks, 2))
    with pytest.raises(BadHead, match="left_eyeball"):
        load_flame(model, tmp_path / "m.pkl")
    with pytest.raises(BadWeights):
        load_flame(tmp_path / "absent.pkl")


def test_converted_files_that_were_changed_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    convert_flame([write_flame(tmp_path)], path, NOTE)
    from faceforge.face3d.headfile import metadata

    about, tensors = metadata(path), load_file(path)
    for name, value in (
        ("faces", torch.full((56, 3), 99, dtype=torch.int32)),
        ("weights", torch.zeros(3, 5)),
        ("posedirs", torch.zeros(7)),
        ("parents", torch.tensor([-1, 4, 0, 0, 0])),
        ("parents", torch.tensor([-1, 0])),
        ("parents", torch.zeros(5, 2)),
        ("shape", torch.full_like(tensors["shape"], math.nan)),
    ):
        save_file({**tensors, name: value}, tmp_path / "b.safetensors", about)
        with pytest.raises(BadHead, match=r"b\.safetensors"):
            load_flame(tmp_path / "b.safetensors")
    for words, says in (({}, "something else"), ({"faceforge_head": '{"kind": "flame", "format": 9}'}, "format 9")):
        save_file(tensors, tmp_path / "b.safetensors", words)
        with pytest.raises(BadHead, match=says):
            load_flame(tmp_path / "b.safetensors")
    save_file({"shape": tensors["shape"]}, tmp_path / "b.safetensors", about)
    with pytest.raises(BadHead, match="no complete FLAME"):
        load_flame(tmp_path / "b.safetensors")
    (tmp_path / "b.safetensors").write_bytes(path.read_bytes()[:1000])
    with pytest.raises(BadHead, match="damaged"):
        load_flame(tmp_path / "b.safetensors")


def test_jaw_and_eyelids_are_the_action_units_that_flame_has(tmp_path: Path) -> None:
    head = load_flame(write_flame(tmp_path), *write_eyelids(tmp_path))
    params = head.from_aus({"AU26": 5, "AU43L": 2.5, "AU7R": 5, "AU4": 0})
    assert params.jaw is not None
    assert params.eyelids is not None
    torch.testing.assert_close(params.jaw, torch.tensor([[0.26, 0.0, 0.0]]))
    torch.testing.assert_close(params.eyelids, torch.tensor([[0.5, 0.2]]))
    torch.testing.assert_close(head.from_aus({"AU27L": 5, "AU27R": 5}).jaw, head.from_aus({"AU27": 5}).jaw)
    head(params)


def test_action_units_that_flame_cannot_express_are_named(tmp_path: Path) -> None:
    head = load_flame(write_flame(tmp_path))
    with pytest.raises(BadHead, match=r"cannot express AU12, AU4L, AU45:"):
        head.from_aus({"AU12": 1, "AU4L": 2, "AU26": 1, "AU45": 1})


def test_a_table_expresses_its_units_and_their_sides(tmp_path: Path) -> None:
    head = load_flame(write_flame(tmp_path), write_table(tmp_path))
    found = head.from_aus({"AU12": 2, "AU26": 1})
    torch.testing.assert_close(found.expression, torch.tensor([[8.0, 12, 16, 20, 0, 0]]))
    torch.testing.assert_close(head.from_aus({"AU12R": 1}).expression, torch.tensor([[4.0, 5, 6, 7, 0, 0]]))
    with pytest.raises(BadHead, match="cannot express AU4L"):
        head.from_aus({"AU4L": 1})
    head(found)


@pytest.mark.parametrize(
    ("aus", "width", "says"),
    [("AU12 AU12", 4, "twice"), ("", 4, "name its rows"), ("AU12", 9, "9 coefficients, this model only 6")],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, aus: str, width: int, says: str) -> None:
    with pytest.raises(BadHead, match=says):
        load_flame(write_flame(tmp_path), write_table(tmp_path, aus, width))


def test_what_was_not_given_is_asked_for(tmp_path: Path) -> None:
    head = load_flame(write_flame(tmp_path))
    mesh = head(HeadParams())
    for ask in (head.landmarks68, head.landmarks_mediapipe):
        with pytest.raises(BadHead, match=r"landmark_embedding"):
            ask(mesh)
    with_landmarks = load_flame(write_flame(tmp_path), write_landmarks(tmp_path))
    with pytest.raises(BadHead, match="how its head is turned"):
        with_landmarks.landmarks68(HeadMesh(mesh.vertices, mesh.joints))


def test_the_contour_table_is_read_at_whole_degrees_of_yaw() -> None:
    degrees = torch.tensor([0.0, 0.4, 12.49, 38.6, 44.0, -20.4, -39.4, -39.6, -75.0, 89.0, -1.0], dtype=torch.float64)
    turn = rotations(torch.stack([0 * degrees, degrees.deg2rad(), 0 * degrees], 1))
    assert contour_rows(turn).tolist() == [0, 0, 12, 39, 39, 59, 78, 78, 78, 39, 40]


def test_everything_moves_to_another_precision(files: list[Path]) -> None:
    head = load_flame(*files, dtype=torch.float64)
    assert head.landmarks is not None
    assert head.landmarks.inner.weights.dtype == head.template.dtype == torch.float64
    assert head.of(torch.ones(300)).landmarks68(head(HeadParams())).dtype == torch.float64

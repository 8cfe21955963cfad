"""FLAME against its published implementation, on a random model in the three encodings that its files have."""

import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from faceforge.errors import UnsafePickle
from faceforge.face3d.camera import ScaledOrthographic
from faceforge.face3d.flame import FlameHead, convert_flame, load_flame
from faceforge.face3d.head import HeadMesh, HeadParams
from faceforge.face3d.landmarks import contour_rows
from faceforge.face3d.mesh import vertex_normals
from faceforge.face3d.skinning import rotations
from faceforge.io.arrays import read_arrays
from tests.parity.golden import FOLDER, Case, cases, close, read

pytestmark = cases("face3d", "flame_vertices")
HOSTILE = sorted((FOLDER / "face3d").glob("refuse_*.pkl")) or [
    pytest.param(None, marks=pytest.mark.skip(reason="no hostile pickles in face3d/ (set FACEFORGE_GOLDEN_DIR)"))
]
PICTURE = (512, 512)


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return read(request.param)


def beside(case: Case, *endings: str) -> list[Path]:
    return [case.folder / f"{case.name.removesuffix('_expected')}{ending}" for ending in endings]


def files(case: Case) -> list[Path]:
    return beside(case, "_plain.pkl", "_landmark_embedding.npy", "_mediapipe_embedding.npz", "_eyelids.npz")


@pytest.fixture(scope="module")
def head(case: Case) -> FlameHead:
    return load_flame(*files(case))


def params(case: Case, kind: str = "") -> HeadParams:
    """Identity, expression and all joints, in the precision of `kind`."""
    pose = case[f"pose{kind}"]
    return HeadParams(
        identity=case[f"shape{kind}"],
        expression=case[f"exp{kind}"],
        rotation=pose[:, :3],
        neck=case[f"neck{kind}"],
        jaw=pose[:, 3:],
        eyes=case[f"eye{kind}"].reshape(-1, 2, 3),
    )


def straight(case: Case) -> HeadParams:
    """The same as FLAME's own class takes them: the neck stays straight."""
    return replace(params(case), neck=None)


@pytest.fixture(scope="module")
def mesh(case: Case, head: FlameHead) -> HeadMesh:
    return head(straight(case))


def test_the_three_encodings_are_one_model(case: Case) -> None:
    plain, chumpy, dense = (read_arrays(path) for path in beside(case, "_plain.pkl", "_chumpy.pkl", ".npz"))
    assert plain.keys() == chumpy.keys() == dense.keys()
    for name, array in plain.items():
        if not isinstance(array, str):
            assert array.dtype == chumpy[name].dtype
            assert (array == chumpy[name]).all()
            assert (array.astype(dense[name].dtype) == dense[name]).all()
    assert not {"chumpy", "chumpy.ch"} & set(sys.modules)


@pytest.mark.parametrize("path", HOSTILE, ids=str)
def test_hostile_pickles_are_refused_and_not_run(case: Case, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle, "Unpickler", None)
    with pytest.raises(UnsafePickle, match="nothing in it was executed"):
        read_arrays(path)
    with pytest.raises(UnsafePickle, match="asks for"):
        load_flame(path)


@pytest.mark.parametrize(("kind", "name", "atol"), [("", "rotmats_f32", 1e-6), ("_f64", "rotmats_f64", 1e-12)])
def test_rotations(case: Case, kind: str, name: str, atol: float) -> None:
    pose = case[f"pose{kind}"]
    joints = [pose[:, :3], case[f"neck{kind}"], pose[:, 3:], *case[f"eye{kind}"].split(3, 1)]
    close(rotations(torch.stack(joints, 1)), case[name], atol)


@pytest.mark.parametrize("ending", ["_plain.pkl", "_chumpy.pkl", ".npz"])
def test_skinning_in_single_precision(case: Case, ending: str) -> None:
    found = load_flame(*beside(case, ending))(params(case))
    close(found.vertices, case["vertices_f32"], 1e-5)
    close(found.joints, case["joints_f32"], 1e-5)


@pytest.mark.parametrize("ending", ["_plain.pkl", "_chumpy.pkl"])
def test_skinning_in_double_precision(case: Case, ending: str) -> None:
    found = load_flame(*beside(case, ending), dtype=torch.float64)(params(case, "_f64"))
    close(found.vertices, case["vertices_f64"], 1e-10)
    close(found.joints, case["joints_f64"], 1e-10)


def test_a_converted_model_is_as_close(case: Case, tmp_path: Path) -> None:
    convert_flame(files(case), tmp_path / "flame.safetensors", "random numbers")
    head = load_flame(tmp_path / "flame.safetensors")
    mesh = head(straight(case))
    close(mesh.vertices, case["flame_vertices"], 1e-5)
    close(head.landmarks68(mesh), case["flame_landmarks2d"], 1e-5)


def test_the_head_and_its_landmarks(case: Case, head: FlameHead, mesh: HeadMesh) -> None:
    assert torch.equal(head.faces, case["faces"])
    close(mesh.vertices, case["flame_vertices"], 1e-5)
    close(head.landmarks68(mesh), case["flame_landmarks2d"], 1e-5)
    close(head.landmarks68_fixed(mesh), case["flame_landmarks3d"], 1e-5)
    close(head.landmarks_mediapipe(mesh), case["mp_landmarks"], 1e-5)


def test_the_contour_follows_the_same_rows(case: Case, head: FlameHead, mesh: HeadMesh) -> None:
    assert mesh.turn is not None
    assert head.landmarks is not None
    rows = contour_rows(mesh.turn)
    assert rows.tolist() == case["dyn_row"].tolist()
    contour = head.landmarks.contour.row(rows)
    assert torch.equal(contour.faces, case["dyn_faces_idx"])
    assert torch.equal(contour.weights, case["dyn_bary"])
    turned = head(params(case)).turn
    assert turned is not None
    assert torch.equal(head.landmarks.contour.row(contour_rows(turned)).faces, case["dyn_faces_idx_with_neck"])


def test_eyelids_as_the_releases_add_them(case: Case, head: FlameHead) -> None:
    found = head.as_published()(replace(straight(case), eyelids=case["eyelid_params"]))
    close(found.vertices, case["vertices_with_eyelids"], 1e-5)


def test_normals(case: Case, head: FlameHead, mesh: HeadMesh) -> None:
    close(vertex_normals(mesh.vertices, head.faces), case["vertex_normals"], 1e-4)


def test_the_camera_and_the_way_back_from_the_crop(case: Case, mesh: HeadMesh) -> None:
    def flipped(points: Tensor) -> Tensor:
        return points * points.new_tensor([1.0, -1.0, -1.0])

    in_crop = ScaledOrthographic(case["cam"]).image(mesh.vertices, (224, 224))
    close(in_crop, case["trans_vertices"], 1e-5)
    close(flipped(in_crop), case["proj_vertices"], 1e-5)
    in_picture = ScaledOrthographic(case["cam"], case["tform"]).image(mesh.vertices, PICTURE)
    close(in_picture, case["trans_vertices_512"], 1e-4)
    close(torch.linalg.inv(case["tform"]).mT, case["tform_inv_T"], 1e-4)

"""DECA's and SMIRK's codes from every kind of file, and what releases make of two of them."""

import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from faceforge.errors import BadHead, BadSpec, BadWeights, UnsafePickle
from faceforge.face3d.codes import DECA_ORDER, DecaCode, SmirkCode, read_deca, read_smirk
from faceforge.face3d.crops import Box, deca_square, deca_square_of_face, smirk_square
from faceforge.face3d.skinning import rotations
from faceforge.face3d.transfer import centre_shift, face_centre, magicportrait, relative, rigface

SMIRK = {"pose_params": 3, "cam": 3, "shape_params": 300, "expression_params": 50, "eyelid_params": 2, "jaw_params": 3}


def deca(rows: int = 2, seed: int = 0) -> DecaCode:
    code = DecaCode.from_vector(torch.randn(rows, 236, generator=torch.Generator().manual_seed(seed)))
    crop = torch.eye(3).repeat(rows, 1, 1) * (seed + 1)
    return DecaCode(**{**vars(code), "crop": crop})


def smirk(rows: int = 2, seed: int = 9) -> SmirkCode:
    random = torch.Generator().manual_seed(seed)
    return SmirkCode(**{name: torch.randn(rows, width, generator=random) for name, width in SMIRK.items()})


def save(content: dict[str, Tensor], path: Path) -> Path:
    arrays = {name: tensor.numpy() for name, tensor in content.items()}
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".npy":
        np.save(path, np.array(arrays, object), allow_pickle=True)
    elif path.suffix == ".json":
        path.write_text(json.dumps({name: array.tolist() for name, array in arrays.items()}))
    elif path.suffix == ".pt":
        torch.save(content, path)
    elif path.suffix == ".safetensors":
        save_file(content, path)
    else:
        path.write_bytes(pickle.dumps(content if path.stem == "tensors" else arrays))
    return path


def same(one: Any, other: Any) -> bool:
    return all(torch.equal(value, vars(other)[name]) for name, value in vars(one).items() if value is not None)


KINDS = ("a.npz", "a.npy", "a.json", "a.pt", "a.safetensors", "a.pkl", "tensors.pkl")


@pytest.mark.parametrize("name", KINDS)
def test_codes_are_read_from_every_kind_of_file(tmp_path: Path, name: str) -> None:
    assert same(read_deca(save(vars(deca()), tmp_path / name)), deca())
    assert same(read_smirk(save(vars(smirk()), tmp_path / name)), smirk())


def test_vectors_are_split_in_the_encoders_order(tmp_path: Path) -> None:
    vector = torch.arange(2 * 236.0).reshape(2, 236)
    np.save(tmp_path / "v.npy", vector.numpy())
    np.savez(tmp_path / "v.npz", parameters=vector.numpy())
    for path in (tmp_path / "v.npy", tmp_path / "v.npz"):
        code = read_deca(path)
        starts = {name: float(getattr(code, name).flatten(1)[0, 0]) for name in DECA_ORDER}
        assert starts == {"shape": 0, "tex": 100, "exp": 150, "pose": 200, "cam": 206, "light": 209}
        assert float(code.light[0, 1, 0]) == 212  # band major, colour minor
        assert torch.equal(code.vector(), vector)


def test_a_single_frame_may_come_without_its_batch_and_light_flat_or_not(tmp_path: Path) -> None:
    one = deca(1)
    flat = {name: value[0].flatten() for name, value in vars(one).items()} | {"crop": one.crop[0]}  # type: ignore[index]
    assert same(read_deca(save(flat, tmp_path / "a.npz")), one)
    renamed = {**vars(deca()), "tform": torch.eye(3).repeat(2, 1, 1), "images": torch.zeros(2, 3)}
    del renamed["crop"]
    found = read_deca(save(renamed, tmp_path / "b.npz"))
    assert found.crop is not None


def test_codes_become_parameters_of_a_head() -> None:
    params = deca().params()
    assert params.jaw is not None
    assert torch.equal(params.jaw, deca().pose[:, 3:])
    assert params.eyes is params.neck is None
    assert smirk().params().eyelids is not None
    assert len(deca(5)[1:3]) == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pose": torch.zeros(2, 5)}, r"pose has shape \(2, 5\), expected \('B', 6\)"),
        ({"exp": torch.zeros(3, 50)}, r"exp has shape \(3, 50\)"),
        ({"light": torch.zeros(2, 9, 4)}, "light has shape"),
        ({"cam": torch.tensor([[1.0, math.nan, 0.0]] * 2)}, r"cam\[0, 1\] is nan"),
        ({"shape": torch.zeros(0, 100)}, "shape has shape"),
    ],
)
def test_codes_that_are_none_are_refused(tmp_path: Path, change: dict[str, Tensor], says: str) -> None:
    with pytest.raises(BadHead, match=says):
        read_deca(save({**vars(deca()), **change}, tmp_path / "a.npz"))


def test_files_that_hold_no_code_are_refused(tmp_path: Path) -> None:
    lacking = {name: value for name, value in vars(deca()).items() if name not in ("cam", "tex")}
    with pytest.raises(BadHead, match="lacks tex, cam"):
        read_deca(save(lacking, tmp_path / "a.npz"))
    with pytest.raises(BadHead, match="lacks pose_params"):
        read_smirk(tmp_path / "a.npz")
    np.save(tmp_path / "v.npy", np.zeros((2, 235)))
    with pytest.raises(BadHead, match=r"shape \(2, 235\)"):
        read_deca(tmp_path / "v.npy")
    with pytest.raises(BadHead, match="names nothing"):
        read_smirk(tmp_path / "v.npy")
    for text in ("{", "[" * 100_000, '{"shape": "x"}', '{"a": {"b": 1}}', "[[1], [1, 2]]", "null"):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(BadHead):
            read_deca(tmp_path / "a.json")
    (tmp_path / "b.pkl").write_bytes(b"cos\ngetcwd\n)R.")
    with pytest.raises(UnsafePickle, match=r"os\.getcwd"):
        read_deca(tmp_path / "b.pkl")
    (tmp_path / "b.pt").write_bytes(b"cos\ngetcwd\n)R.")
    with pytest.raises(BadWeights):
        read_deca(tmp_path / "b.pt")
    with pytest.raises(BadHead, match="no file"):
        read_deca(tmp_path / "absent.npz")


def test_rigface_takes_from_the_target_what_is_edited() -> None:
    source, target = deca(1, seed=1), deca(1, seed=2)
    assert same(rigface(source, target, ()), source)
    assert same(rigface(source, target, ("pose", "exp", "light")), target)
    posed = rigface(source, target, {"pose"})
    for name in ("shape", "tex", "cam", "crop"):
        assert torch.equal(getattr(posed, name), getattr(target, name))
    assert torch.equal(posed.pose, torch.cat([target.pose[:, :3], source.pose[:, 3:]], 1))
    assert torch.equal(posed.exp, source.exp)
    assert torch.equal(posed.light, source.light)
    smiling = rigface(source, target, ["exp"])
    assert torch.equal(smiling.pose, torch.cat([source.pose[:, :3], target.pose[:, 3:]], 1))
    assert torch.equal(smiling.exp, target.exp)
    assert torch.equal(smiling.shape, source.shape)
    assert torch.equal(rigface(source, target, ["light"]).light, target.light)
    assert len(rigface(source, deca(4), ["exp"])) == 4
    with pytest.raises(BadSpec, match="Did you mean 'light'"):
        rigface(source, target, ["lihgt"])


def test_magicportrait_keeps_the_person_and_takes_the_drivers_rotation_and_smirks_face() -> None:
    source, driver, face = deca(1, seed=1), deca(3, seed=2), smirk(3)
    found = magicportrait(source, driver, face)
    assert torch.equal(found.pose, torch.cat([driver.pose[:, :3], face.jaw_params], 1))
    assert torch.equal(found.exp, face.expression_params)
    for name in ("shape", "tex", "cam", "light", "crop"):
        assert torch.equal(getattr(found, name), getattr(source, name).expand_as(getattr(found, name)))
    with pytest.raises(BadHead, match="2 frames cannot serve 3"):
        magicportrait(source, driver, smirk(2))


def test_relative_motion_starts_at_the_source_and_follows_changes() -> None:
    source, driver, face = deca(1, seed=1), deca(3, seed=2), smirk(3)
    found = relative(source, driver, face)
    torch.testing.assert_close(found.exp[0], source.exp[0])
    torch.testing.assert_close(rotations(found.pose[0, :3]), rotations(source.pose[0, :3]), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.exp[2], source.exp[0] + face.expression_params[2] - face.expression_params[0])
    first, last, own = (rotations(each) for each in (driver.pose[0, :3], driver.pose[2, :3], source.pose[0, :3]))
    torch.testing.assert_close(rotations(found.pose[2, :3]), last @ first.T @ own, atol=1e-5, rtol=0)
    jaw = source.pose[0, 3:] + driver.pose[1, 3:] - driver.pose[0, 3:]
    torch.testing.assert_close(relative(source, driver).pose[1, 3:], jaw)


def test_the_centre_shift_brings_centres_together() -> None:
    now, wanted = torch.randn(2, 68, 3), torch.randn(2, 68, 3)
    moved = now + centre_shift(now, wanted)[:, None]
    torch.testing.assert_close(face_centre(moved), face_centre(wanted))
    marks = torch.zeros(1, 68, 3)
    marks[:, 36:48, 1], marks[:, [48, 54], 1] = 1.0, -1.0
    torch.testing.assert_close(face_centre(marks), torch.tensor([[0.0, 0.8, 0.0]]))


def test_crops_follow_the_releases_arithmetic() -> None:
    box = Box(100.0, 120.0, 203.0, 221.0)  # sides 103 and 101, mean 102
    assert vars(deca_square(box)) == {"x": 151.5, "y": 170.5, "size": int(102 * 1.1 * 1.3)}
    assert vars(deca_square(box, 1.25))["size"] == int(102 * 1.1 * 1.25)
    assert vars(deca_square_of_face(box)) == {"x": 151.5, "y": 170.5 + 0.12 * 102, "size": int(102 * 1.3)}
    assert vars(smirk_square(box)) == {"x": 151.5, "y": 170.5, "size": int(102 * 1.4)}
    square = deca_square(Box.around(torch.tensor([[100.0, 120.0], [203.0, 221.0], [150.0, 150.0]])))
    left, top = square.x - square.size / 2, square.y - square.size / 2
    corners = torch.tensor([[left, top, 1], [left, top + square.size, 1], [left + square.size, top, 1]])
    expected = torch.tensor([[0.0, 0, 1], [0, 223, 1], [223, 0, 1]], dtype=torch.float64)
    torch.testing.assert_close(corners.double() @ square.transform().T, expected, atol=1e-6, rtol=0)
    assert deca_square_of_face(Box.whole(512, 512)).size == int(511 * 1.3)


@pytest.mark.parametrize("box", [Box(5, 5, 5, 9), Box(9, 0, 1, 4), Box(0, math.nan, 1, 1), Box(0, 0, 0.1, 0.1)])
def test_boxes_without_a_face_are_refused(box: Box) -> None:
    with pytest.raises(BadHead, match="cannot be cut out"):
        smirk_square(box)

"""FLAME's published files: told apart by their content, checked, and brought into one set of named tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faceforge.errors import BadHead
from faceforge.face3d.au_table import AuTable, read_au_table
from faceforge.face3d.flame_parts import parts_from
from faceforge.face3d.head import JOINTS
from faceforge.face3d.obj import Mesh, read_mesh
from faceforge.io.arrays import read_arrays

GUIDE = (
    "FLAME is licensed and does not come with FaceForge. Register at https://flame.is.tue.mpg.de and download "
    "FLAME 2023 Open (an open licence), or FLAME 2020, whose coefficients are those of RigFace and MagicPortrait; "
    "then: faceforge convert flame flame2023_Open.pkl -o flame.safetensors --licence-note 'FLAME 2023 Open, CC BY 4.0'."
)
_IDENTITY = 300  # columns of shapedirs before those of the expression, where a file does not say
_TOLERANCE = 1e-3  # to which weights of a vertex, and of a joint, add up to 1
_LANDMARKS = {"inner": "static_lmk", "contour": "dynamic_lmk", "full": "full_lmk"}
_LANDMARK_SHAPES = {"inner": (51,), "contour": (79, 17), "full": (68,)}

Array = NDArray[Any]


def read_flame(files: Sequence[str | Path]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Named tensors of a model and whatever lies beside it, in double precision, and the codes of its AU table."""
    found = _told_apart(files)
    if "model" not in found:
        raise BadHead(f"None of {[str(file) for file in files]} is a FLAME model. {GUIDE}")
    model = _model(found["model"])
    faces, count = model["faces"], len(model["v_template"])
    if mesh := found.get("uv"):
        model |= _texture(mesh, faces)
    model |= {f"parts.{name}": index for name, index in parts_from(found.get("masks"), faces, count).items()}
    if "landmarks" in found:
        model |= _landmarks(found["landmarks"], len(faces))
    if "mediapipe" in found:
        model |= _mediapipe(found["mediapipe"], len(faces))
    if lids := _eyelids(found, model["v_template"]):
        model["eyelids"] = np.stack(lids)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in model.items()}
    table: AuTable | None = found.get("au table")
    if table is not None:
        tensors |= {f"au.{name}": getattr(table, name) for name in ("expression", "jaw", "eyelids")}
    return tensors, table.codes if table is not None else ()


def _told_apart(files: Sequence[str | Path]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for file in files:
        kind, content = _kind(file)
        if kind == "eyelid" and kind in found:
            kind = "other eyelid"
        if kind in found:
            raise BadHead(f"{str(file)!r} is the second {kind} among the files. Give one of each kind.")
        found[kind] = content
    return found


def _kind(file: str | Path) -> tuple[str, Any]:
    """What a file is to FLAME, whatever its name; only text and safetensors are told by their names' endings."""
    suffix = Path(file).suffix.lower()
    if suffix == ".obj":
        return "uv", read_mesh(file)
    if suffix == ".safetensors":
        return "au table", read_au_table(file)
    content = read_arrays(file)
    if isinstance(content, np.ndarray) and content.ndim == 2 and content.shape[1] == 3:
        return "eyelid", content
    names = set(content) if isinstance(content, dict) else set()
    kinds = {
        "model": {"v_template", "shapedirs", "f"},
        "landmarks": {"static_lmk_faces_idx", "dynamic_lmk_faces_idx"},
        "mediapipe": {"lmk_face_idx", "lmk_b_coords"},
        "eyelids": {"l_eyelid", "r_eyelid"},
        "masks": {"left_eyeball", "right_eyeball"},
    }
    for kind, wanted in kinds.items():
        if wanted <= names:
            return kind, content
    raise BadHead(
        f"{str(file)!r} is no file of FLAME that is read here (it holds {_listed(names) or 'no named arrays'}). "
        f"Give a model, landmark_embedding.npy, head_template.obj, FLAME_masks.pkl, eyelids or an AU table."
    )


def _listed(names: set[Any]) -> str:
    listed = sorted(str(name)[:40] for name in names)
    return ", ".join(listed[:6]) + (", ..." if len(listed) > 6 else "")


def _model(content: Mapping[str, Any]) -> dict[str, Array]:
    template = _floats(content, "v_template", (None, 3))
    count = len(template)
    shapes = _floats(content, "shapedirs", (count, 3, None))
    correctives = _floats(content, "posedirs", (count, 3, 9 * (len(JOINTS) - 1)))
    regressor = _floats(content, "J_regressor", (len(JOINTS), count))
    weights = _floats(content, "weights", (count, len(JOINTS)))
    _check_sums("J_regressor", regressor)
    _check_sums("weights", weights)
    split = _identity_columns(content, shapes.shape[2])
    shapes = shapes.transpose(2, 0, 1)
    return {
        "v_template": template,
        "shape": shapes[:split],
        "expression": shapes[split:],
        "posedirs": correctives.reshape(-1, correctives.shape[2]).T,
        "J_regressor": regressor,
        "weights": weights,
        "faces": _indices(content, "f", (None, 3), count, "vertices"),
        "parents": _parents(content),
    }


def _identity_columns(content: Mapping[str, Any], total: int) -> int:
    about = content.get("supr_expression_metadata")
    count = about.get("n_expr") if isinstance(about, dict) else None
    if count is None:
        split = _IDENTITY
    elif isinstance(count, int | np.ndarray) and np.size(count) == 1 and np.asarray(count).dtype.kind in "iu":
        split = total - int(np.ravel(count)[0])
    else:
        raise BadHead("supr_expression_metadata['n_expr'] is not one whole number. Download the model again.")
    if not 0 <= split <= total:
        raise BadHead(
            f"shapedirs has {total} columns, expected {_IDENTITY} of identity and then those of the expression, or "
            f"supr_expression_metadata with 'n_expr' to tell them apart."
        )
    return split


def _parents(content: Mapping[str, Any]) -> Array:
    tree = _array(content, "kintree_table", (2, len(JOINTS)))
    if tree.dtype.kind not in "iu":
        raise BadHead(f"kintree_table holds {tree.dtype} numbers, expected whole ones.")
    parents = [-1, *(int(parent) for parent in tree[0, 1:])]  # the root's is -1, or 2**32 - 1 where it has no sign
    for joint, parent in enumerate(parents):
        if joint and not 0 <= parent < joint:
            raise BadHead(f"kintree_table: joint {joint} has parent {parent}, expected an earlier joint.")
    return np.array(parents, np.int64)


def _texture(mesh: Mesh, faces: Array) -> dict[str, Array]:
    """Texture coordinates of the template, whose faces may stand in another order than the model's."""
    if not len(mesh.uv):
        raise BadHead("The .obj file has no texture coordinates. Give FLAME's head_template.obj.")
    corners = {
        frozenset(face): dict(zip(face, uv, strict=True))
        for face, uv in zip(mesh.faces.tolist(), mesh.uv_faces.tolist(), strict=True)
    }
    try:
        uv_faces = [[corners[frozenset(face)][vertex] for vertex in face] for face in faces.tolist()]
    except KeyError as reason:
        raise BadHead(
            f"The .obj file has {len(mesh.faces)} faces that are not the model's {len(faces)}. Give FLAME's own "
            f"head_template.obj."
        ) from reason
    return {"uv": mesh.uv, "uv_faces": np.array(uv_faces, np.int64)}


def _landmarks(content: Mapping[str, Any], faces: int) -> dict[str, Array]:
    found = {}
    for name, key in _LANDMARKS.items():
        shape = _LANDMARK_SHAPES[name]
        squeezed = {
            each: np.squeeze(_array(content, each, None)) for each in (f"{key}_faces_idx", f"{key}_bary_coords")
        }
        found[f"landmarks.{name}.faces"] = _indices(squeezed, f"{key}_faces_idx", shape, faces, "faces")
        found[f"landmarks.{name}.weights"] = _floats(squeezed, f"{key}_bary_coords", (*shape, 3))
    return found


def _mediapipe(content: Mapping[str, Any], faces: int) -> dict[str, Array]:
    indices = _indices(content, "lmk_face_idx", (None,), faces, "faces")
    found = {"landmarks.mediapipe.faces": indices}
    found["landmarks.mediapipe.weights"] = _floats(content, "lmk_b_coords", (len(indices), 3))
    if "landmark_indices" in content:
        points = _indices(content, "landmark_indices", (len(indices),), 478, "points of MediaPipe's mesh")
        found["landmarks.mediapipe.indices"] = points
    return found


def _eyelids(found: Mapping[str, Any], template: Array) -> list[Array]:
    """The left and the right eyelid; of bare arrays, the left one moves what lies on the subject's left."""
    if "eyelids" in found:
        return [_floats(found["eyelids"], name, template.shape) for name in ("l_eyelid", "r_eyelid")]
    given = [found[name] for name in ("eyelid", "other eyelid") if name in found]
    lids = [_floats({"eyelid": lid}, "eyelid", template.shape) for lid in given]
    sides = [float((np.linalg.norm(lid, axis=1) * template[:, 0]).sum()) for lid in lids]
    if lids and (len(lids) != 2 or sides[0] * sides[1] >= 0):
        raise BadHead("Eyelids come in pairs: give l_eyelid.npy and r_eyelid.npy together.")
    return [lid for _, lid in sorted(zip(sides, lids, strict=True), key=lambda each: -each[0])]


def _array(content: Mapping[str, Any], name: str, shape: tuple[int | None, ...] | None) -> Array:
    array = content.get(name)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        found = "nothing" if array is None else f"a {type(array).__name__}"
        raise BadHead(f"{name!r} is {found}, expected an array of numbers. Download the file again.")
    if shape is not None:
        fits = len(shape) == array.ndim and all(b in (None, a) for a, b in zip(array.shape, shape, strict=True))
        if not fits or not array.size:
            expected = ", ".join("any" if size is None else str(size) for size in shape)
            raise BadHead(f"{name!r} has shape {array.shape}, expected ({expected}). Download the file again.")
    return array


def _floats(content: Mapping[str, Any], name: str, shape: tuple[int | None, ...]) -> Array:
    array = _array(content, name, shape).astype(np.float64)
    if not np.isfinite(array).all():
        where = tuple(int(each) for each in np.argwhere(~np.isfinite(array))[0])
        raise BadHead(f"{name}{list(where)} is {array[where]}, expected finite numbers. Download the file again.")
    return array


def _indices(content: Mapping[str, Any], name: str, shape: tuple[int | None, ...], count: int, of: str) -> Array:
    array = _array(content, name, shape)
    if array.dtype.kind not in "iu" or int(array.min()) < 0 or int(array.max()) >= count:
        raise BadHead(f"{name!r} runs from {array.min()} to {array.max()}, expected whole numbers for {count} {of}.")
    return array.astype(np.int64)


def _check_sums(name: str, rows: Array) -> None:
    wrong = np.abs(rows.sum(1) - 1) > _TOLERANCE
    if wrong.any():
        row = int(wrong.argmax())
        raise BadHead(f"Row {row} of {name!r} adds up to {rows[row].sum():.4g}, expected 1. Download the file again.")

"""Small heads in the layouts of the published ones: random, but well formed."""

import json
import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.face3d.ict_files import Layout

COUNT = 40
_TREE = np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.uint32)


def grid(columns: int, rows: int) -> NDArray[np.int64]:
    """Two triangles for each cell of a grid of vertices."""
    first = np.arange(columns * rows).reshape(rows, columns)
    a, b, c, d = (each.ravel() for each in (first[:-1, :-1], first[:-1, 1:], first[1:, :-1], first[1:, 1:]))
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])


def flame(identity: int = 300, expression: int = 6, seed: int = 3) -> dict[str, Any]:
    """The content of a FLAME model of few vertices."""
    random = np.random.default_rng(seed)
    weights, regressor = random.random((COUNT, 5)), random.random((5, COUNT))
    return {
        "v_template": random.normal(0, 0.1, (COUNT, 3)),
        "shapedirs": random.normal(0, 0.01, (COUNT, 3, identity + expression)),
        "posedirs": random.normal(0, 0.01, (COUNT, 3, 36)),
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "kintree_table": _TREE,
        "weights": weights / weights.sum(1, keepdims=True),
        "f": grid(8, 5).astype(np.uint32),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


def landmarks(seed: int = 4) -> dict[str, Any]:
    """The content of a landmark_embedding.npy."""
    random = np.random.default_rng(seed)

    def points(*shape: int) -> tuple[NDArray[Any], NDArray[Any]]:
        bary = random.random((*shape, 3))
        return random.integers(0, 56, shape), bary / bary.sum(-1, keepdims=True)

    found = {}
    for name, shape in (("static", (51,)), ("dynamic", (79, 17)), ("full", (1, 68))):
        found[f"{name}_lmk_faces_idx"], found[f"{name}_lmk_bary_coords"] = points(*shape)
    return found


def write_flame(folder: Path, **changes: Any) -> Path:
    """A model as a pickle."""
    path = folder / "model.pkl"
    path.write_bytes(pickle.dumps({**flame(), **changes}, 2))
    return path


def write_landmarks(folder: Path) -> Path:
    np.save(folder / "landmark_embedding.npy", np.array(landmarks(), object), allow_pickle=True)
    return folder / "landmark_embedding.npy"


def write_eyelids(folder: Path) -> list[Path]:
    """One file per lid, as published; the left one moves only the subject's left."""
    template = flame()["v_template"]
    for name, side in (("left.npy", template[:, :1] > 0), ("right.npy", template[:, :1] < 0)):
        np.save(folder / name, np.where(side, [[0.0, -0.01, 0.0]], 0.0))
    return [folder / "right.npy", folder / "left.npy"]


def write_template(folder: Path, faces: NDArray[Any]) -> Path:
    """An .obj with a texture coordinate of its own for each corner of each face, and vertices that mean nothing."""
    lines = [f"v {n} {n} {n}" for n in range(COUNT)]
    lines += [f"vt {n / 1000:.3f} {1 - n / 1000:.3f}" for n in range(3 * len(faces))]
    lines += [
        "f " + " ".join(f"{vertex + 1}/{3 * n + corner + 1}/1" for corner, vertex in enumerate(face))
        for n, face in enumerate(faces)
    ]
    (folder / "head_template.obj").write_text("\n".join(lines))
    return folder / "head_template.obj"


EXPRESSIONS = ("browInnerUp_L", "browInnerUp_R", "eyeBlink_L", "eyeBlink_R", "jawOpen", "mouthSmile_L", "mouthSmile_R")
SMALL = Layout(
    60, {"skin": range(30), "neck": range(30, 40), "teeth": range(40, 46), "eyes": range(46, 54)}
)  # and 6 that nobody needs


def write_ict(folder: Path, layout: Layout = SMALL, seed: int = 5) -> Path:
    """ICT-FaceKit's folder, in centimetres: quads and triangles, two identities, a few expressions."""
    home = folder / "FaceXModel"
    home.mkdir(parents=True)
    random = np.random.default_rng(seed)
    neutral = random.normal(0, 5, (layout.vertices, 3))
    faces = []
    for span in (*layout.parts.values(), range(max(s.stop for s in layout.parts.values()), layout.vertices)):
        faces += [f"f {n}/{n}/1 {n + 1}/{n + 1}/1 {n + 2}/{n + 2}/1 {n + 3}/{n + 3}/1" for n in (span.start + 1,)]
    faces.append("f 1/1/1 2/2/1 5/5/1")
    texture = [f"vt {value:.4f} {value:.4f} 0" for value in np.linspace(0, 1, layout.vertices)]

    def write(name: str, vertices: NDArray[Any]) -> None:
        places = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
        (home / f"{name}.obj").write_text(
            "\n".join(["# made up", "mtllib a.mtl", *places, *texture, "vn 0 0 1", *faces])
        )

    write("generic_neutral_mesh", neutral)
    for name in ("identity000", "identity001", *EXPRESSIONS):
        write(name, neutral + random.normal(0, 0.3, neutral.shape))
    index = {"expressions": list(EXPRESSIONS), "idx_to_landmark_verts": random.integers(0, 30, 68).tolist()}
    (home / "vertex_indices.json").write_text(json.dumps(index))
    return folder


@contextmanager
def chumpy() -> Iterator[types.SimpleNamespace]:
    """Stand-ins for chumpy's classes, importable only while a pickle of them is written."""
    made = types.SimpleNamespace()
    sys.modules["chumpy"] = types.ModuleType("chumpy")
    for module, name in (("chumpy.ch", "Ch"), ("chumpy.reordering", "Select")):
        sys.modules[module] = types.ModuleType(module)
        kind = type(name, (), {"__module__": module, "__init__": lambda self, **state: self.__dict__.update(state)})
        setattr(sys.modules[module], name, kind)
        setattr(made, name, kind)
    try:
        yield made
    finally:
        for module in ("chumpy", "chumpy.ch", "chumpy.reordering"):
            del sys.modules[module]

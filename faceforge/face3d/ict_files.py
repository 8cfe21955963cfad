"""ICT-FaceKit's folder of .obj files, brought into one set of named tensors: metres instead of centimetres."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faceforge.errors import BadHead, nearest
from faceforge.face3d.obj import read_mesh, read_vertices
from faceforge.io.files import existing_file

NEUTRAL, INDEX = "generic_neutral_mesh.obj", "vertex_indices.json"
_METRES = 0.01


@dataclass(frozen=True)
class Layout:
    """How many vertices the meshes have, and which stretch of them is which part."""

    vertices: int
    parts: Mapping[str, range]


# What follows the eyeballs (lacrimal fluid, eye blends, occlusion, lashes) is meant for translucent materials.
LAYOUT = Layout(
    26_719,
    {
        "skin": range(9409),
        "neck": range(9409, 11_248),
        "mouth": range(11_248, 13_294),
        "eye_sockets": range(13_294, 14_062),
        "gums": range(14_062, 17_039),
        "teeth": range(17_039, 21_451),
        "eyes": range(21_451, 24_591),
    },
)


def read_ict(
    folder: str | Path, parts: Collection[str] = (), layout: Layout = LAYOUT
) -> tuple[dict[str, Tensor], list[str]]:
    """Named tensors of the model and the names of its expressions; `parts` may be fewer than the layout has."""
    home = _home(Path(folder))
    strangers = [part for part in parts if part not in layout.parts]
    if strangers:
        raise BadHead(f"ICT-FaceKit has no part {strangers[0]!r}. {nearest(strangers[0], layout.parts)}")
    mesh = read_mesh(home / NEUTRAL)
    _check_count(home / NEUTRAL, mesh.vertices, layout)
    names, landmarks = _index(home / INDEX, layout.vertices)
    spans = {part: span for part, span in layout.parts.items() if part in (parts or layout.parts)}
    kept = np.concatenate([np.arange(span.start, span.stop) for span in spans.values()])
    place = np.full(layout.vertices, -1)
    place[kept] = np.arange(len(kept))
    faces = place[mesh.faces]
    whole = (faces >= 0).all(1)
    neutral = mesh.vertices[kept]
    identities = [_delta(path, mesh.vertices, kept, layout) for path in _identities(home)]
    expressions = [_delta(home / f"{name}.obj", mesh.vertices, kept, layout) for name in names]
    tensors = {
        "template": neutral * _METRES,
        "identity": np.stack(identities),
        "expression": np.stack(expressions),
        "faces": faces[whole].astype(np.int32),
        "uv": mesh.uv if len(mesh.uv) else np.zeros((1, 2)),
        "uv_faces": mesh.uv_faces[whole].clip(min=0).astype(np.int32),
        **_joints(spans, place, neutral),
        **_parts(spans, place, neutral, faces[whole]),
    }
    if landmarks is not None and (place[landmarks] >= 0).all():
        tensors["landmarks"] = place[landmarks].astype(np.int32)
    small = {"identity": torch.float16, "expression": torch.float16}
    made = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in tensors.items()}
    return {
        name: each.to(small.get(name, torch.float32)) if each.is_floating_point() else each
        for name, each in made.items()
    }, names


def _home(folder: Path) -> Path:
    """The folder with the meshes, given it or the repository around it."""
    for home in (folder, folder / "FaceXModel"):
        if (home / NEUTRAL).is_file():
            return home
    raise BadHead(
        f"{str(folder)!r} is no ICT-FaceKit: there is no {NEUTRAL} in it or in its FaceXModel. "
        f"Get it from https://github.com/ICT-VGL/ICT-FaceKit (MIT licence) and give that folder."
    )


def _index(path: Path, count: int) -> tuple[list[str], NDArray[Any] | None]:
    """The names of the expressions, and the vertices of the 68 landmarks where the file names them."""
    try:
        content = json.loads(existing_file(path, BadHead).read_bytes())
    except (ValueError, OSError, RecursionError) as reason:
        raise BadHead(f"{str(path)!r} cannot be read as JSON. Download ICT-FaceKit again.") from reason
    names = content.get("expressions") if isinstance(content, dict) else None
    # Names become paths, so only letters can be in them.
    if not isinstance(names, list) or not all(
        isinstance(name, str) and re.fullmatch(r"\w{1,64}", name) for name in names
    ):
        raise BadHead(f"{str(path)!r} has no list of 'expressions'. Download ICT-FaceKit again.")
    if not names or len(set(names)) < len(names):
        raise BadHead(f"{str(path)!r} names no expression, or one twice. Download ICT-FaceKit again.")
    found = content.get("idx_to_landmark_verts")
    if found is None:
        return names, None
    if isinstance(found, dict):
        found = [found.get(str(number)) for number in range(68)]
    if (
        not isinstance(found, list)
        or len(found) != 68
        or not all(type(each) is int and 0 <= each < count for each in found)
    ):
        raise BadHead(f"{str(path)!r}: 'idx_to_landmark_verts' are not 68 vertices. Download ICT-FaceKit again.")
    return names, np.array(found)


def _identities(home: Path) -> list[Path]:
    found = sorted(path for path in home.glob("identity*.obj") if re.fullmatch(r"identity\d{3}", path.stem))
    wanted = [home / f"identity{number:03}.obj" for number in range(max(len(found), 1))]
    missing = next((path for path in wanted if path not in found), None)
    if missing:
        raise BadHead(f"{str(missing)!r} is missing. Download ICT-FaceKit again, with all its meshes.")
    return found


def _delta(path: Path, neutral: NDArray[Any], kept: NDArray[Any], layout: Layout) -> NDArray[Any]:
    vertices = read_vertices(path)
    _check_count(path, vertices, layout)
    delta: NDArray[Any] = (vertices - neutral)[kept] * _METRES
    return delta


def _check_count(path: Path, vertices: NDArray[Any], layout: Layout) -> None:
    if len(vertices) != layout.vertices:
        raise BadHead(f"{str(path)!r} has {len(vertices)} vertices, expected {layout.vertices}. Download it again.")


def _joints(spans: Mapping[str, range], place: NDArray[Any], neutral: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The vertices in whose middle each joint stands. Only the eyes are anatomy: the model has no joints of its own."""
    left, right = _eyes(spans, place, neutral)
    every = np.arange(len(neutral))
    neck = place[list(spans["neck"])] if "neck" in spans else every
    jaw = place[list(spans["teeth"])] if "teeth" in spans else every
    return {f"joint.{number}": each.astype(np.int32) for number, each in enumerate((neck, neck, jaw, left, right))}


def _eyes(spans: Mapping[str, range], place: NDArray[Any], neutral: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The vertices of the left and of the right eyeball; the subject's left is where x is positive."""
    if "eyes" not in spans:
        return np.arange(len(neutral)), np.arange(len(neutral))
    both = place[list(spans["eyes"])]
    return both[neutral[both, 0] > 0], both[neutral[both, 0] <= 0]


def _parts(
    spans: Mapping[str, range], place: NDArray[Any], neutral: NDArray[Any], faces: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    of_vertex = np.empty(len(neutral), object)
    for part, span in spans.items():
        of_vertex[place[list(span)]] = part
    if "eyes" in spans:
        left, right = _eyes(spans, place, neutral)
        of_vertex[left], of_vertex[right] = "eye_left", "eye_right"
    first = of_vertex[faces[:, 0]]
    return {f"parts.{part}": np.flatnonzero(first == part).astype(np.int32) for part in dict.fromkeys(of_vertex)}

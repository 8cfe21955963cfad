"""ICT-FaceKit: an openly licensed head whose expressions are named, so that action units can be written down for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from faceforge.aus import checked, unsided
from faceforge.errors import BadHead
from faceforge.face3d.head import HeadMesh, HeadParams
from faceforge.face3d.headfile import read_head, sources, write_head
from faceforge.face3d.ict_files import INDEX, LAYOUT, NEUTRAL, Layout, read_ict
from faceforge.face3d.linear import LinearHead, checked_head

KIND = "ict"
LICENCE = "MIT (ICT-FaceKit)"
FULL = 5.0  # the FACS intensity at which a shape is at its full weight
_JAW_OPEN = 0.50  # radians of a jaw's x rotation at which the shape jawOpen is at its full weight

# Shapes without their side; one that has sides in the model is applied to the side that a code names.
FACS: dict[str, dict[str, float]] = {
    "AU1": {"browInnerUp": 1.0},
    "AU2": {"browOuterUp": 1.0},
    "AU4": {"browDown": 1.0},
    "AU5": {"eyeWide": 1.0},
    "AU6": {"cheekSquint": 1.0},
    "AU7": {"eyeSquint": 1.0},
    "AU9": {"noseSneer": 1.0},
    "AU10": {"mouthShrugUpper": 1.0},
    "AU12": {"mouthSmile": 1.0},
    "AU14": {"mouthDimple": 1.0},
    "AU15": {"mouthFrown": 1.0},
    "AU16": {"mouthLowerDown": 1.0},
    "AU17": {"mouthShrugLower": 1.0},
    "AU18": {"mouthPucker": 1.0},
    "AU20": {"mouthStretch": 1.0},
    "AU22": {"mouthFunnel": 1.0},
    "AU23": {"mouthPress": 0.5, "mouthPucker": 0.3},
    "AU24": {"mouthPress": 1.0},
    "AU25": {"mouthLowerDown": 0.6, "mouthUpperUp": 0.2},
    "AU26": {"jawOpen": 0.35},
    "AU27": {"jawOpen": 1.0},
    "AU28": {"mouthRollLower": 1.0, "mouthRollUpper": 1.0},
    "AU33": {"cheekPuff": 1.0},
    "AU43": {"eyeBlink": 1.0},
    "AU45": {"eyeBlink": 1.0},
}


@dataclass(kw_only=True, eq=False)
class IctHead(LinearHead):
    """ICT-FaceKit. It has no joints: the jaw opens by a shape, the eyeballs turn, and everything else turns as one."""

    landmark_vertices: Tensor | None = None  # (68,)

    def __call__(self, params: HeadParams) -> HeadMesh:
        """The posed heads; of the jaw only the opening, its x rotation, has a shape."""
        if params.jaw is None or "jawOpen" not in self.expression_names:
            return super().__call__(params)
        given = self._checked(params)
        assert given.jaw is not None
        width = len(self.expression)
        weights = given.jaw.new_zeros(1, width) if given.expression is None else given.expression
        weights = torch.nn.functional.pad(weights, (0, width - weights.shape[1]))
        opening = torch.zeros_like(weights[:1])
        opening[0, self.expression_names.index("jawOpen")] = 1 / _JAW_OPEN
        weights = weights + given.jaw[:, :1] * opening
        return super().__call__(replace(given, expression=weights, jaw=None))

    def from_aus(self, aus: Mapping[str, float]) -> HeadParams:
        """Weights of the shapes that each action unit stands for; half of a midline shape is either of its sides."""
        weights = self.template.new_zeros(1, len(self.expression))
        missing = []
        for code, intensity in checked(aus).items():
            shapes = self._shapes(code)
            if not shapes:
                missing += [code] if intensity else []
            for index, amount in shapes.items():
                weights[0, index] += amount * intensity / FULL
        if missing:
            raise BadHead(
                f"This ICT-FaceKit has no shapes for {', '.join(missing)}. Convert all of it, or leave it out."
            )
        return HeadParams(expression=weights)

    def landmarks68(self, mesh: HeadMesh) -> Tensor:
        """The iBUG landmarks (B, 68, 3); all of them, the jaw contour too, are fixed vertices."""
        if self.landmark_vertices is None:
            raise BadHead(
                "This ICT-FaceKit has no landmarks: its index file or its parts lack them. Convert all of it."
            )
        return mesh.vertices[:, self.landmark_vertices]

    def _shapes(self, code: str) -> dict[int, float]:
        """Amounts by index of shape; none if one of them is not in the model."""
        sides = [code[-1]] if code != unsided(code) else ["L", "R"]
        found = {}
        for shape, amount in FACS.get(unsided(code), {}).items():
            sided = {f"{shape}_{side}": amount for side in sides}
            named = {shape: amount * len(sides) / 2} if shape in self.expression_names else sided
            if not set(named) <= set(self.expression_names):
                return {}
            found.update({self.expression_names.index(name): each for name, each in named.items()})
        return found


def load_ict(path: str | Path, *, layout: Layout = LAYOUT) -> IctHead:
    """ICT-FaceKit from a converted .safetensors file, or from its folder of meshes."""
    if Path(path).is_dir():
        tensors, names = read_ict(path, layout=layout)
        return _head(tensors, {"expressions": names}, str(path))
    return _head(*read_head(path, KIND), str(path))


def convert_ict(
    folder: str | Path,
    output: str | Path,
    licence_note: str = LICENCE,
    *,
    parts: Collection[str] = (),
    layout: Layout = LAYOUT,
) -> IctHead:
    """Write one .safetensors file, and a .json about it, from the folder; all parts, or only those named."""
    tensors, names = read_ict(folder, parts, layout)
    home = next(path for path in (Path(folder), Path(folder) / "FaceXModel") if (path / NEUTRAL).is_file())
    facts = {
        "sources": sources([home / NEUTRAL, home / INDEX]),
        "licence_note": licence_note.strip() or LICENCE,
        "counts": {name: len(tensors[key]) for name, key in _COUNTED.items()},
        "expressions": names,
    }
    head = _head(tensors, facts, str(output))
    write_head(output, KIND, tensors, facts)
    return head


_COUNTED = {"vertices": "template", "faces": "faces", "identity": "identity", "expression": "expression"}


def _head(tensors: Mapping[str, Tensor], facts: Mapping[str, Any], where: str) -> IctHead:
    try:
        return _assembled(tensors, facts, where)
    except (KeyError, RuntimeError, IndexError, TypeError, ValueError) as reason:
        raise BadHead(f"{where!r} is no complete ICT-FaceKit ({reason}). Convert its folder again.") from reason


def _assembled(tensors: Mapping[str, Tensor], facts: Mapping[str, Any], where: str) -> IctHead:
    template = tensors["template"].float()
    count, names = len(template), tuple(facts["expressions"])
    members = [tensors[f"joint.{joint}"].long() for joint in range(5)]
    regressor, weights = template.new_zeros(5, count), template.new_zeros(count, 5)
    weights[:, 1] = 1
    for joint, vertices in enumerate(members):
        regressor[joint, vertices] = 1 / max(len(vertices), 1)
    for joint, part in ((3, "parts.eye_left"), (4, "parts.eye_right")):
        if part in tensors:
            weights[members[joint]] = torch.eye(5)[joint]
    expression = tensors["expression"].float()
    lids = [expression[names.index(f"eyeBlink_{side}")] for side in "LR" if f"eyeBlink_{side}" in names]
    head = IctHead(
        template=template,
        identity=tensors["identity"].float(),
        expression=expression,
        correctives=None,
        regressor=regressor,
        weights=weights,
        faces=tensors["faces"].long(),
        uv=tensors["uv"].float(),
        uv_faces=tensors["uv_faces"].long(),
        parts={name.removeprefix("parts."): each.long() for name, each in tensors.items() if name.startswith("parts.")},
        identity_names=tuple(f"identity{number:03}" for number in range(len(tensors["identity"]))),
        expression_names=names,
        eyelids=torch.stack(lids) if len(lids) == 2 else None,
        landmark_vertices=tensors["landmarks"].long() if "landmarks" in tensors else None,
        facts=facts,
    )
    points = head.landmark_vertices
    if points is not None and (points.shape != (68,) or not 0 <= int(points.min()) <= int(points.max()) < count):
        raise BadHead(f"{where!r}: landmarks are not 68 of the {count} vertices. Convert its folder again.")
    checked_head(head, where)
    return head

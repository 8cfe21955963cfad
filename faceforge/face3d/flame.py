"""FLAME, for those who have it: loaded from its published files or from a converted one, and converted once for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from faceforge.errors import BadHead
from faceforge.face3d.au_table import AuTable, applied, au_table
from faceforge.face3d.flame_files import GUIDE, read_flame
from faceforge.face3d.head import HeadMesh, HeadParams
from faceforge.face3d.headfile import read_head, sources, write_head
from faceforge.face3d.landmarks import Landmarks, Points
from faceforge.face3d.linear import LinearHead, checked_head

KIND = "flame"
FULL = 5.0  # the FACS intensity at which the amounts below are reached
# What FLAME has in place of action units: radians of the jaw about its x axis, and shares of a closed eyelid.
_JAW = {"AU26": 0.26, "AU27": 0.50}
_LIDS = {"AU43": 1.0, "AU45": 1.0, "AU7": 0.2, "AU5": -0.3}


@dataclass(kw_only=True, eq=False)
class FlameHead(LinearHead):
    """FLAME with its landmarks, and a table for the action units that its own coefficients do not name."""

    landmarks: Landmarks | None = None
    actions: AuTable | None = None

    def from_aus(self, aus: Mapping[str, float]) -> HeadParams:
        """Jaw for AU26 and AU27, eyelids for AU5, AU7, AU43 and AU45, and the table that the user gave for the rest."""
        given = [self.actions] if self.actions is not None else []
        tables = [*given, _built_in(lids=self.eyelids is not None)]
        expression, jaw, lids, missing = applied(tables, aus, len(self.expression))
        if missing:
            raise BadHead(
                f"This FLAME model cannot express {', '.join(missing)}: its expression coefficients have no names. "
                f"Convert it with a table of action units (a .safetensors with 'expression' and 'aus'), or leave "
                f"{'it' if len(missing) == 1 else 'them'} out."
            )
        closed = lids.to(self.template) if self.eyelids is not None else None
        return HeadParams(expression=expression.to(self.template), jaw=jaw.to(self.template), eyelids=closed)

    def landmarks68(self, mesh: HeadMesh) -> Tensor:
        """The iBUG landmarks (B, 68, 3); the jaw contour follows the view down the z axis."""
        return self._landmarks.seen(mesh, self.faces)

    def landmarks68_fixed(self, mesh: HeadMesh) -> Tensor:
        """The 68 landmarks that stay at their places on the skin, (B, 68, 3)."""
        return self._landmarks.full.on(mesh.vertices, self.faces)

    def landmarks_mediapipe(self, mesh: HeadMesh) -> Tensor:
        """The points of MediaPipe's mesh that `landmarks.mediapipe_indices` names, (B, 105, 3)."""
        if self._landmarks.mediapipe is None:
            raise BadHead("This FLAME model came without mediapipe_landmark_embedding.npz. Convert it again with it.")
        return self._landmarks.mediapipe.on(mesh.vertices, self.faces)

    @property
    def _landmarks(self) -> Landmarks:
        if self.landmarks is None:
            raise BadHead("This FLAME model came without landmark_embedding.npy. Convert it again with that file.")
        return self.landmarks


def load_flame(*files: str | Path, dtype: torch.dtype = torch.float32) -> FlameHead:
    """FLAME from one converted .safetensors file, or from a published model and the files that belong to it."""
    if not files:
        raise BadHead(f"No file of a FLAME model is given. {GUIDE}")
    if len(files) == 1 and Path(files[0]).suffix == ".safetensors":
        tensors, facts = read_head(files[0], KIND)
        return _head(tensors, facts, str(files[0]), dtype)
    tensors, codes = read_flame(files)
    return _head(tensors, {"aus": list(codes)}, str(files[0]), dtype)


def convert_flame(files: Sequence[str | Path], output: str | Path, licence_note: str) -> FlameHead:
    """Write one .safetensors file, and a .json about it, from published files; `licence_note` says what allows that."""
    tensors, codes = read_flame(files)
    if not licence_note.strip():
        raise BadHead("FLAME may be used only under its licence. Say which, as in 'FLAME 2023 Open, CC BY 4.0'.")
    small = {name: _smaller(tensor) for name, tensor in tensors.items()}
    counts = {name: len(small[key]) for name, key in _COUNTED.items()}
    facts = {
        "sources": sources([Path(file) for file in files]),
        "licence_note": licence_note.strip(),
        "counts": counts,
        "aus": list(codes),
    }
    head = _head(small, facts, str(output), torch.float32)
    write_head(output, KIND, small, facts)
    return head


_COUNTED = {"vertices": "v_template", "faces": "faces", "identity": "shape", "expression": "expression"}


def _smaller(tensor: Tensor) -> Tensor:
    return (tensor.float() if tensor.is_floating_point() else tensor.int()).contiguous()


def _head(tensors: Mapping[str, Tensor], facts: Mapping[str, Any], where: str, dtype: torch.dtype) -> FlameHead:
    try:
        head = _assembled(tensors, facts, where).to(dtype=dtype)
        checked_head(head, where)
        if head.landmarks is not None:
            head.landmarks.check(len(head.faces), where)
    except (KeyError, RuntimeError, IndexError, TypeError, ValueError) as reason:
        raise BadHead(f"{where!r} is no complete FLAME model ({reason}). Convert its sources again.") from reason
    if head.actions is not None and head.actions.expression.shape[1] > len(head.expression):
        wide, most = head.actions.expression.shape[1], len(head.expression)
        raise BadHead(f"The table of action units has {wide} coefficients, this model only {most}. Fit it again.")
    return head


def _assembled(tensors: Mapping[str, Tensor], facts: Mapping[str, Any], where: str) -> FlameHead:
    template, faces = tensors["v_template"], tensors["faces"].long()
    actions = {name.removeprefix("au."): each for name, each in tensors.items() if name.startswith("au.")}
    without = {"uv": template.new_zeros(1, 2), "uv_faces": torch.zeros_like(faces)}
    return FlameHead(
        template=template,
        identity=tensors["shape"],
        expression=tensors["expression"],
        correctives=tensors["posedirs"].reshape(-1, *template.shape),
        regressor=tensors["J_regressor"],
        weights=tensors["weights"],
        faces=faces,
        uv=tensors.get("uv", without["uv"]),
        uv_faces=tensors.get("uv_faces", without["uv_faces"]).long(),
        parts={name.removeprefix("parts."): each.long() for name, each in tensors.items() if name.startswith("parts.")},
        identity_names=tuple(f"shape_{number:03}" for number in range(len(tensors["shape"]))),
        expression_names=tuple(f"expression_{number:03}" for number in range(len(tensors["expression"]))),
        parents=tuple(tensors["parents"].tolist()),
        eyelids=tensors.get("eyelids"),
        landmarks=_landmarks(tensors) if "landmarks.inner.faces" in tensors else None,
        actions=au_table(tuple(facts["aus"]), actions, where) if actions else None,
        facts=facts,
    )


def _landmarks(tensors: Mapping[str, Tensor]) -> Landmarks:
    inner, contour, full = (_points(tensors, name) for name in ("inner", "contour", "full"))
    mediapipe = _points(tensors, "mediapipe") if "landmarks.mediapipe.faces" in tensors else None
    indices = tensors.get("landmarks.mediapipe.indices")
    return Landmarks(inner, contour, full, mediapipe, None if indices is None else indices.long())


def _points(tensors: Mapping[str, Tensor], name: str) -> Points:
    return Points(tensors[f"landmarks.{name}.faces"].long(), tensors[f"landmarks.{name}.weights"])


def _built_in(lids: bool) -> AuTable:
    units = {**_JAW, **(_LIDS if lids else {})}
    codes = tuple(unit + side for unit in units for side in "LR")
    jaw, closed = torch.zeros(len(codes), 3), torch.zeros(len(codes), 2)
    for row, code in enumerate(codes):
        unit, side = code[:-1], "LR".index(code[-1])
        jaw[row, 0] = _JAW.get(unit, 0.0) / FULL / 2  # one side of the jaw is half of it
        closed[row, side] = _LIDS.get(unit, 0.0) / FULL
    return AuTable(codes, torch.zeros(len(codes), 0), jaw, closed)

"""Heads that are a template, shapes to add to it, and joints to turn: what FLAME and ICT-FaceKit have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import torch
from torch import Tensor

from faceforge.errors import BadHead
from faceforge.face3d.head import JOINTS, HeadMesh, HeadParams
from faceforge.face3d.skinning import posed, rotations

PARENTS = (-1, 0, 1, 1, 1)
_ROW_SHAPES = {"rotation": (3,), "neck": (3,), "jaw": (3,), "eyes": (2, 3), "eyelids": (2,), "translation": (3,)}


@dataclass(kw_only=True, eq=False)
class LinearHead:
    """A head of V vertices that I identity shapes, E expression shapes and five joints deform. Metres."""

    template: Tensor  # (V, 3)
    identity: Tensor  # (I, V, 3) for one standard deviation each
    expression: Tensor  # (E, V, 3)
    correctives: Tensor | None  # (36, V, 3) for the entries of the rotations of every joint but the root
    regressor: Tensor  # (5, V) joints from vertices
    weights: Tensor  # (V, 5)
    faces: Tensor
    uv: Tensor
    uv_faces: Tensor
    parts: Mapping[str, Tensor]
    identity_names: tuple[str, ...]
    expression_names: tuple[str, ...]
    parents: tuple[int, ...] = PARENTS
    eyelids: Tensor | None = None  # (2, V, 3) closing the left and the right eye
    facts: Mapping[str, Any] = field(default_factory=dict)  # where it came from, and under which licence
    lids_turn: bool = True  # eyelids close before the head turns; published pipelines add them after it

    def __call__(self, params: HeadParams) -> HeadMesh:
        """The posed heads; a field of one row serves all of them, and missing columns are zero."""
        given = self._checked(params)
        shaped = self.template + self._sum(given.identity, self.identity) + self._sum(given.expression, self.expression)
        count = max((len(each) for each in vars(given).values() if each is not None), default=1)
        shaped = shaped.expand(count, -1, -1)
        turns = rotations(self._pose(given, count))
        rest = shaped
        if self.correctives is not None:
            unit = torch.eye(3, dtype=turns.dtype, device=turns.device)
            rest = rest + self._sum((turns[:, 1:] - unit).flatten(1), self.correctives)
        lids = self._sum(given.eyelids, self.eyelids) if self.eyelids is not None else torch.zeros_like(self.template)
        rest = rest + lids if self.lids_turn else rest
        vertices, joints = posed(rest, self.regressor @ shaped, turns, self.weights, self.parents)
        vertices = vertices if self.lids_turn else vertices + lids
        if given.translation is not None:
            vertices, joints = vertices + given.translation[:, None], joints + given.translation[:, None]
        return HeadMesh(vertices, joints, turn=turns[:, 0] @ turns[:, 1])

    def of(self, identity: Tensor) -> Self:
        """One person's head, (1, I) or (I,): its identity is in the template, so that every frame costs less."""
        coefficients = identity.reshape(-1, identity.shape[-1]) if identity.ndim else identity
        if coefficients.ndim != 2 or len(coefficients) != 1:
            raise BadHead(
                f"identity has shape {tuple(identity.shape)}, expected (1, {len(self.identity)}): one person."
            )
        checked = self._checked(HeadParams(identity=coefficients)).identity
        template = self.template + self._sum(checked, self.identity)[0]
        return replace(self, template=template, identity=self.identity[:0], identity_names=())

    def as_published(self) -> Self:
        """The same head with its eyelids added after it has turned, as the published pipelines do."""
        return replace(self, lids_turn=False)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Self:
        """The same head on another device, or with numbers of another precision."""
        return replace(self, **{each.name: _moved(getattr(self, each.name), device, dtype) for each in fields(self)})

    def _sum(self, coefficients: Tensor | None, shapes: Tensor) -> Tensor:
        """Shapes (n, V, 3) by coefficients (B, up to n), as one matrix product."""
        if coefficients is None:
            return self.template.new_zeros(1, 1, 3)
        used = shapes[: coefficients.shape[1]]
        return (coefficients @ used.flatten(1)).reshape(len(coefficients), -1, 3)

    def _pose(self, given: HeadParams, count: int) -> Tensor:
        """Axis-angles (B, 5, 3) of all joints."""
        none = self.template.new_zeros(count, 3)
        eyes = self.template.new_zeros(count, 2, 3) if given.eyes is None else given.eyes.expand(count, 2, 3)
        single = [none if each is None else each.expand(count, 3) for each in (given.rotation, given.neck, given.jaw)]
        return torch.cat([torch.stack(single, 1), eyes], 1)

    def _checked(self, params: HeadParams) -> HeadParams:
        """The parameters in the head's own precision, once their shapes and values make sense."""
        if params.eyelids is not None and self.eyelids is None:
            raise BadHead("This head has no eyelid shapes. Convert it again with l_eyelid.npy and r_eyelid.npy.")
        given = {name: value for name, value in vars(params).items() if value is not None}
        rows = {name: len(value) for name, value in given.items() if value.ndim and len(value) != 1}
        if len(set(rows.values())) > 1:
            raise BadHead(f"Parameters of different numbers of heads: {rows}. Give each one row per head, or one row.")
        for name, value in given.items():
            self._check_shape(name, value)
            if not torch.isfinite(value).all():
                where = (~torch.isfinite(value)).nonzero()[0].tolist()
                raise BadHead(f"{name}{where} is {float(value[tuple(where)])!r}. Give finite numbers.")
        return HeadParams(**{name: value.to(self.template) for name, value in given.items()})

    def _check_shape(self, name: str, value: Tensor) -> None:
        most = {"identity": len(self.identity), "expression": len(self.expression)}.get(name)
        if most is None:
            fits, expected = value.shape[1:] == _ROW_SHAPES[name], ", ".join(map(str, _ROW_SHAPES[name]))
        else:
            fits, expected = value.ndim == 2 and value.shape[1] <= most, f"up to {most}"
        if not fits or value.ndim < 2 or not len(value):
            raise BadHead(f"{name} has shape {tuple(value.shape)}, expected (B, {expected}). Cut or reshape it.")


def checked_head(head: LinearHead, where: str) -> LinearHead:
    """The same head, if its tensors fit together; `where` is for the refusals."""
    count, joints = len(head.template), len(JOINTS)
    shapes: dict[str, tuple[Tensor | None, tuple[int, ...]]] = {
        "template": (head.template, (count, 3)),
        "identity": (head.identity, (len(head.identity_names), count, 3)),
        "expression": (head.expression, (len(head.expression_names), count, 3)),
        "correctives": (head.correctives, (9 * (joints - 1), count, 3)),
        "regressor": (head.regressor, (joints, count)),
        "weights": (head.weights, (count, joints)),
        "eyelids": (head.eyelids, (2, count, 3)),
        "uv": (head.uv, (len(head.uv), 2)),
        "uv_faces": (head.uv_faces, tuple(head.faces.shape)),
    }
    for name, (tensor, shape) in shapes.items():
        if tensor is not None and tensor.shape != shape:
            raise BadHead(f"{where!r}: {name} has shape {tuple(tensor.shape)}, expected {shape}. Convert it again.")
        if tensor is not None and not torch.isfinite(tensor).all():
            raise BadHead(f"{where!r}: {name} holds NaN or infinity. Convert it again.")
    indices = {"faces": (head.faces, count), "uv_faces": (head.uv_faces, len(head.uv))}
    indices |= {f"part {name}": (part, len(head.faces)) for name, part in head.parts.items()}
    for name, (index, limit) in indices.items():
        if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < limit:
            raise BadHead(f"{where!r}: {name} has an index beyond {limit - 1}. Convert it again.")
    if (
        len(head.parents) != joints
        or head.parents[0] != -1
        or any(not 0 <= parent < joint for joint, parent in enumerate(head.parents) if joint)
    ):
        raise BadHead(f"{where!r}: joints have the parents {head.parents}, expected earlier joints. Convert it again.")
    if sum(len(part) for part in head.parts.values()) != len(head.faces):
        raise BadHead(f"{where!r}: the parts do not share out all {len(head.faces)} faces. Convert it again.")
    return head


def _moved(value: Any, device: torch.device | str | None, dtype: torch.dtype | None) -> Any:
    """A tensor, or everything in a mapping or a record of tensors, elsewhere; whole numbers stay whole."""
    if isinstance(value, Tensor):
        return value.to(device, dtype if value.is_floating_point() else None)
    if isinstance(value, Mapping):
        return {name: _moved(each, device, dtype) for name, each in value.items()}
    return value.to(device, dtype) if hasattr(value, "to") else value

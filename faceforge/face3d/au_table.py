"""A table of what each action unit does to a model without named expressions, such as one that a user has fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from faceforge.aus import checked, order, unsided
from faceforge.errors import BadHead
from faceforge.face3d.headfile import metadata
from faceforge.io.weights import read_tensors


@dataclass(frozen=True, eq=False)
class AuTable:
    """Per unit of FACS intensity, what each of A action units adds to a model's coefficients."""

    codes: tuple[str, ...]
    expression: Tensor  # (A, E)
    jaw: Tensor  # (A, 3)
    eyelids: Tensor  # (A, 2)

    def rows(self, code: str) -> list[int]:
        """The rows whose sum stands for a code; none if the table cannot express it."""
        whole, sides = unsided(code), [unsided(code) + "L", unsided(code) + "R"]
        if code in self.codes:
            return [self.codes.index(code)]
        if code == whole and all(side in self.codes for side in sides):
            return [self.codes.index(side) for side in sides]
        return []

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> AuTable:
        moved = {name: getattr(self, name).to(device, dtype) for name in ("expression", "jaw", "eyelids")}
        return AuTable(self.codes, **moved)


def read_au_table(path: str | Path) -> AuTable:
    """From a .safetensors file: `expression` (A, E), maybe `jaw` (A, 3) and `eyelids` (A, 2), and `aus` in its header.

    `aus` names the rows, as in "AU1 AU2 AU12L"; a row is what one unit of FACS intensity (0..5) adds.
    """
    named = metadata(path).get("aus", "")
    if not named:
        raise BadHead(f"{str(path)!r} does not name its rows. Save it with metadata={{'aus': 'AU1 AU2 AU12L'}}.")
    return au_table(order(named.replace(",", " ").split()), read_tensors(path), str(path))


def au_table(codes: tuple[str, ...], tensors: Mapping[str, Tensor], where: str) -> AuTable:
    """The same from tensors."""
    if len(set(codes)) < len(codes):
        raise BadHead(f"{where!r} names an action unit twice: {' '.join(codes)}. Keep one row for each.")
    if "expression" not in tensors or tensors["expression"].ndim != 2:
        raise BadHead(f"{where!r} has no tensor 'expression' of shape (A, E). Save what each action unit adds.")
    count = len(codes)
    found = {"jaw": torch.zeros(count, 3), "eyelids": torch.zeros(count, 2), **tensors}
    for name, width in (("expression", tensors["expression"].shape[1]), ("jaw", 3), ("eyelids", 2)):
        if found[name].shape != (count, width):
            raise BadHead(f"{where!r}: {name} has shape {tuple(found[name].shape)}, expected {(count, width)}.")
        if not torch.isfinite(found[name]).all():
            raise BadHead(f"{where!r}: {name} holds NaN or infinity. Fit it again.")
    return AuTable(codes, *(found[name].float() for name in ("expression", "jaw", "eyelids")))


def applied(tables: list[AuTable], aus: Mapping[str, float], width: int) -> tuple[Tensor, Tensor, Tensor, list[str]]:
    """Expression (1, width), jaw (1, 3) and eyelids (1, 2) for some AUs, and the codes that no table can express.

    The first table that knows a code speaks for it.
    """
    expression, jaw, eyelids = torch.zeros(1, width), torch.zeros(1, 3), torch.zeros(1, 2)
    missing = []
    for code, intensity in checked(aus).items():
        table = next((each for each in tables if each.rows(code)), None)
        if table is None:
            missing += [code] if intensity else []
            continue
        rows = table.rows(code)
        expression[0, : table.expression.shape[1]] += intensity * table.expression[rows].sum(0).to(expression)
        jaw += intensity * table.jaw[rows].sum(0).to(jaw)
        eyelids += intensity * table.eyelids[rows].sum(0).to(eyelids)
    return expression, jaw, eyelids, missing

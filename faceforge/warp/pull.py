"""A point of a face pulled elsewhere in the picture, as the action units that take it there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.aus import UNITS, added
from faceforge.errors import BadSpec
from faceforge.face3d.embedded.model import FULL
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.spec import EditSpec
from faceforge.warp.plate import Plate
from faceforge.warp.target import target

Point = tuple[float, float]

_REACH = 0.25  # eye distances from the face at which nobody can have meant it
_GRIP = 0.03  # how much skin is held, likewise
_MOST = 2  # units that one pull moves
_WORTH = 0.1  # of the pull: a unit that explains less is left alone
_TWINS = ("AU45",)  # moves what AU43 moves


@dataclass(frozen=True)
class _Unit:
    """What a step of one unit does: to the skin that is held (2,), and at most to any skin, in pixels."""

    code: str
    step: float
    held: Tensor
    most: float

    def amount(self, wish: Tensor) -> float:
        """How many steps come nearest to a wished shift (2,); none where the unit would have to go back."""
        return max(0.0, float(self.held @ wish / self.held.square().sum().clamp(min=1e-12)))

    def explains(self, wish: Tensor, room: float) -> float:
        """The share of a wished shift that it can explain, less where this is not the skin that it is there for."""
        left = wish - min(self.amount(wish), room) * self.held
        return float(1 - left.square().sum() / wish.square().sum()) * float(self.held.norm()) / max(self.most, 1e-6)


def pulled(plate: Plate, spec: EditSpec, start: Point, end: Point, able: Iterable[str] = UNITS) -> EditSpec:
    """The edit with the one or two action units moved that best take the skin at `start` to `end`, both in pixels.

    `able` are the units that may be moved.
    """
    skin = _Skin(plate, spec)
    held = skin.held(start)
    wish = left = torch.tensor(end) - torch.tensor(start)
    if not wish.any():
        return spec
    units, moved = list(skin.units(held, able)), dict[str, float]()
    for _ in range(min(_MOST, len({each.code for each in units}))):
        others = [each for each in units if each.code not in moved]
        best = max(others, key=lambda each: each.explains(left, skin.room(each)))
        amount = min(best.amount(left), skin.room(best))
        rest = left - amount * best.held
        if (left.square().sum() - rest.square().sum()) < _WORTH * wish.square().sum():
            break
        moved[best.code], left = round(amount * best.step, 2), rest
    return spec.with_(aus=added(spec.aus, moved))


class _Skin:
    """The face as an edit shows it, and what each unit would do to it."""

    def __init__(self, plate: Plate, spec: EditSpec) -> None:
        self.plate, self.spec = plate, spec
        self.target = target(plate.fit, spec, plate.head)
        posed = plate.posed(self.target.params)
        self.points = posed.points[:, :2]
        left, right = (self.points[first_vertices()[f"eye_{side}"]] for side in ("left", "right"))
        self.eyes = float((left - right).norm())
        self.shown = torch.zeros(len(self.points), dtype=torch.bool)
        self.shown[plate.head.faces[plate.skin].flatten()] = True
        self.shown &= posed.normals[:, 2] > 0

    def held(self, start: Point) -> Tensor:
        """How much of each vertex (V,) is held at a place, summing to 1."""
        apart = (self.points - torch.tensor(start)).norm(dim=1)
        apart[~self.shown] = torch.inf
        if apart.min() > _REACH * self.eyes:
            raise BadSpec(
                f"There is no face at ({start[0]:.0f}, {start[1]:.0f}) to pull. Grab a brow, a lid, the nose, a corner "
                f"of the mouth, a lip or the chin."
            )
        grip = torch.exp(-0.5 * ((apart - apart.min()) / (_GRIP * self.eyes)).square())
        return grip / grip.sum()

    def units(self, held: Tensor, able: Iterable[str]) -> Iterator[_Unit]:
        """Each unit upwards and downwards, where the face has room for it."""
        for code in able:
            for step in (1.0, -1.0):
                if code in _TWINS or self._room(code, step) <= 0:
                    continue
                wanted = target(
                    self.plate.fit, self.spec.with_(aus=added(self.spec.aus, {code: step})), self.plate.head
                )
                shift = self.plate.posed(wanted.params).points[:, :2] - self.points
                yield _Unit(code, step, held @ shift, float(shift[self.shown].norm(dim=1).max()))

    def room(self, unit: _Unit) -> float:
        """How many steps of a unit the face has left."""
        return self._room(unit.code, unit.step)

    def _room(self, code: str, step: float) -> float:
        shown = max(self.target.aus.get(code + side, 0.0) for side in "LR")
        return FULL - shown if step > 0 else shown

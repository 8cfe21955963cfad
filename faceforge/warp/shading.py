"""How the light on a face changes with its form: shading after over shading before, wrinkles included."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain

import torch
from torch import Tensor

from faceforge.face3d.embedded.model import FULL, EmbeddedHead
from faceforge.face3d.embedded.parts import SKIN_WIDTH
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.face3d.mesh import smoothed
from faceforge.synth.atlas import atlas
from faceforge.synth.pixels import textured
from faceforge.synth.wrinkles import FOLDS
from faceforge.warp.anatomy import INNER, bare, vertices_of
from faceforge.warp.plate import Plate
from faceforge.warp.posed import Posed, Seen, level
from faceforge.warp.target import Target, by_side

_TEXELS = 512
_DEEPEST = 0.085  # centimetres of a wrinkle at full depth
_DARKENING = 0.26  # of a full wrinkle's albedo
_RANGE = (0.4, 2.2)
_SOFTENED = 6  # times


@dataclass(frozen=True)
class Surface:
    """A posed head as light meets it: V vertices, and the wrinkles of N grid points."""

    level: Tensor  # (V, 3) what the photograph's light makes of them
    relit: Tensor  # (V, 3) the wanted light over it, 1 where it is the same
    formed: Tensor  # (V, 1) 1 where form is shaded, 0 in eyes and in the mouth
    folded: Tensor | None  # (N, 3) light on folded skin over that on smooth skin; None where no fold changes

    def only(self, chosen: Tensor) -> "Surface":
        """With some of the grid points, by a mask (N,)."""
        return self if self.folded is None else replace(self, folded=self.folded[chosen])

    def ratio(self, seen: Seen, before: Tensor) -> Tensor:
        """Light now over what the photograph's made of vertices before (V, 3), (N, 3)."""
        form = torch.where(self.formed > 0.5, self.level / before, 1.0)
        ratio = seen.mixed(1 + (self.relit * form - 1) * bare())  # nobody knows the form of clothes
        return (ratio if self.folded is None else ratio * self.folded).clamp(*_RANGE)


def surface(plate: Plate, seen: Seen, posed: Posed, target: Target) -> Surface:
    """What the grid shows of a posed head, as light meets it; nothing differs where nothing changes."""
    depth = wrinkles(plate, seen, target)
    return Surface(
        level=level(posed.normals, plate.fit.light),
        relit=_relit(plate, posed, target),
        formed=_formed(),
        folded=None if depth is None else _folded(plate, seen, posed, depth),
    )


def _relit(plate: Plate, posed: Posed, target: Target) -> Tensor:
    """A wanted light over the photograph's, (V, 3), on a softened form: a fitted nose is not quite this nose."""
    if target.light is plate.fit.light:
        return torch.ones_like(posed.normals)
    soft = smoothed(posed.normals, plate.head.faces, _SOFTENED)
    return level(soft, target.light) / level(soft, plate.fit.light)


def _folded(plate: Plate, seen: Seen, posed: Posed, depth: Tensor) -> Tensor:
    """Light on skin folded so deep (N,) over that on the same skin when it is smooth, (N, 3)."""
    found = torch.ones(len(depth), 3)
    slopes = _slopes(plate, seen, depth)
    on_skin = seen.mixed(_formed())[:, 0] > 0.5
    there = (on_skin & ((depth != 0) | (slopes != 0).any(1))).nonzero().squeeze(1)
    smooth = seen.only(there).mixed(posed.normals)
    tilted = level(smooth - slopes[there], plate.fit.light) / level(smooth, plate.fit.light)
    found[there] = tilted * (1 - _DARKENING * depth[there, None].clamp(-1.2, 1.2))
    return found


@cache
def _formed() -> Tensor:
    formed = torch.ones(EmbeddedHead().vertex_count, 1)
    for part in first_vertices():
        if part.startswith(tuple(chain.from_iterable(INNER.values()))):
            formed[vertices_of(part)] = 0
    return formed


def brightened(colours: Tensor, ratio: Tensor) -> Tensor:
    """Display values in 0..1 under so much more light: darker in proportion, brighter without ever burning out."""
    return 1 - (1 - (colours * ratio.clamp(max=1)).clamp(0, 1)) ** ratio.clamp(min=1)


def wrinkles(plate: Plate, seen: Seen, target: Target) -> Tensor | None:
    """How much deeper each grid point is folded than in the photograph, (N,); None if no unit that folds changes."""
    used = refolded(plate.fit.aus, target.aus)
    if not used:
        return None
    sheet = torch.stack([value * folds(plate.picture.device)[code] for code, value in used.items()]).sum(0)
    uv = seen.mixed(plate.head.uv.float())
    picture = torch.zeros(len(uv), dtype=torch.int64)
    share = uv[:, 0] / SKIN_WIDTH
    depth = textured(sheet[None, None], picture, torch.stack([share.clamp(0, 1), 1 - uv[:, 1]], 1))[:, 0]
    return depth * (share <= 1)


def refolded(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """How much deeper the units fold the skin that do so, of one, and that changed."""
    before = by_side(before)
    step = {code: _mean(after, code) - _mean(before, code) for code in FOLDS}
    return {code: value for code, value in step.items() if abs(value) > 1e-6}


@cache
def folds(device: torch.device) -> Mapping[str, Tensor]:
    """The wrinkles of every unit that folds the skin, (h, w) each."""
    place = atlas(_TEXELS, device)
    return {code: fold(place) for code, fold in FOLDS.items()}


def _mean(aus: Mapping[str, float], code: str) -> float:
    return (aus.get(code + "L", 0.0) + aus.get(code + "R", 0.0)) / 2 / FULL


def _slopes(plate: Plate, seen: Seen, depth: Tensor) -> Tensor:
    """By how much folds (N,) tilt normals, (N, 3), read between neighbouring grid points."""
    field, mask = seen.spread(-_DEEPEST * depth), seen.spread(torch.ones_like(depth))
    across, down = torch.zeros_like(field), torch.zeros_like(field)
    across[:, 1:-1] = (field[:, 2:] - field[:, :-2]) * mask[:, 2:] * mask[:, :-2]
    down[1:-1] = (field[2:] - field[:-2]) * mask[2:] * mask[:-2]
    x, y = (each.reshape(-1)[seen.flat] * plate.points_per_cm / 2 for each in (across, -down))
    return torch.stack([x, y, torch.zeros_like(x)], 1).clamp(-0.8, 0.8)

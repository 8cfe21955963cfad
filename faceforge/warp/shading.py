"""How the light on a face changes with its form: shading after over shading before, wrinkles included."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import normalize

from faceforge.face3d import light as lights
from faceforge.face3d.embedded.model import FULL
from faceforge.face3d.embedded.parts import SKIN_WIDTH
from faceforge.face3d.mesh import smoothed
from faceforge.synth.atlas import atlas
from faceforge.synth.pixels import textured
from faceforge.synth.wrinkles import FOLDS
from faceforge.warp.anatomy import bare
from faceforge.warp.plate import Plate, Posed, Seen
from faceforge.warp.target import Target, by_side

_TEXELS = 512
_DARKEST, _DEEPEST = 0.05, 0.085  # shading below this is noise; centimetres of a wrinkle at full depth
_DARKENING = 0.26  # of a full wrinkle's albedo
_RANGE = (0.4, 2.2)
_SOFTENED = 6  # times


@dataclass(frozen=True)
class Surface:
    """A posed head at N grid points, as light meets it."""

    normals: Tensor  # (N, 3)
    light: Tensor  # (1, 9, 3) the photograph's
    relit: Tensor  # (N, 3) the wanted light over it, 1 where it is the same
    darker: Tensor  # (N, 1) in 0..1, by wrinkles
    formed: Tensor  # (N, 1) 1 where form is shaded, 0 in eyes and in the mouth
    bare: Tensor  # (N, 1) 1 on skin, 0 on clothes, whose form nobody knows

    def only(self, chosen: Tensor) -> "Surface":
        """Some of the points, by a mask (N,)."""
        parts = (self.relit, self.darker, self.formed, self.bare)
        return Surface(self.normals[chosen], self.light, *(each[chosen] for each in parts))

    def ratio(self, seen: Seen, normals: Tensor) -> Tensor:
        """Light now over what fell on vertices with normals (V, 3) in the photograph, (N, 3)."""
        form = _level(self.normals, self.light) / _level(seen.mixed(normals), self.light) * self.darker
        ratio = self.relit * torch.where(self.formed > 0.5, form, 1.0)
        return (1 + (ratio - 1) * self.bare).clamp(*_RANGE)


def surface(plate: Plate, seen: Seen, posed: Posed, target: Target) -> Surface:
    """What the grid shows of a posed head, as light meets it; nothing differs where nothing changes."""
    normals, inner = seen.mixed(posed.normals), plate.inner["eye"] | plate.inner["mouth"]
    depth = wrinkles(plate, seen, target)
    darker = torch.ones(len(normals), 1)
    if depth is not None:
        normals = _tilted(plate, seen, normals, depth)
        darker = (1 - _DARKENING * depth.clamp(-1.2, 1.2))[:, None]
    return Surface(
        normals=normals,
        light=plate.fit.light,
        relit=_relit(plate, seen, posed, target),
        darker=darker,
        formed=(~inner[seen.face]).float()[:, None],
        bare=seen.mixed(bare()),
    )


def _relit(plate: Plate, seen: Seen, posed: Posed, target: Target) -> Tensor:
    """A wanted light over the photograph's, (N, 3), on a softened form: a fitted nose is not quite this nose."""
    if target.light is plate.fit.light:
        return torch.ones(len(seen.flat), 3)
    soft = seen.mixed(smoothed(posed.normals, plate.head.faces, _SOFTENED))
    return _level(soft, target.light) / _level(soft, plate.fit.light)


def brightened(colours: Tensor, ratio: Tensor) -> Tensor:
    """Display values in 0..1 under so much more light: darker in proportion, brighter without ever burning out."""
    return torch.where(ratio <= 1, colours * ratio, 1 - (1 - colours.clamp(0, 1)) ** ratio)


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


def _level(normals: Tensor, light: Tensor) -> Tensor:
    return lights.shade(normalize(normals, dim=1)[None], light.float())[0].clamp(min=_DARKEST)


def _tilted(plate: Plate, seen: Seen, normals: Tensor, depth: Tensor) -> Tensor:
    """Normals tilted by the slopes of folded skin, read between neighbouring grid points."""
    rows, columns = seen.grid
    relief, there = torch.zeros(rows * columns), torch.zeros(rows * columns)
    relief[seen.flat], there[seen.flat] = -_DEEPEST * depth, 1.0
    field, mask = relief.view(rows, columns), there.view(rows, columns)
    per_cm = plate.points_per_cm / 2
    across, down = torch.zeros_like(field), torch.zeros_like(field)
    across[:, 1:-1] = (field[:, 2:] - field[:, :-2]) * mask[:, 2:] * mask[:, :-2]
    down[1:-1] = (field[2:] - field[:-2]) * mask[2:] * mask[:-2]
    x, y = (each.reshape(-1)[seen.flat] * per_cm for each in (across, -down))
    return normals - torch.stack([x, y, torch.zeros_like(x)], 1).clamp(-0.8, 0.8)

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
from faceforge.synth.atlas import atlas
from faceforge.synth.pixels import textured
from faceforge.synth.skin import FOLDS
from faceforge.warp.plate import Plate, Posed, Seen
from faceforge.warp.target import Target, by_side

_TEXELS = 512
_DARKEST, _DEEPEST = 0.05, 0.085  # shading below this is noise; centimetres of a wrinkle at full depth
_DARKENING = 0.26  # of a full wrinkle's albedo
_RANGE = (0.45, 2.2)


@dataclass(frozen=True)
class Surface:
    """A posed head at N grid points, as light meets it."""

    formed: Tensor  # (N, 1) bool: skin; eyes and the mouth's inside take only the light's own change
    normals: Tensor  # (N, 3)
    light: Tensor  # (N, 3) that falls on them now
    before: Tensor  # (1, 9, 3) the photograph's light
    darker: Tensor  # (N, 1) in 0..1, by wrinkles

    def only(self, chosen: Tensor) -> "Surface":
        """Some of the points, by a mask (N,)."""
        parts = (self.formed[chosen], self.normals[chosen], self.light[chosen])
        return Surface(*parts, self.before, self.darker[chosen])

    def ratio(self, seen: Seen, normals: Tensor) -> Tensor:
        """Light now over what fell on vertices with normals (V, 3) in the photograph, (N, 3)."""
        before = torch.where(self.formed, seen.mixed(normals), self.normals)
        return (self.light / _level(before, self.before) * self.darker).clamp(*_RANGE)


def surface(plate: Plate, seen: Seen, posed: Posed, target: Target) -> Surface:
    """What the grid shows of a posed head, as light meets it; nothing differs where nothing changes."""
    normals = seen.mixed(posed.normals)
    depth = wrinkles(plate, seen, target)
    darker = torch.ones(len(normals), 1)
    if depth is not None:
        normals = _tilted(plate, seen, normals, depth)
        darker = (1 - _DARKENING * depth.clamp(-1.2, 1.2))[:, None]
    return Surface(~plate.inner[seen.face][:, None], normals, _level(normals, target.light), plate.fit.light, darker)


def brightened(colours: Tensor, ratio: Tensor) -> Tensor:
    """Display values in 0..1 under so much more light: darker in proportion, brighter without ever burning out."""
    return torch.where(ratio <= 1, colours * ratio, 1 - (1 - colours.clamp(0, 1)) ** ratio)


def wrinkles(plate: Plate, seen: Seen, target: Target) -> Tensor | None:
    """How much deeper each grid point is folded than in the photograph, (N,); None if no unit that folds changes."""
    before = by_side(plate.fit.aus)
    step = {code: _mean(target.aus, code) - _mean(before, code) for code in FOLDS}
    used = {code: value for code, value in step.items() if abs(value) > 1e-6}
    if not used:
        return None
    sheet = torch.stack([value * folds(plate.picture.device)[code] for code, value in used.items()]).sum(0)
    uv = seen.mixed(plate.head.uv.float())
    picture = torch.zeros(len(uv), dtype=torch.int64)
    share = uv[:, 0] / SKIN_WIDTH
    depth = textured(sheet[None, None], picture, torch.stack([share.clamp(0, 1), 1 - uv[:, 1]], 1))[:, 0]
    return depth * (share <= 1)


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
    rows, columns = plate.window.grid
    relief, there = torch.zeros(rows * columns), torch.zeros(rows * columns)
    relief[seen.flat], there[seen.flat] = -_DEEPEST * depth, 1.0
    field, mask = relief.view(rows, columns), there.view(rows, columns)
    per_cm = plate.pixels_per_cm / plate.window.step / 2
    across, down = torch.zeros_like(field), torch.zeros_like(field)
    across[:, 1:-1] = (field[:, 2:] - field[:, :-2]) * mask[:, 2:] * mask[:, :-2]
    down[1:-1] = (field[2:] - field[:-2]) * mask[2:] * mask[:-2]
    x, y = (each.reshape(-1)[seen.flat] * per_cm for each in (across, -down))
    return normals - torch.stack([x, y, torch.zeros_like(x)], 1).clamp(-0.8, 0.8)

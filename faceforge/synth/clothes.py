"""What people wear: cloth painted on the shoulders, one cut each."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.synth.noise import grid_noise
from faceforge.synth.skin import Canvas

# Where the rings of the shoulders lie: share of the way from neck to arm, height.
_RINGS = ((0.0, -11.4), (0.04, -12.2), (0.14, -13.0), (0.34, -13.9), (0.60, -14.9), (0.84, -16.1), (0.97, -18.0),
          (1.0, -21.5), (1.0, -32.0))  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where on the shoulders texels lie: centimetres to the side and up, 1 in front, share of the way out."""

    x: Tensor
    y: Tensor
    front: Tensor
    out: Tensor
    soft: float  # centimetres of a texel

    @classmethod
    def at(cls, u: Tensor, v: Tensor) -> "Place":
        """Texture coordinates of the shoulders' tile, u around from behind and v up to the neck."""
        turn, ring = (u - 0.5) * 2 * torch.pi, (1 - v) * (len(_RINGS) - 1)
        table = u.new_tensor(_RINGS)
        low = ring.floor().long().clamp(max=len(_RINGS) - 2)
        wide, high = (table[low] + (table[low + 1] - table[low]) * (ring - low)[..., None]).unbind(-1)
        return cls(
            (6.15 + 14 * wide) * torch.sin(turn), high, smoothstep(-0.05, 0.15, torch.cos(turn)), 1 - v, 48 / u.shape[1]
        )


@dataclass(frozen=True)
class Colours:
    """One person's colours, each (3, 1, 1), and a number that chooses details."""

    skin: Tensor
    main: Tensor
    trim: Tensor
    detail: int

    @property
    def pale(self) -> Tensor:
        return 0.35 + 0.5 * self.trim


def shoulders(canvas: Canvas, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Each garment by its own cut, with folds and weave."""
    size = (u.shape[0], u.shape[1])
    folds, weave = grid_noise(canvas.seed + 37, size, 5, 2), grid_noise(canvas.seed + 38, size, 60, 1)
    place = Place.at(u, v)
    skin, main, trim = (canvas.colour(name) for name in ("skin", "clothes", "collar"))
    cloth = [
        GARMENTS[person.garment](Colours(skin[each], main[each], trim[each], person.noise % 15), place)
        for each, person in enumerate(canvas.people)
    ]
    return torch.stack(cloth) * (0.80 + 0.30 * folds + 0.10 * weave)[:, None], torch.full_like(folds, 0.10)


def _from(edge: float, inside: Tensor, p: Place) -> Tensor:
    """0 before an edge and 1 after it, as sharp as texels allow."""
    return smoothstep(edge - p.soft, edge + p.soft, inside)


def _over(cloth: Tensor, colour: Tensor, cover: Tensor) -> Tensor:
    return cloth + (colour - cloth) * cover


def _plain(c: Colours, p: Place) -> Tensor:
    """The main colour; of some people striped or chequered."""
    stripes = smoothstep(-0.15, 0.15, torch.sin(p.y * 4.0 + 0.03 * p.x * p.x))
    chequers = 0.35 * smoothstep(-0.1, 0.1, torch.sin(p.x * 2.6)) + 0.35 * stripes
    pattern = stripes if c.detail % 5 == 0 else chequers if c.detail % 5 == 1 else 0 * stripes
    return _over(c.main.expand(3, *p.x.shape), c.trim, pattern)


def _open_neck(p: Place, deep: float, wide: float) -> Tensor:
    """How far inside a V (centimetres) that reaches down from the throat to a depth."""
    return (wide * (1 - (-11.0 - p.y) / deep) - p.x.abs()) * p.front - 9 * (1 - p.front)


def _crew(c: Colours, p: Place) -> Tensor:
    return _over(_plain(c, p), c.trim, smoothstep(0.155, 0.135, p.out))


def _vneck(c: Colours, p: Place) -> Tensor:
    inside = _open_neck(p, 6.0, 4.6)
    cloth = _over(_plain(c, p), c.trim, _from(-0.7, inside, p) * (c.detail % 2))
    return _over(cloth, c.skin, _from(0.0, inside, p))


def _shirt(c: Colours, p: Place) -> Tensor:
    base = c.pale if c.detail % 3 else c.main
    stripes = 0.35 * smoothstep(0.3, 0.6, torch.sin(p.x * 2.8)) * (c.detail % 4 == 1)
    cloth = _over(base.expand(3, *p.x.shape), c.trim, stripes)
    seam = smoothstep(2 * p.soft, 0.0, (p.x - 1.1).abs()) * p.front
    button = smoothstep(0.5, 0.1, (p.x.square() + (torch.remainder(p.y, 2.6) - 1.3).square()).sqrt()) * p.front
    cloth = _over(cloth * (1 - 0.35 * seam), 0.25 * c.trim, button)
    return _over(cloth, c.skin, _from(0.0, _open_neck(p, 3.6, 3.0), p))


def _jacket(c: Colours, p: Place) -> Tensor:
    dark = 0.45 * c.main
    inside, lapel = _open_neck(p, 17.0, 6.0), _open_neck(p, 15.0, 9.5)
    cloth = dark * (1 - 0.5 * smoothstep(2 * p.soft, 0.0, lapel.abs()))
    cloth = _over(cloth, 1.2 * dark, _from(0.0, lapel, p))
    tie = _from(0.0, 0.75 + 0.10 * (-12.0 - p.y) - p.x.abs(), p) * (c.detail % 3 == 0) * p.front
    shirt = _over(_shirt(c, p), 0.6 * c.trim, tie * smoothstep(-11.6, -12.0, p.y))
    return _over(cloth, shirt, _from(0.0, inside, p))


def _hoodie(c: Colours, p: Place) -> Tensor:
    strings = _from(0.0, 0.25 - (p.x.abs() - 2.1).abs(), p) * smoothstep(-21.0, -20.5, p.y) * p.front
    return _over(c.main.expand(3, *p.x.shape), 0.4 + 0.5 * c.trim, strings)


def _knitted(c: Colours, p: Place) -> Tensor:
    return c.main * (0.9 + 0.14 * torch.sin(p.x * 2.2))


GARMENTS: dict[str, Callable[[Colours, Place], Tensor]] = {
    "crew": _crew, "vneck": _vneck, "shirt": _shirt, "jacket": _jacket, "hoodie": _hoodie, "turtleneck": _knitted,
    "scarf": _crew,
}  # fmt: skip

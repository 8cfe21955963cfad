"""The atlas's tiles beside the skin: eyes, lids' margins, the inside of the mouth, teeth, ears, clothes."""

from collections.abc import Callable

import torch
from torch import Tensor

from faceforge.face3d.embedded import parts
from faceforge.face3d.embedded.curves import band, smoothstep
from faceforge.synth.clothes import shoulders
from faceforge.synth.noise import grid_noise
from faceforge.synth.skin import Canvas

_EYE_SPAN = 3.8  # radians of the eye's tile, as its texture coordinates are laid out


def eyes(canvas: Canvas, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Sclera with its veins, iris with fibres and a dark limbus, pupil."""
    x, y = (u - 0.5) * _EYE_SPAN, (v - 0.5) * _EYE_SPAN
    far, turn = (x.square() + y.square()).sqrt(), torch.atan2(y, x)
    noise = grid_noise(canvas.seed + 31, tuple(u.shape), 20, 2)  # type: ignore[arg-type]
    fibres = 0.5 + 0.25 * torch.sin(turn * 23 + 9 * noise) + 0.25 * torch.sin(turn * 41 - 14 * noise)
    white = _rgb(u, 0.52, 0.47, 0.43) * (1 - 0.40 * smoothstep(0.6, 1.25, far))
    veins = smoothstep(0.62, 0.74, noise) * smoothstep(0.6, 1.1, far)
    white = white - veins[:, None] * _rgb(u, 0.06, 0.16, 0.15)
    collar = 1 + 0.9 * band(far, 0.24, 0.07)
    iris = canvas.colour("iris") * ((0.55 + 0.9 * fibres) * collar)[:, None]
    iris = iris * (1 - 0.75 * smoothstep(0.38, 0.485, far))
    colour = torch.lerp(white.expand_as(iris), iris, smoothstep(0.505, 0.47, far)[None, None].expand_as(iris))
    return colour * smoothstep(0.155, 0.185, far) + 0.004, torch.full_like(noise, 2.5)


def rims(canvas: Canvas, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Wet pink margins, darker at the lashes."""
    skin = canvas.colour("skin")
    pink = skin * _rgb(u, 0.92, 0.62, 0.58) * (0.65 + 0.35 * v)
    return pink.expand(-1, -1, *u.shape), torch.full((len(skin), *u.shape), 1.4, device=u.device)


def lining(canvas: Canvas, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Lips' inside in front, darkness behind."""
    red = _rgb(u, 0.34, 0.085, 0.08) * smoothstep(0.0, 1.0, v) + 0.004
    return red.expand(len(canvas.people), -1, -1, -1), torch.full((len(canvas.people), *u.shape), 1.0, device=u.device)


def teeth(canvas: Canvas, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Enamel, the gaps between teeth, scalloped gums."""
    place = (u - 0.5).abs() * 15.0
    gap = (place - place.floor() - 0.5).abs()
    enamel = (
        _rgb(u, 0.78, 0.72, 0.60)
        * (1 - 0.45 * smoothstep(0.42, 0.5, gap))
        * (1 - 0.5 * smoothstep(0.18, 0.5, (u - 0.5).abs()))
    )
    line = 0.62 - 0.16 * (1 - (2 * gap) ** 2)
    gums = smoothstep(line - 0.03, line + 0.03, v)
    colour = torch.lerp(enamel, _rgb(u, 0.42, 0.14, 0.13), gums)
    return colour.expand(len(canvas.people), -1, -1, -1), torch.full(
        (len(canvas.people), *u.shape), 1.6, device=u.device
    )


def tongue(canvas: Canvas, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """A dusky pink with a furrow."""
    colour = _rgb(u, 0.42, 0.15, 0.14) * (0.45 + 0.55 * (1 - v)) * (1 - 0.25 * band(u, 0.5, 0.06))
    return colour.expand(len(canvas.people), -1, -1, -1), torch.full(
        (len(canvas.people), *u.shape), 1.2, device=u.device
    )


def ears(canvas: Canvas, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Thin-skinned and red at the rim, dark in the bowl and behind."""
    ring = 1 - v  # 0 in the bowl, 1 behind
    warm = 1 - smoothstep(0.3, 0.75, ring) * _rgb(u, -0.03, 0.16, 0.15)
    dark = 1 - 0.55 * smoothstep(0.30, 0.02, ring) - 0.35 * smoothstep(0.84, 0.95, ring) - 0.2 * band(ring, 0.5, 0.05)
    colour = canvas.colour("skin") * warm * dark
    return colour, torch.full((len(canvas.people), *u.shape), 0.7, device=u.device)


_Paint = Callable[[Canvas, Tensor, Tensor], tuple[Tensor, Tensor]]
_TILES: tuple[tuple[tuple[float, float, float, float], _Paint], ...] = (
    (parts.RIM, rims), (parts.LINING, lining), (parts.TEETH, teeth), (parts.TONGUE, tongue), (parts.EYE, eyes),
    (parts.EAR, ears), (parts.SHOULDERS, shoulders),
)  # fmt: skip


def assembled(canvas: Canvas) -> Tensor:
    """The whole atlas: red, green, blue, relief and gloss, (B, 5, h, w)."""
    high, wide = canvas.atlas.size
    sheet = canvas.albedo.new_zeros(len(canvas.people), 5, high, wide)
    columns = canvas.albedo.shape[-1]
    sheet[:, :3, :, :columns], sheet[:, 3, :, :columns], sheet[:, 4, :, :columns] = (
        canvas.albedo,
        canvas.relief,
        canvas.gloss,
    )
    for rectangle, paint in _TILES:
        rows, span = canvas.atlas.tile(rectangle)
        shape = (rows.stop - rows.start, span.stop - span.start)
        v, u = torch.meshgrid(
            *(
                torch.linspace(*ends, count, device=sheet.device)
                for ends, count in zip(((1, 0), (0, 1)), shape, strict=True)
            ),
            indexing="ij",
        )
        colour, gloss = paint(canvas, u, v)
        sheet[:, :3, rows, span], sheet[:, 4, rows, span] = colour, gloss
    return sheet


def _rgb(like: Tensor, red: float, green: float, blue: float) -> Tensor:
    return like.new_tensor([red, green, blue])[None, :, None, None]

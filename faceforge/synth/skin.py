"""The face's colour as a list of small layers, painted into the atlas: one function each.

A layer reads the canvas and the people and returns the new albedo (B, 3, h, w) in linear light.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import band, bump, smoothstep
from faceforge.face3d.embedded.grid import COLUMN, ROW
from faceforge.synth import styles, wrinkles
from faceforge.synth.atlas import Atlas, average_landmarks
from faceforge.synth.noise import grid_noise, hashed, unit
from faceforge.synth.palettes import Rgb
from faceforge.synth.person import Person

_AT = average_landmarks()


@dataclass(frozen=True)
class Canvas:
    """People being painted: albedo (B, 3, h, w), relief in centimetres and gloss (B, h, w)."""

    atlas: Atlas
    people: Sequence[Person]
    albedo: Tensor
    relief: Tensor
    gloss: Tensor
    seed: Tensor  # (B,)

    def number(self, name: str) -> Tensor:
        """One number of every person, (B, 1, 1)."""
        values = [getattr(person, name) for person in self.people]
        return torch.tensor(values, dtype=torch.float32, device=self.albedo.device)[:, None, None]

    def colour(self, name: str) -> Tensor:
        """One colour of every person, (B, 3, 1, 1)."""
        return self.colours([getattr(person, name) for person in self.people])

    def colours(self, values: Sequence[Rgb]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.albedo.device)[:, :, None, None]

    def trait(self, flags: Sequence[bool | float]) -> Tensor:
        return torch.tensor([float(flag) for flag in flags], device=self.albedo.device)[:, None, None]

    def noise(self, cells: float, octaves: int = 2, stretch: float = 1.0, salt: int = 0) -> Tensor:
        """Smooth noise over the skin, 0..1, (B, h, w); cells over its height."""
        return grid_noise(self.seed + salt, tuple(self.atlas.x.shape), cells, octaves, stretch=stretch)  # type: ignore[arg-type]

    def tinted(self, factor: Tensor) -> "Canvas":
        return replace(self, albedo=self.albedo * factor)

    def covered(self, colour: Tensor, opacity: Tensor) -> "Canvas":
        """Paint of a colour (B, 3, 1 or h, 1 or w) at an opacity (B, h, w)."""
        return replace(
            self, albedo=torch.lerp(self.albedo, colour.expand_as(self.albedo), opacity[:, None].clamp(0, 1))
        )

    def darkened(self, amount: Tensor) -> "Canvas":
        return self.tinted(1 - amount[:, None].clamp(0, 0.95))

    def raised(self, height: Tensor) -> "Canvas":
        return replace(self, relief=self.relief + height)


def _rgb(like: Tensor, red: float, green: float, blue: float) -> Tensor:
    return like.new_tensor([red, green, blue])[None, :, None, None]


def base(canvas: Canvas) -> Canvas:
    """The skin's own colour, mottled at three scales."""
    slow, middle, fine = canvas.noise(9, 2), canvas.noise(40, 2, salt=1), canvas.noise(170, 2, salt=2)
    mottled = 1 + 0.16 * (slow - 0.5) + 0.10 * (middle - 0.5) + 0.10 * (fine - 0.5)
    uneven = (slow - 0.5)[:, None] * _rgb(slow, 0.05, -0.05, -0.03)
    return replace(
        canvas,
        albedo=canvas.colour("skin") * (mottled[:, None] + uneven),
        relief=0.006 * (fine - 0.5) + 0.006 * (middle - 0.5),
        gloss=0.55 + 0.5 * (middle - 0.5),
    )


def blood(canvas: Canvas) -> Canvas:
    """Red where skin is thin or warm: cheeks, nose, chin, ears; yellow on the forehead, dusky around eyes and mouth."""
    a = canvas.atlas
    red = 0.9 * bump(a.side, a.y, 4.2, 0.0, 1.9, 1.6) + 0.9 * bump(a.side, a.y, 0, 0.2, 1.1, 1.0)
    red = red + 0.35 * bump(a.side, a.y, 0, -6.6, 1.6, 1.0) + 0.25 * bump(a.side, a.y, 0, 7.5, 3.5, 1.6)
    dark = (canvas.number("tone") - 1) / 9
    amount = canvas.number("blush") * red * (1 - 0.45 * dark) * (0.6 + 0.8 * canvas.noise(26, 2, salt=3))
    yellow = bump(a.side, a.y, 0, 8.0, 5.0, 2.2)[None] * (1 - 0.6 * dark)
    dusk = 0.6 * bump(a.side, a.y, 0, _AT["mouth_y"] + 0.2, 2.4, 1.5)[None] * (0.3 + 0.7 * dark)
    tint = 1 + amount[:, None] * _rgb(red, 0.05, -0.17, -0.15) + yellow[:, None] * _rgb(red, 0.02, 0.0, -0.06)
    return canvas.tinted(tint - dusk[:, None] * _rgb(red, 0.10, 0.13, 0.12))


def hollows(canvas: Canvas) -> Canvas:
    """Dark inner corners and rings under the eyes."""
    a, bags = canvas.atlas, canvas.number("bags")
    ring = bump(a.side, a.y, 2.7, _AT["eye_y"] - 1.0, 1.2, 0.42)
    inner = bump(a.side, a.y, 1.75, _AT["eye_y"] + 0.15, 0.55, 0.75)
    lid = bump(a.side, a.y, 3.1, _AT["eye_y"] + 0.75, 1.3, 0.35)
    shade = (0.10 + 0.26 * bags) * ring + (0.14 + 0.10 * bags) * inner + 0.10 * lid
    return canvas.tinted(1 - shade[:, None] * _rgb(ring, 0.75, 1.0, 0.92))


def freckles(canvas: Canvas) -> Canvas:
    """Small brown spots over nose and cheeks, and a few moles anywhere."""
    a = canvas.atlas
    spots = smoothstep(0.62, 0.86, canvas.noise(90, 1, salt=4)) * bump(a.side, a.y, 2.2, 1.0, 3.4, 2.0)
    shade = 0.40 * canvas.number("freckles") * spots
    moles = canvas.number("moles") * _dots(canvas, 4, 0.07, 5)
    return canvas.tinted(
        1 - shade[:, None] * _rgb(shade, 0.55, 0.85, 1.0) - moles[:, None] * _rgb(shade, 0.5, 0.6, 0.6)
    )


def _dots(canvas: Canvas, count: int, radius: float, salt: int) -> Tensor:
    """Round spots of about a radius in centimetres, anywhere on the face, (B, h, w)."""
    a, front = canvas.atlas, smoothstep(2.0, 6.0, canvas.atlas.z)
    index = torch.arange(count, dtype=torch.int32, device=canvas.seed.device)[None]
    chance = [unit(hashed(canvas.seed[:, None] + 1000 * salt + each, index)) for each in range(3)]
    total = torch.zeros_like(canvas.relief)
    for across, up, size in zip(*(each.unbind(1) for each in chance), strict=True):
        x, y = (12 * across - 6)[:, None, None], (16 * up - 8)[:, None, None]
        far = ((a.x - x).square() + (a.y - y).square()).sqrt() / (radius * (0.6 + size))[:, None, None]
        total = total + smoothstep(1.5, 0.6, far) * (0.4 + 0.6 * size)[:, None, None]
    return total.clamp(max=1) * front


def pores(canvas: Canvas) -> Canvas:
    """Fine relief on nose and cheeks, gloss on forehead, nose and chin."""
    a = canvas.atlas
    oily = (
        bump(a.side, a.y, 0, 7.4, 3.0, 1.6)
        + 0.55 * bump(a.side, a.y, 0, 0.2, 0.9, 1.0)
        + 0.6 * bump(a.side, a.y, 4.3, 1.4, 1.4, 1.0)
    )
    oily = oily + 0.5 * bump(a.side, a.y, 0, -6.9, 1.2, 0.7)
    gloss = canvas.gloss + 0.9 * canvas.number("shine") * oily
    rough = 0.5 + bump(a.side, a.y, 1.6, 0.6, 2.4, 1.8)
    return replace(canvas, gloss=gloss, relief=canvas.relief + 0.004 * rough * (canvas.noise(230, 1, salt=7) - 0.5))


def age_lines(canvas: Canvas) -> Canvas:
    """What years leave: forehead lines, crow's feet, nasolabial and marionette lines, spots."""
    a, age = canvas.atlas, canvas.number("wrinkles")
    wave = 0.35 * (canvas.noise(14, 2, salt=8) - 0.5)
    lines = wrinkles.of_age(a, wave)
    broken = 0.55 + 0.9 * canvas.noise(30, 2, salt=9)
    depth = age**1.4 * lines * broken
    done = canvas.darkened(0.22 * depth).raised(-0.055 * depth)
    if not bool((age > 0.5).any()):
        return done
    spots = (
        _dots(canvas, 7, 0.28, 10) * smoothstep(0.5, 1.0, age) * smoothstep(0.30, 0.75, canvas.noise(90, 1, salt=10))
    )
    return done.tinted(1 - spots[:, None] * _rgb(spots, 0.10, 0.17, 0.24))


def lips(canvas: Canvas) -> Canvas:
    """Red lips between the vermilion borders, their fine creases, the dark seam; lipstick over them."""
    a, size = canvas.atlas, canvas.number
    mask = lip_mask(a)
    skin, tone = canvas.colour("skin"), (size("tone") - 1) / 9
    red = skin * torch.lerp(_rgb(mask, 0.98, 0.52, 0.50), _rgb(mask, 0.78, 0.60, 0.58), tone[:, None])
    natural = torch.lerp(skin, red, (0.45 + 0.55 * size("lip_redness"))[:, None])
    creases = 1 - 0.16 * smoothstep(0.5, 0.75, canvas.noise(30, 2, stretch=5.0, salt=11)) * mask
    stick = canvas.colour("lip") * (1 - 0.62 * tone)[:, None]  # seen on darker lips, the same stick is darker
    painted = torch.lerp(natural, stick, 0.85 * size("lipstick")[:, None])
    done = canvas.covered(painted * creases[:, None], 0.88 * mask.expand(len(canvas.people), -1, -1))
    seam = torch.exp(-(((a.row - ROW["seam_up"] - 0.5) / 0.55) ** 2)) * smoothstep(
        _AT["mouth_half"] + 0.15, _AT["mouth_half"] - 0.1, a.side
    )
    done = done.darkened(0.55 * seam[None].expand_as(done.relief))
    wet = 0.8 + 0.9 * size("lipstick")
    return replace(done, gloss=torch.lerp(done.gloss, wet.expand_as(done.gloss), mask[None]))


def lip_mask(a: Atlas) -> Tensor:
    """1 inside the vermilion, (h, w)."""
    up = smoothstep(ROW["lip_up"] - 0.5, ROW["lip_up"] + 0.7, a.row)
    low = smoothstep(ROW["lip_low"] + 0.7, ROW["lip_low"] - 0.7, a.row)
    return up * low * smoothstep(COLUMN["mouth"] + 0.1, COLUMN["mouth"] - 0.8, a.column.abs())


def nostrils(canvas: Canvas) -> Canvas:
    """Dark nostrils and the shade under the tip."""
    a = canvas.atlas
    hole = bump(a.side, a.y, 0.62, _AT["nose_base"] + 0.16, 0.30, 0.15) * smoothstep(9.6, 10.4, a.z)
    wing = band(((a.side - 1.42) ** 2 + ((a.y - _AT["nose_base"] - 0.75) / 1.1) ** 2).sqrt(), 0.62, 0.10) * smoothstep(
        1.45, 1.8, a.side
    )
    return canvas.darkened((0.82 * hole + 0.22 * wing)[None].expand_as(canvas.relief))


def brows(canvas: Canvas) -> Canvas:
    """Hairs along a tapering arch: upright at its head, lying outwards along its tail."""
    a = canvas.atlas
    row = (a.row - ROW["brow_top"]) / (ROW["brow_low"] - ROW["brow_top"])  # 0 upper border, 1 lower
    along = ((a.side - 1.15) / 4.45).clamp(0, 1)
    thick = canvas.number("brow") * (0.30 + 0.22 * (1 - along)) * smoothstep(1.0, 0.55, along) + 0.06
    centre = 0.66 - 0.05 * torch.sin(along * 2.6)
    inside = torch.exp(-(((row - centre) / thick) ** 2)) * smoothstep(0.8, 1.9, a.side) * smoothstep(5.8, 4.9, a.side)
    hairs = canvas.noise(70, 2, stretch=3.6, salt=12)
    cover = smoothstep(0.18, 0.95, inside * (0.62 + 0.75 * hairs)) * (a.z > 4)
    colour = canvas.colour("brow_colour") * (0.7 + 0.6 * hairs[:, None])
    return canvas.covered(colour, 0.86 * cover).raised(0.02 * cover * hairs)


def beard(canvas: Canvas) -> Canvas:
    """Stubble to full beard: shape by style, density by person."""
    a = canvas.atlas
    cheek = (
        smoothstep(-1.6, -2.8, a.y + 0.16 * (a.side - 3.0)) * smoothstep(-10.0, -8.9, a.y) * smoothstep(1.0, 3.5, a.z)
    )
    cheek = torch.maximum(
        cheek,
        smoothstep(6.0, 6.7, a.side)
        * smoothstep(2.4, 0.4, a.y)
        * smoothstep(-7.0, -5.0, a.y)
        * smoothstep(0.5, 2.0, a.z)
        * 0.9,
    )
    bare = bump(a.side, a.y, 0.0, -5.1, 0.9, 0.35) * 0.5 + bump(a.side, a.y, 2.3, -4.9, 0.6, 0.6) * 0.4
    moustache = bump(a.side, a.y, 1.1, -2.05, 1.55, 0.52) * smoothstep(0.0, 0.25, a.side + 0.1)
    chin = bump(a.side, a.y, 0.0, -6.9, 1.9, 1.7)
    round_mouth = torch.maximum(moustache, torch.maximum(chin, bump(a.side, a.y, 2.75, -4.2, 0.5, 1.3)))
    full = torch.maximum(cheek * (1 - bare), torch.maximum(moustache, chin))
    shapes = {"none": 0 * full, "stubble": full, "moustache": moustache, "goatee": round_mouth, "full": full}
    mask = torch.stack([shapes[person.beard] for person in canvas.people]) * (1 - lip_mask(a))
    light = canvas.trait([0.42 if person.beard == "stubble" else 1.0 for person in canvas.people])
    hairs = 0.6 * canvas.noise(190, 1, stretch=1.6, salt=13) + 0.4 * canvas.noise(70, 1, stretch=2.2, salt=16)
    edge = smoothstep(0.05, 0.75, mask - 0.35 * (hairs - 0.5))
    cover = edge * light * (0.35 + 0.65 * canvas.number("beard_density")) * (0.45 + 0.95 * hairs)
    shaved = canvas.trait([person.sex == "male" and person.age < 70 for person in canvas.people]) * full * 0.10
    done = canvas.covered(canvas.colour("hair") * (0.6 + 0.7 * hairs[:, None]), cover.clamp(0, 0.95))
    return done.tinted(1 - (shaved * (1 - mask))[:, None] * _rgb(mask, 1.0, 0.8, 0.6)).raised(0.03 * cover * hairs)


def scalp(canvas: Canvas) -> Canvas:
    """Roots of hair: skin under hair is as dark as hair, with a soft and uneven line."""
    a = canvas.atlas
    row = round(ROW["brow_top"] / ROW["collar"] * (len(a.x) - 1))  # where angles from the front are taken
    belt = torch.atan2(a.x[row], a.z[row] - 0.5)
    angle = torch.rad2deg(belt).abs().double().expand(len(canvas.people), -1)
    line = torch.maximum(
        styles.roots(canvas.people, angle), styles.ends(canvas.people, angle, torch.sign(belt).double())
    )
    hairs = canvas.noise(120, 2, stretch=0.8, salt=14)
    off = a.y - line[:, None].float() + 1.1 * (canvas.noise(36, 2, salt=15) - 0.5) + 0.9 * (hairs - 0.5)
    density = canvas.trait([0.92 * style.density**0.5 for style in styles.styles(canvas.people)])
    shaven = canvas.trait([0.10 * (person.hair_style == "bald") for person in canvas.people])
    cover = torch.maximum(density * smoothstep(-0.35, 0.75, off), shaven * smoothstep(-0.5, 1.0, off))
    colour = canvas.colour("hair") * (0.55 + 0.7 * hairs[:, None])
    done = canvas.covered(colour, cover * (0.75 + 0.4 * hairs))
    return replace(done, gloss=done.gloss * (1 - 0.8 * cover))


def lid_lines(canvas: Canvas) -> Canvas:
    """The crease above the eye, the roots of the lashes, and make-up on lids and lashes."""
    a = canvas.atlas
    near = smoothstep(COLUMN["inner"] - 0.8, COLUMN["inner"] + 1.0, a.column.abs()) * smoothstep(
        COLUMN["outer"] + 1.4, COLUMN["outer"] - 0.4, a.column.abs()
    )
    crease = torch.exp(-(((a.row - ROW["crease"] - 0.2) / 0.65) ** 2)) * near
    upper = torch.exp(-(((a.row - ROW["lid_up"] + 0.05) / 0.55) ** 2)) * near
    lower = torch.exp(-(((a.row - ROW["lid_low"] - 0.05) / 0.5) ** 2)) * near
    lid = (
        smoothstep(ROW["fold"] + 0.3, ROW["crease"] + 0.5, a.row)
        * smoothstep(ROW["lid_up"] + 0.6, ROW["lid_up"], a.row)
        * near
    )
    liner = canvas.number("eyeliner")
    done = canvas.covered(canvas.colour("shadow_colour"), canvas.number("shadow") * lid)
    roots = (0.35 + 0.30 * canvas.number("lashes") + 0.3 * liner) * upper + (0.14 + 0.35 * liner) * lower
    return done.darkened(0.26 * crease + roots)


LAYERS: tuple[Callable[[Canvas], Canvas], ...] = (
    base, blood, hollows, freckles, pores, age_lines, nostrils, lips, beard, brows, scalp, lid_lines,
)  # fmt: skip


def painted(canvas: Canvas) -> Canvas:
    """Every layer in turn."""
    for layer in LAYERS:
        canvas = layer(canvas)
    return canvas

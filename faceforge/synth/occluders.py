"""What comes between a camera and a face: fingers, a microphone, a scarf, leaves, hair, a mug.

Every occluder is a list of strokes, lines with a width and soft borders. Places and lengths count in picture heights
from the centre, x to the right and y down, for a face of height 0.6 in the middle; `placed` moves them to another.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from faceforge.errors import BadSpec, nearest
from faceforge.synth import palettes
from faceforge.synth.draws import Draws
from faceforge.synth.layers import layered, numbers, smooth_step
from faceforge.synth.palettes import Rgb, picked, scaled


class Stroke(NamedTuple):
    """A line of some radius from one point to another, round like a finger."""

    x: float
    y: float
    to_x: float
    to_y: float
    radius: float
    to_radius: float
    rgb: Rgb
    edge: float = 0.006
    flat: float = 0.0  # 0 round ends .. 1 square ones
    relief: float = 0.45  # how much darker its borders are than its middle


@dataclass(frozen=True)
class Occluder:
    """One thing before the face, in white light."""

    kind: str
    strokes: tuple[Stroke, ...]

    def placed(self, x: float, y: float, scale: float) -> "Occluder":
        """The same before a face at another place and so many times as large."""
        return Occluder(self.kind, tuple(_placed(stroke, x, y, scale) for stroke in self.strokes))


class Person(NamedTuple):
    """The colours of whose hand and hair come between."""

    skin: Rgb
    hair: Rgb


def sample(draws: Draws, person: Person | None = None, probability: float = 0.12) -> Occluder | None:
    """An occluder now and then; hands and hair take the colours of the person, or of anybody."""
    if not draws.chance(probability):
        return None
    return of_kind(draws.choice(list(_DRAWN)), draws, person)


def of_kind(kind: str, draws: Draws, person: Person | None = None) -> Occluder:
    """An occluder of one of the KINDS."""
    if kind not in _DRAWN:
        raise BadSpec(f"{kind!r} is not a kind of occluder. {nearest(kind, _DRAWN)}")
    anybody = Person(picked(draws, palettes.SKINS), picked(draws, palettes.HAIRS))
    return Occluder(kind, tuple(_DRAWN[kind](draws.child(kind), person or anybody)))


def draw(
    occluders: Sequence[Occluder | None], size: int | tuple[int, int], device: torch.device | None = None
) -> Tensor:
    """Colour times opacity, and the opacity: rgba (B, 4, H, W), to be seen as `rgba[:, :3] + (1 - a) * picture`."""
    height, width = (size, size) if isinstance(size, int) else size
    if height < 1 or width < 1:
        raise BadSpec(f"Drawing occluders at {height} x {width} is not possible. Give at least one pixel.")
    x = (torch.arange(width, device=device) + 0.5 - 0.5 * width) / height
    y = (torch.arange(height, device=device) + 0.5) / height - 0.5
    clear = torch.zeros(len(occluders), 4, height, width, device=device)
    strokes = [occluder.strokes if occluder else () for occluder in occluders]
    return layered(clear, strokes, lambda part, some: _stroked(part, some, x, y[:, None]))


def _stroked(part: Tensor, strokes: list[Stroke], x: Tensor, y: Tensor) -> None:
    """Draws where the strokes reach, which is most often a small part of the picture."""
    pixel = 1 / part.shape[-2]
    reach = max(max(stroke.radius, stroke.to_radius) + stroke.edge for stroke in strokes) * 1.5 + pixel
    columns = _between([end for stroke in strokes for end in (stroke.x, stroke.to_x)], reach, pixel, part.shape[-1])
    rows = _between([end for stroke in strokes for end in (stroke.y, stroke.to_y)], reach, pixel, part.shape[-2])
    if columns.start < columns.stop and rows.start < rows.stop:
        _blended(part[..., rows, columns], strokes, x[columns], y[rows], pixel)


def _between(places: Sequence[float], reach: float, pixel: float, count: int) -> slice:
    """The pixels along one axis that may be within reach of the places."""
    first = math.floor((min(places) - reach) / pixel + 0.5 * count)
    last = math.ceil((max(places) + reach) / pixel + 0.5 * count)
    return slice(max(0, first), max(0, min(count, last)))


def _placed(stroke: Stroke, x: float, y: float, scale: float) -> Stroke:
    ends = (x + stroke.x * scale, y + stroke.y * scale, x + stroke.to_x * scale, y + stroke.to_y * scale)
    widths = (stroke.radius * scale, stroke.to_radius * scale)
    return Stroke(*ends, *widths, stroke.rgb, stroke.edge * scale, stroke.flat, stroke.relief)


def _blended(part: Tensor, strokes: list[Stroke], x: Tensor, y: Tensor, pixel: float) -> None:
    from_x, from_y, to_x, to_y, radius, to_radius, edge, flat, relief, red, green, blue = numbers(
        [(*stroke[:6], *stroke[7:], *stroke.rgb) for stroke in strokes], part
    )
    # A dot runs nowhere, but has to have a direction.
    run_x, run_y = to_x - from_x + 1e-5, to_y - from_y
    length = (run_x.square() + run_y.square()).sqrt().clamp(min=1e-5)
    along = ((x - from_x) * run_x + (y - from_y) * run_y) / length
    aside = ((y - from_y) * run_x - (x - from_x) * run_y) / length
    beyond = torch.maximum(-along, along - length).clamp(min=0.0)
    thick = radius + (to_radius - radius) * (along / length).clamp(0.0, 1.0)
    # Where flat ends are asked for, the corners count by their larger side.
    round_ends = (aside.square() + beyond.square()).sqrt() - thick
    square_ends = torch.maximum(aside.abs() - thick, beyond)
    alpha = smooth_step(-(round_ends + (square_ends - round_ends) * flat), 0.0, edge.clamp(min=0.7 * pixel))
    across = (aside / thick).clamp(-1.0, 1.0)
    shade = 1 - relief * (0.7 * across.square() + 0.3 * across)
    colour = torch.stack([red * shade, green * shade, blue * shade, torch.ones_like(shade)], dim=1)
    part.lerp_(colour, alpha[:, None])


def _hand(draws: Draws, person: Person) -> list[Stroke]:
    """Fingers that reach up to the chin or a cheek from below."""
    side, skin = draws.choice((-1, 1)), person.skin
    x, y, lean = side * draws.uniform(0.08, 0.24), draws.uniform(0.22, 0.4), -side * draws.uniform(0.1, 0.9)
    reach, thick = draws.uniform(0.14, 0.21), draws.uniform(0.025, 0.032)
    strokes = [Stroke(x, y + 0.14, x - 0.3 * lean, 0.9, 0.085, 0.075, scaled(skin, 0.9), 0.01, relief=0.3)]
    for finger in range(4):
        root_x = x + (finger - 1.5) * 1.9 * thick
        angle = lean + (finger - 1.5) * draws.uniform(0.0, 0.1)
        long = reach * (1.0, 1.1, 1.05, 0.85)[finger]
        tip_x, tip_y = root_x + long * _sine(angle), y - long * _cosine(angle)
        tone = scaled(skin, draws.uniform(0.88, 1.0))
        strokes.append(Stroke(root_x, y + 0.12, root_x, y, 1.3 * thick, 1.1 * thick, tone, 0.01, relief=0.35))
        strokes.append(Stroke(root_x, y, tip_x, tip_y, 1.1 * thick, 0.82 * thick, tone))
        nail = scaled(skin, 1.12)
        back = (tip_x - 0.012 * _sine(angle), tip_y + 0.012 * _cosine(angle))
        strokes.append(Stroke(*back, tip_x, tip_y, 0.45 * thick, 0.45 * thick, nail, 0.004, relief=0.2))
    return strokes


def _microphone(draws: Draws, _: Person) -> list[Stroke]:
    x, y = draws.uniform(-0.16, 0.16), draws.uniform(0.2, 0.34)
    ball, metal = draws.uniform(0.04, 0.065), draws.uniform(0.02, 0.35)
    end = x + draws.uniform(-0.2, 0.2)
    body, head = (0.015, 0.015, 0.017), (metal, metal, metal)
    return [
        Stroke(x, y, end, 0.8, 0.6 * ball, 0.42 * ball, body, relief=0.8),
        Stroke(x, y - 0.2 * ball, x, y + 0.2 * ball, ball, ball, head, 0.008, relief=0.75),
        Stroke(
            x - ball, y + 0.25 * ball, x + ball, y + 0.25 * ball, 0.2 * ball, 0.2 * ball, scaled(head, 0.6), 0.004, 1.0
        ),
    ]


def _scarf(draws: Draws, _: Person) -> list[Stroke]:
    """A band around the neck, up to the chin, in folds."""
    cloth = picked(draws, palettes.THINGS + palettes.WALLS, 0.8)
    stripe = picked(draws, palettes.THINGS) if draws.chance(0.4) else cloth
    top = draws.uniform(0.3, 0.4)
    strokes = []
    for fold in range(4):
        sag, tone = draws.uniform(0.0, 0.05), scaled(stripe if fold % 2 else cloth, draws.uniform(0.6, 1.0))
        y = top + fold * 0.065
        middle = (draws.uniform(-0.1, 0.1), y + sag)
        width, rise = 0.22 + 0.02 * fold + draws.uniform(0.0, 0.03), draws.uniform(0.05, 0.09)
        strokes.append(Stroke(-width, y - rise, *middle, 0.045, 0.055, tone, 0.01))
        strokes.append(Stroke(*middle, width, y - rise, 0.055, 0.045, tone, 0.01))
    return strokes


def _leaves(draws: Draws, _: Person) -> list[Stroke]:
    """Blurred leaves at one border, close to the lens."""
    side, soft = draws.choice((-1, 1)), draws.uniform(0.02, 0.06)
    strokes = []
    for _leaf in range(draws.integer(3, 9)):
        x, y = side * draws.uniform(0.38, 0.6), draws.uniform(-0.6, 0.6)
        angle, long = draws.uniform(0.0, 6.28), draws.uniform(0.06, 0.16)
        tone = picked(draws, palettes.GREENS + palettes.LEAVES, draws.uniform(0.4, 1.0))
        strokes.append(Stroke(x, y, x + long * _cosine(angle), y + long * _sine(angle), 0.05, 0.012, tone, soft))
    return strokes


def _strands(draws: Draws, person: Person) -> list[Stroke]:
    """Hair that falls from the forehead over an eye or a cheek."""
    start = draws.uniform(-0.1, 0.1)
    drift = draws.choice((-1, 1)) * draws.uniform(0.05, 0.22)
    strokes = []
    for _ in range(draws.integer(4, 9)):
        x, y, step = start + draws.normal(0.0, 0.03), draws.uniform(-0.34, -0.28), drift * draws.uniform(0.7, 1.3)
        tone, thin = scaled(person.hair, draws.uniform(0.6, 1.3)), draws.uniform(0.002, 0.006)
        for part, bend in enumerate((0.35, 0.45, 0.2)):
            to_x, to_y = x + step * bend, y + draws.uniform(0.08, 0.15)
            ends = (thin * (1 - 0.25 * part), thin * (0.75 - 0.25 * part))
            strokes.append(Stroke(x, y, to_x, to_y, *ends, tone, 0.005, relief=0.3))
            x, y = to_x, to_y
    return strokes


def _mug(draws: Draws, person: Person) -> list[Stroke]:
    """A mug or a glass before the chin or the mouth."""
    x, y, half = draws.uniform(-0.15, 0.15), draws.uniform(0.18, 0.32), draws.uniform(0.07, 0.1)
    side, tone = draws.choice((-1, 1)), picked(draws, palettes.THINGS + palettes.WALLS, 0.8)
    far = x + side * 1.55 * half
    handle = [
        Stroke(x + side * half, y + 0.05, far, y + 0.06, 0.012, 0.012, tone),
        Stroke(far, y + 0.06, far, y + 0.14, 0.012, 0.012, tone),
        Stroke(far, y + 0.14, x + side * half, y + 0.16, 0.012, 0.012, tone),
    ]
    body = Stroke(x, y, x, y + 0.22, half, 0.92 * half, tone, 0.006, 0.92)
    rim = Stroke(x - 0.95 * half, y, x + 0.95 * half, y, 0.012, 0.012, scaled(tone, 0.55), 0.006, relief=0.3)
    fingers = [
        Stroke(
            x - side * 1.3 * half,
            y + 0.05 + 0.036 * finger,
            x + side * draws.uniform(0.3, 0.6) * half,
            y + 0.045 + 0.036 * finger,
            0.02,
            0.017,
            scaled(person.skin, draws.uniform(0.85, 1.0)),
        )
        for finger in range(4)
    ]
    return [*handle, body, rim, *(fingers if draws.chance(0.5) else [])]


_DRAWN: dict[str, Callable[[Draws, Person], list[Stroke]]] = {
    "hand": _hand,
    "microphone": _microphone,
    "scarf": _scarf,
    "leaves": _leaves,
    "strands": _strands,
    "mug": _mug,
}
KINDS = tuple(_DRAWN)


def _sine(angle: float) -> float:
    # Mathematical libraries differ in the last bit; parameters may not.
    return round(math.sin(angle), 6)


def _cosine(angle: float) -> float:
    return round(math.cos(angle), 6)

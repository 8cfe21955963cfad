"""What stands in the places behind a face: windows, furniture, lamps, plants, books, papers."""

from faceforge.synth import palettes
from faceforge.synth.draws import Draws
from faceforge.synth.palettes import Palette, Rgb, mixed, picked, scaled
from faceforge.synth.scene import Box, Disc, Mass


def pool(draws: Draws, paint: Rgb) -> Disc:
    """Light that a lamp or a window throws on a wall."""
    gain = draws.uniform(0.15, 0.7)
    return Disc(draws.uniform(-0.7, 0.7), draws.uniform(-0.7, 0.3), 0.1, scaled(paint, gain), draws.uniform(0.25, 0.6))


def corner(draws: Draws, paint: Rgb) -> list[Box]:
    """The other wall of a room, in another light."""
    edge = draws.uniform(-0.45, 0.45)
    side = draws.choice((-1, 1))
    return [Box(edge + side, 0.0, 1.0, 2.0, scaled(paint, draws.uniform(0.5, 1.4)), edge=0.006)]


def door(draws: Draws) -> list[Box]:
    x, half = draws.uniform(-0.5, 0.5), draws.uniform(0.14, 0.25)
    frame = picked(draws, palettes.WALLS + palettes.WOODS)
    leaf = scaled(frame, draws.uniform(0.2, 0.9))
    return [Box(x, 0.4, half + 0.025, 0.8, frame), Box(x, 0.4, half, 0.775, leaf)]


def picture(draws: Draws) -> list[Box]:
    x, y = draws.uniform(-0.55, 0.55), draws.uniform(-0.5, 0.1)
    half_width, half_height = draws.uniform(0.05, 0.2), draws.uniform(0.05, 0.2)
    frame, content = picked(draws, palettes.WOODS + palettes.THINGS), picked(draws, palettes.THINGS)
    shadow = Box(x + 0.01, y + 0.015, half_width + 0.01, half_height + 0.01, (0.02, 0.02, 0.02), 0.3, 0.03)
    inner = Box(x, y, half_width * 0.86, half_height * 0.86, mixed((0.7, 0.7, 0.68), content, draws.uniform(0.1, 1.0)))
    spot = Box(
        x + draws.uniform(-0.4, 0.4) * half_width,
        y + draws.uniform(-0.3, 0.5) * half_height,
        half_width * 0.4,
        half_height * 0.35,
        picked(draws, palettes.THINGS),
        0.8,
        0.02,
    )
    return [shadow, Box(x, y, half_width, half_height, frame), inner, spot]


def window(draws: Draws) -> list[Box]:
    """A bright opening with bars, and curtains beside it."""
    x, y = draws.uniform(-0.5, 0.5), draws.uniform(-0.3, 0.0)
    half_width, half_height = draws.uniform(0.12, 0.35), draws.uniform(0.2, 0.5)
    sky = mixed(picked(draws, palettes.SKIES + palettes.HORIZONS), (0.8, 0.8, 0.78), draws.uniform(0.3, 0.9))
    light = scaled(sky, draws.uniform(0.9, 2.6))
    frame = picked(draws, palettes.WALLS, draws.uniform(0.4, 0.9))
    boxes = [Box(x, y, half_width + 0.02, half_height + 0.02, frame), Box(x, y, half_width, half_height, light)]
    view = picked(draws, palettes.GREENS + palettes.FACADES, draws.uniform(0.6, 1.3))
    boxes.append(Box(x, y + 0.7 * half_height, half_width, 0.3 * half_height, view, edge=0.05))
    bars = draws.integer(0, 2)
    boxes += [
        Box(x + half_width * (2 * (bar + 1) / (bars + 1) - 1), y, 0.008, half_height, frame) for bar in range(bars)
    ]
    if draws.chance(0.5):
        boxes.append(Box(x, y + draws.uniform(-0.3, 0.3) * half_height, half_width, 0.008, frame))
    if draws.chance(0.5):
        cloth = picked(draws, palettes.WALLS + palettes.THINGS, 0.8)
        width = draws.uniform(0.04, 0.1)
        boxes += [Box(x + side * half_width, y + 0.05, width, half_height + 0.1, cloth, edge=0.02) for side in (-1, 1)]
    return boxes


def furniture(draws: Draws, gain: float = 0.7) -> Box:
    """Something that stands on the floor."""
    top, half_width = draws.uniform(-0.15, 0.45), draws.uniform(0.05, 0.4)
    tone = picked(draws, palettes.THINGS + palettes.WOODS + palettes.WALLS, gain)
    return Box(draws.uniform(-0.7, 0.7), top + 0.5, half_width, 0.5, tone, edge=draws.uniform(0.006, 0.04))


def lamp(draws: Draws) -> list[Disc]:
    """A bright shade and the glow around it."""
    x, y, hue = draws.uniform(-0.55, 0.55), draws.uniform(-0.5, 0.1), picked(draws, palettes.LAMPS[:2])
    shade = Disc(x, y, draws.uniform(0.03, 0.09), scaled(hue, draws.uniform(0.8, 2.0)), edge=0.02)
    return [shade, Disc(x, y, 0.02, scaled(hue, draws.uniform(0.1, 0.4)), edge=draws.uniform(0.25, 0.5))]


def plant(draws: Draws) -> Mass:
    return greenery(draws, top=draws.uniform(0.0, 0.25), cover=draws.uniform(0.3, 0.7))


def greenery(draws: Draws, *, top: float, cover: float, haze: tuple[Rgb, float] = ((0, 0, 0), 0.0)) -> Mass:
    dark = scaled(picked(draws, palettes.GREENS), draws.uniform(0.3, 1.0))
    light = picked(draws, palettes.LEAVES, draws.uniform(0.4, 1.0))
    return Mass(
        draws.noise_seed(),
        draws.uniform(2.5, 8.0),
        mixed(dark, *haze),
        mixed(light, *haze),
        cover=cover,
        softness=draws.uniform(0.04, 0.15),
        top=top,
        feather=draws.uniform(0.05, 0.2),
    )


def ground(draws: Draws, rgb: Rgb, horizon: float) -> Mass:
    return Mass(
        draws.noise_seed(),
        draws.uniform(3.0, 9.0),
        scaled(rgb, draws.uniform(0.55, 0.95)),
        rgb,
        cover=1.25,
        softness=0.02,
        top=horizon,
        feather=draws.uniform(0.004, 0.02),
    )


def books(draws: Draws, floor: float, pitch: float) -> list[Box]:
    boxes, left = [], draws.uniform(-0.8, -0.6)
    colours: Palette = palettes.THINGS + palettes.PAPERS
    while left < 0.6:
        width = draws.uniform(0.025, 0.11)
        half_height = pitch * draws.uniform(0.22, 0.45)
        if draws.chance(0.88):
            tone = picked(draws, colours, draws.uniform(0.35, 0.8))
            boxes.append(Box(left + width / 2, floor - half_height, width / 2 - 0.001, half_height, tone, edge=0.003))
        left = round(left + width, 6)
    return boxes


def facade(draws: Draws, left: float, width: float) -> list[Box]:
    """One house front with its windows."""
    wall = picked(draws, palettes.FACADES, draws.uniform(0.4, 1.0))
    roof = draws.choice((-2.0, draws.uniform(-0.5, -0.1)))
    glass = draws.choice((scaled(wall, 0.25), picked(draws, palettes.SKIES, 0.5), picked(draws, palettes.LAMPS, 0.7)))
    columns, rows = draws.integer(2, 3), draws.integer(2, 4)
    boxes = [Box(left + width / 2, roof + 1.5, width / 2, 1.5, wall)]
    for column in range(columns):
        for row in range(rows):
            x, y = left + width * (column + 0.5) / columns, max(roof, -0.6) + 0.14 + row * 0.24
            tone = scaled(glass, draws.uniform(0.5, 1.5))
            boxes.append(Box(round(x, 6), round(y, 6), round(0.25 * width / columns, 6), 0.075, tone))
    return boxes


def bokeh(draws: Draws, size: float, rgb: Rgb) -> Disc:
    radius = round(size * draws.uniform(0.6, 1.25), 6)
    dimmed = scaled(rgb, draws.uniform() * draws.uniform(0.3, 1.2))
    return Disc(
        draws.uniform(-0.62, 0.62),
        draws.normal(-0.05, 0.27, clip=2.0),
        radius,
        dimmed,
        edge=round(0.006 + 0.1 * radius, 6),
        rim=draws.uniform(0.0, 0.5),
    )


def paper(draws: Draws) -> list[Box]:
    """A sheet with lines of writing, which end where words happen to end."""
    x, y = draws.uniform(-0.55, 0.55), draws.uniform(-0.5, 0.4)
    half_width, half_height = draws.uniform(0.06, 0.2), draws.uniform(0.06, 0.22)
    ink = picked(draws, palettes.THINGS, 0.4)
    boxes = [Box(x, y, half_width, half_height, picked(draws, palettes.PAPERS, 0.9), edge=0.004)]
    lines = draws.integer(2, 7)
    for line in range(lines):
        length = half_width * draws.uniform(0.3, 0.85)
        line_y = y + half_height * (2 * (line + 0.7) / (lines + 0.4) - 1)
        tall = 0.3 * half_height / lines
        boxes.append(Box(x - 0.85 * half_width + length, line_y, length, tall, ink, draws.uniform(0.3, 0.8), 0.004))
    return boxes

"""Kinds of places behind a face: each function draws one scene of its kind."""

from collections.abc import Callable
from dataclasses import replace

from faceforge.errors import BadSpec, nearest
from faceforge.synth import palettes, things
from faceforge.synth.draws import Draws
from faceforge.synth.palettes import Rgb, mixed, picked, scaled
from faceforge.synth.scene import Box, Disc, Mass, Pattern, Scene


def sample(draws: Draws) -> Scene:
    """A background of any kind, about as often as photographs of people have them."""
    return of_kind(draws.choice(list(KINDS), list(KINDS.values())), draws)


def of_kind(kind: str, draws: Draws) -> Scene:
    """A background of one of the KINDS."""
    if kind not in KINDS:
        raise BadSpec(f"{kind!r} is not a kind of background. {nearest(kind, KINDS)}")
    scene = _DRAWN[kind](draws.child(kind))
    view = draws.child("view")
    return replace(
        scene,
        mottle=scene.mottle or view.uniform(0.03, 0.25),
        mottle_cells=view.uniform(1.0, 3.0),
        mottle_seed=view.noise_seed(),
        roll_deg=view.normal(0.0, 2.0),
        keystone=view.normal(0.0, 0.1, clip=2.0),
    )


def _wall(draws: Draws) -> Scene:
    """A painted wall, perhaps with a corner, a door frame or pictures."""
    paint = picked(draws, palettes.WALLS)
    boxes: list[Box] = []
    if draws.chance(0.35):
        boxes += things.corner(draws, paint)
    if draws.chance(0.4):
        boxes += [part for _ in range(draws.integer(1, 3)) for part in things.picture(draws)]
    if draws.chance(0.3):
        boxes += things.door(draws)
    pools = tuple(things.pool(draws, paint) for _ in range(draws.chance(0.4)))
    return Scene("wall", _sidelit(draws, paint), boxes=tuple(boxes), lights=pools, blur=draws.uniform(0.005, 0.025))


def _studio(draws: Draws) -> Scene:
    """A paper or canvas backdrop with a glow behind the head."""
    paper = picked(draws, palettes.BACKDROPS)
    dim = draws.uniform(0.25, 1.0)
    glow = Disc(
        draws.normal(0.0, 0.15),
        draws.normal(-0.05, 0.12),
        0.05,
        scaled(paper, draws.uniform(0.1, 1.2)),
        edge=draws.uniform(0.5, 0.9),
    )
    return Scene(
        "studio",
        _sidelit(draws, scaled(paper, dim)),
        lights=(glow,),
        blur=0.03,
        mottle=draws.choice((0.03, draws.uniform(0.1, 0.45)), (2, 1)),
    )


def _indoor(draws: Draws) -> Scene:
    """A room out of focus: walls, windows, furniture, lamps."""
    paint = scaled(picked(draws, palettes.WALLS), draws.uniform(0.3, 0.9))
    boxes: list[Box] = []
    if draws.chance(0.5):
        boxes += things.corner(draws, paint)
    if draws.chance(0.65):
        boxes += things.window(draws)
    boxes += [part for _ in range(draws.integer(0, 3)) for part in things.picture(draws)]
    boxes += [things.furniture(draws) for _ in range(draws.integer(2, 6))]
    lights = [light for _ in range(draws.integer(0, 2)) for light in things.lamp(draws)]
    plants = tuple(things.plant(draws) for _ in range(draws.chance(0.3)))
    return Scene(
        "indoor",
        _sidelit(draws, paint),
        boxes=tuple(boxes),
        near=plants,
        lights=tuple(lights),
        blur=draws.uniform(0.012, 0.045),
    )


def _shelves(draws: Draws) -> Scene:
    """Books and boxes in rows."""
    wood = scaled(picked(draws, palettes.WOODS), draws.uniform(0.4, 1.0))
    back = scaled(wood, draws.uniform(0.25, 0.7))
    rows = draws.integer(3, 5)
    pitch = 1.2 / rows
    boxes: list[Box] = []
    for row in range(rows):
        floor = -0.6 + (row + 1) * pitch
        boxes += things.books(draws.child(str(row)), floor, pitch)
        boxes.append(Box(0.0, floor + 0.012, 1.0, 0.014, wood))
    return Scene("shelves", _sidelit(draws, back), boxes=tuple(boxes), blur=draws.uniform(0.008, 0.03))


def _outdoor(draws: Draws) -> Scene:
    """Open land: sky, clouds, a tree line or hills, ground."""
    sky = picked(draws, palettes.SKIES, draws.uniform(0.8, 1.6))
    low = picked(draws, palettes.HORIZONS, draws.uniform(0.9, 1.5))
    horizon = draws.normal(0.1, 0.12)
    clouds = Mass(
        draws.noise_seed(),
        draws.uniform(1.5, 4),
        low,
        scaled(low, 1.25),
        cover=draws.uniform(0.0, 0.65),
        softness=0.22,
        bottom=horizon,
        feather=0.3,
    )
    hills = things.greenery(
        draws, top=horizon - draws.uniform(0.03, 0.3), cover=1.0, haze=(low, draws.uniform(0.0, 0.6))
    )
    ground = picked(draws, palettes.GROUNDS, draws.uniform(0.5, 1.1))
    trees = [things.greenery(draws, top=-2.0, cover=draws.uniform(0.15, 0.5))] if draws.chance(0.3) else []
    return Scene(
        "outdoor",
        (sky, scaled(sky, draws.uniform(0.85, 1.1)), low, scaled(low, draws.uniform(0.85, 1.1))),
        far=(clouds, hills),
        near=(things.ground(draws, ground, horizon), *trees),
        blur=draws.uniform(0.006, 0.04),
    )


def _foliage(draws: Draws) -> Scene:
    """Leaves close behind, with light falling through them."""
    shade = scaled(picked(draws, palettes.GREENS), draws.uniform(0.5, 1.2))
    layers = [things.greenery(draws, top=-2.0, cover=draws.uniform(0.35, 0.7)) for _ in range(2)]
    sparks = draws.child("sparks")
    size = draws.uniform(0.012, 0.06)
    gap = picked(draws, palettes.HORIZONS, draws.uniform(0.3, 1.0))
    lights = [
        things.bokeh(sparks, size, sparks.choice((picked(sparks, palettes.LEAVES), gap)))
        for _ in range(sparks.integer(10, 40))
    ]
    return Scene(
        "foliage", _sidelit(draws, shade), far=tuple(layers), lights=tuple(lights), blur=draws.uniform(0.01, 0.04)
    )


def _street(draws: Draws) -> Scene:
    """Facades with rows of windows, and the road before them."""
    sky = picked(draws, palettes.SKIES, draws.uniform(0.9, 1.6))
    boxes: list[Box] = []
    left = -0.75
    while left < 0.7:
        width = draws.uniform(0.3, 0.8)
        boxes += things.facade(draws, left, width)
        left = round(left + width, 6)
    ground = draws.uniform(0.2, 0.45)
    boxes.append(Box(0.0, ground + 1.0, 3.0, 1.0, picked(draws, palettes.GROUNDS, 0.7), edge=0.02))
    boxes += [things.furniture(draws) for _ in range(draws.integer(0, 3))]
    trees = tuple(things.greenery(draws, top=-2.0, cover=draws.uniform(0.2, 0.4)) for _ in range(draws.chance(0.4)))
    return Scene("street", (sky, sky, sky, sky), boxes=tuple(boxes), near=trees, blur=draws.uniform(0.01, 0.04))


def _tiles(draws: Draws) -> Scene:
    """Bricks, tiles, boards or striped wallpaper in fair focus."""
    face = picked(draws, draws.choice((palettes.WALLS, palettes.FACADES, palettes.WOODS)), draws.uniform(0.5, 1.1))
    height = draws.uniform(0.05, 0.22)
    shapes = {"bricks": (height * 2.6, height, 0.5), "tiles": (height, height, 0.0), "boards": (height, 20.0, 0.0)}
    width, height, shift = shapes[draws.choice(list(shapes))]
    other = scaled(face, draws.uniform(0.45, 0.85)) if draws.chance(0.7) else mixed(face, (0.8, 0.8, 0.78), 0.6)
    pattern = Pattern(
        draws.noise_seed(),
        round(width, 6),
        round(height, 6),
        shift,
        draws.uniform(0.003, 0.008),
        face,
        other,
        spread=draws.uniform(0.02, 0.3),
    )
    return Scene(
        "tiles",
        _sidelit(draws, face),
        pattern=pattern,
        blur=draws.uniform(0.004, 0.02),
        mottle=draws.uniform(0.1, 0.35),
    )


def _night(draws: Draws) -> Scene:
    """Lights of a city or a bar in the dark."""
    dark = scaled(picked(draws, palettes.THINGS), draws.uniform(0.02, 0.15))
    size = draws.uniform(0.015, 0.075)
    boxes = [things.furniture(draws, 0.12) for _ in range(draws.integer(1, 5))]
    depth = draws.uniform(0.3, 1.0)
    hues = tuple(draws.choice(palettes.LAMPS) for _ in range(draws.integer(2, 5)))
    lights = [
        things.bokeh(draws, size * draws.uniform(depth, 1.0), picked(draws, hues, draws.uniform(0.3, 2.5)))
        for _ in range(draws.integer(10, 38))
    ]
    return Scene(
        "night", _sidelit(draws, dark), boxes=tuple(boxes), lights=tuple(lights), blur=draws.uniform(0.015, 0.04)
    )


def _clutter(draws: Draws) -> Scene:
    """A notice board or a whiteboard: papers with lines of writing."""
    board = picked(draws, palettes.WALLS + palettes.WOODS, draws.uniform(0.5, 1.0))
    boxes = [part for _ in range(draws.integer(3, 7)) for part in things.paper(draws)]
    return Scene("clutter", _sidelit(draws, board), boxes=tuple(boxes), blur=draws.uniform(0.006, 0.02))


KINDS = {
    "wall": 3.0,
    "studio": 2.5,
    "indoor": 3.5,
    "shelves": 1.0,
    "outdoor": 2.0,
    "foliage": 2.0,
    "street": 1.5,
    "tiles": 1.2,
    "night": 1.2,
    "clutter": 0.6,
}
_DRAWN: dict[str, Callable[[Draws], Scene]] = {
    "wall": _wall,
    "studio": _studio,
    "indoor": _indoor,
    "shelves": _shelves,
    "outdoor": _outdoor,
    "foliage": _foliage,
    "street": _street,
    "tiles": _tiles,
    "night": _night,
    "clutter": _clutter,
}


def _sidelit(draws: Draws, rgb: Rgb) -> tuple[Rgb, Rgb, Rgb, Rgb]:
    """The colour at the four corners, under light from somewhere."""
    side, height = draws.normal(0.0, 0.28), draws.normal(0.12, 0.18)
    tones = [(1 + side * x) * (1 - height * y) for y in (-1, 1) for x in (-1, 1)]
    one, two, three, four = (scaled(rgb, max(0.15, tone)) for tone in tones)
    return one, two, three, four

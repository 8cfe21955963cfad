"""A person as numbers: bones, skin, hair, eyes, what they wear. Sampled so that tone, age and sex are balanced."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from faceforge.errors import BadSpec
from faceforge.face3d.embedded.traits import TRAITS
from faceforge.synth import limits
from faceforge.synth.draws import Draws, balanced
from faceforge.synth.palettes import THINGS, Rgb, mixed, palette, picked, scaled

TONES = 10  # the Monk scale
AGES = ((18, 29), (30, 41), (42, 55), (56, 80))
BANDS = ("18-29", "30-41", "42-55", "56+")
SEXES = ("female", "male")

# Albedo of the ten tones of the Monk scale: its swatches warmed, as skin is redder than they are, the darkest lifted.
_SKIN = palette("f0cdb8 ecc5ac e6bd9d d9ab86 c4946a a3744c 845639 683f2c 54311f 43281a")
_HAIR = palette("0d0b0a 191210 2a1a11 402818 5c3b20 87602f b58b4c 7d3517 4f2410")
_GREY = palette("b9b6b0")[0]
_IRIS = palette("2a160c 3d2412 5a3a1a 6b5a2c 55683f 5e7f96 7f98a6 86735a")
_IRIS_BY_TONE = ((3, 4, 3, 3, 3, 5, 4, 2), (8, 6, 3, 1, 1, 1, 0, 1), (12, 4, 1, 0, 0, 0, 0, 0))
_HAIR_BY_TONE = ((2, 3, 4, 5, 5, 4, 4, 2, 2), (6, 6, 4, 3, 1, 0.5, 0.5, 0.3, 0.5), (12, 6, 2, 1, 0, 0, 0, 0, 0.2))
_LIPSTICK = palette("a8323a b8465a 8c2434 c46a68 d07c86 7a2032 a04a3a")

HAIR_STYLES = ("bald", "buzz", "short", "side", "fringe", "receding", "curly", "bob", "long", "parted", "back", "afro")
_STYLE_WEIGHTS = {"female": (0.3, 0.4, 1.4, 1.0, 2.5, 0.0, 1.6, 3.0, 5.0, 4.0, 3.0, 1.0),
                  "male": (1.6, 2.5, 5.0, 4.0, 1.5, 2.5, 1.6, 0.2, 0.5, 0.5, 1.8, 0.8)}  # fmt: skip
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
GARMENTS = ("crew", "vneck", "shirt", "jacket", "hoodie", "turtleneck", "scarf")
GLASSES = ("none", "thin", "thick", "round", "dark")


@dataclass(frozen=True)
class Person:
    """Everything about one person that does not change between two pictures of them."""

    seed: int
    age: float
    sex: str
    tone: float  # Monk scale, 1..10
    traits: tuple[float, ...]  # in the order of TRAITS
    skin: Rgb
    hair_style: str
    hair: Rgb
    hair_volume: float
    hair_length: float
    part_side: float  # -1 right .. 1 left
    brow: float  # thickness
    brow_colour: Rgb
    beard: str
    beard_density: float
    iris: Rgb
    lip_redness: float
    lip: Rgb
    lipstick: float
    eyeliner: float
    shadow: float  # eye shadow
    shadow_colour: Rgb
    lashes: float
    blush: float
    freckles: float
    moles: float
    wrinkles: float
    shine: float
    bags: float
    glasses: str
    glasses_colour: Rgb
    clothes: Rgb
    collar: Rgb
    noise: int = field(default=0)
    garment: str = "crew"

    def __post_init__(self) -> None:
        limits.check(vars(self), RULES)

    @property
    def group(self) -> dict[str, str]:
        """The slices that reports are balanced over."""
        years = int(round(self.age, 1))
        decade = next(name for name, (_, top) in zip(BANDS, AGES, strict=True) if years <= top)
        return {"tone": f"{math.floor(self.tone + 0.5)}", "age": decade, "sex": self.sex}


_SHARE, _COLOUR = limits.number(0, 1), limits.row(3, 0, 100)
RULES: Mapping[str, limits.Rule] = {
    "age": limits.number(AGES[0][0], AGES[-1][1]), "sex": limits.word(SEXES), "tone": limits.number(1, TONES),
    "traits": limits.row(len(TRAITS), -4, 4), "hair_style": limits.word(HAIR_STYLES),
    "hair_volume": limits.number(0, 3), "part_side": limits.number(-1, 1), "brow": limits.number(0, 3),
    "beard": limits.word(BEARDS), "glasses": limits.word(GLASSES), "noise": limits.whole(0, 2**31 - 1),
} | dict.fromkeys(
    ("hair_length", "beard_density", "lip_redness", "lipstick", "eyeliner", "shadow", "lashes", "blush", "freckles",
     "moles", "wrinkles", "shine", "bags"), _SHARE,
) | dict.fromkeys(
    ("skin", "hair", "brow_colour", "iris", "lip", "shadow_colour", "glasses_colour", "clothes", "collar"), _COLOUR
)  # fmt: skip


def sample(seed: int, **wishes: Any) -> Person:
    """The person of a seed; eighty seeds in a row meet every tone, age band and sex once.

    Wishes name fields: the person is grown with that age, sex and tone, and whatever does not follow from them is as
    it would be without.
    """
    limits.check(wishes, RULES)
    if "skin" in wishes:
        raise BadSpec(f"skin={wishes['skin']!r} cannot be held: it follows from the tone. Hold the tone, from 1 to 10.")
    strata = balanced(seed, tone=TONES, age=len(AGES), sex=len(SEXES))
    draws = Draws(seed, "person")
    tone = round(min(10.0, max(1.0, strata["tone"] + 1 + draws.uniform(-0.45, 0.45))), 6)
    age, sex = draws.uniform(*AGES[strata["age"]]), SEXES[strata["sex"]]
    rest = dict(wishes)
    age, sex, tone = float(rest.pop("age", age)), rest.pop("sex", sex), float(rest.pop("tone", tone))
    if "hair" in rest:
        rest.setdefault("brow_colour", _brows(rest["hair"]))
    return replace(_grown(seed, age, sex, tone, draws), **rest)


def _grown(seed: int, age: float, sex: str, tone: float, draws: Draws) -> Person:
    """Every trait has draws of its own, so that one which is not drawn for everybody moves no other."""
    old, man = (age - 18) / 62, sex == "male"
    band = 0 if tone < 4.5 else 1 if tone < 7 else 2

    def uniform(name: str, low: float = 0.0, high: float = 1.0) -> float:
        return draws.child(name).uniform(low, high)

    def chance(name: str, probability: float) -> bool:
        return draws.child(name).chance(probability)

    def aged(name: str, mean: float, spread: float) -> float:
        return round(max(0.0, min(1.0, mean + draws.child(name).normal(0, spread))), 6)

    hair = scaled(draws.child("hair").choice(_HAIR, _HAIR_BY_TONE[band]), uniform("hair light", 0.8, 1.25))
    turned = 1.0 if man or chance("shows grey", 0.5) else 0.3
    hair = mixed(hair, _GREY, round(turned * aged("grey", (old - 0.45) * 1.6, 0.25), 6))
    style = draws.child("style").choice(HAIR_STYLES, _STYLE_WEIGHTS[sex])
    if style == "bald" and not man and not chance("bald woman", 0.5):
        style = "buzz"
    if style in ("long", "parted", "bob") and band == 2 and chance("afro", 0.35):
        style = "afro"
    beard = draws.child("beard").choice(BEARDS, (4, 3, 0.8, 0.8, 2)) if man else "none"
    made_up = not man and chance("made up", 0.55)
    lips = draws.child("lips")
    freckled = tone < 4 and chance("freckled", 0.3)
    return Person(
        seed=seed, age=age, sex=sex, tone=tone,
        traits=_traits(draws.child("traits"), old, man),
        skin=_skin(tone, draws.child("skin")),
        hair_style=style, hair=hair,
        hair_volume=uniform("hair volume", 0.6, 1.4), hair_length=uniform("hair length"),
        part_side=uniform("part side", -1, 1),
        brow=uniform("brow", 0.75, 1.35) if man else uniform("brow", 0.45, 1.0),
        brow_colour=_brows(hair),
        beard=beard, beard_density=uniform("beard density", 0.35, 1.0),
        iris=scaled(draws.child("iris").choice(_IRIS, _IRIS_BY_TONE[band]), uniform("iris light", 0.7, 1.3)),
        lip_redness=lips.uniform(0.25, 0.8),
        lip=picked(lips, _LIPSTICK), lipstick=lips.uniform(0.3, 0.9) if made_up else 0.0,
        eyeliner=uniform("eyeliner", 0.3, 1.0) if made_up else 0.0,
        shadow=uniform("eye shadow", 0.0, 0.5) if made_up else 0.0,
        shadow_colour=picked(draws.child("shadow"), THINGS, 0.6),
        lashes=uniform("lashes", 0.25, 0.6) if man else uniform("lashes", 0.5, 1.0),
        blush=uniform("blush", 0.2, 0.9), freckles=uniform("freckles", 0.3, 1.0) if freckled else 0.0,
        moles=uniform("moles"), wrinkles=aged("wrinkles", old * 1.15, 0.12),
        shine=uniform("shine", 0.3, 1.0), bags=aged("bags", 0.25 + 0.6 * old, 0.2),
        glasses=draws.child("glasses").choice(GLASSES, (8.2, 0.7, 0.6, 0.4, 0.1)),
        glasses_colour=draws.child("frame").choice(palette("101010 3a2a1c 8a8a8a 5a1c1c b89a5c")),
        clothes=picked(draws.child("clothes"), THINGS), collar=picked(draws.child("collar"), THINGS),
        noise=draws.child("noise").noise_seed(),
        garment=draws.child("garment").choice(GARMENTS, (5, 3, 4, 3, 2, 1.5, 1)),
    )  # fmt: skip


def _brows(hair: Rgb) -> Rgb:
    return mixed(scaled(hair, 0.75), (0.02, 0.014, 0.01), 0.35)


def _skin(tone: float, draws: Draws) -> Rgb:
    low = min(8, int(tone - 1))
    base = mixed(_SKIN[low], _SKIN[low + 1], round(tone - 1 - low, 6))
    warm, light = draws.normal(0, 0.05), draws.normal(1, 0.05)
    return (
        round(base[0] * light * (1 + 0.5 * warm), 6),
        round(base[1] * light, 6),
        round(base[2] * light * (1 - warm), 6),
    )


# How a man's mean differs from a woman's, and an old face from a young one, in standard deviations.
_MALE = {
    "head_width": 0.35, "face_length": 0.5, "brow_ridge": 1.1, "jaw_width": 0.8, "jaw_angle": 0.3, "chin_height": 0.5,
    "chin_width": 0.7, "chin_forward": 0.3, "cheekbone": -0.3, "cheek_full": -0.5, "neck_width": 1.2,
    "nose_length": 0.4, "nose_width": 0.5, "nose_bridge": 0.3, "tip_size": 0.3, "lip_upper": -0.7, "lip_lower": -0.5,
    "eye_open": -0.5, "eye_size": -0.2, "brow_height": -0.7, "brow_arch": -0.9, "ear_size": 0.4, "mouth_width": 0.3,
    "forehead_slope": 0.4,
}  # fmt: skip
_OLD = {
    "nose_length": 0.7, "tip_size": 0.5, "tip_up": -0.6, "ear_size": 0.9, "lip_upper": -1.2, "lip_lower": -0.9,
    "jowl": 1.4, "double_chin": 0.6, "eye_open": -1.0, "lid_fold": -0.6, "nasolabial": 1.6, "cheek_full": -0.5,
    "eye_bag": 1.4, "brow_height": -0.5, "corner_up": -0.8, "temple": -0.5, "forehead_height": 0.5,
}  # fmt: skip


def _traits(draws: Draws, old: float, man: bool) -> tuple[float, ...]:
    build = draws.normal()  # slim to heavy
    heavy = {"cheek_full": 0.6, "neck_width": 0.5, "double_chin": 0.8, "jowl": 0.4, "jaw_width": 0.25}
    values = []
    for name in TRAITS:
        mean = (0.5 if man else -0.5) * _MALE.get(name, 0.0) + (old - 0.35) * _OLD.get(name, 0.0)
        mean += build * heavy.get(name, 0.0)
        values.append(round(max(-2.2, min(2.2, mean + draws.normal(0, 0.8))), 6))
    return tuple(values)

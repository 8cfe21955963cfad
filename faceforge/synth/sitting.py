"""One picture to be taken, as numbers: who, with which expression, pose and gaze, where, in which light, how.

A sitting is drawn from a seed alone and is equal, to the last digit, on every machine.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from faceforge.aus import PRESETS, checked, unsided
from faceforge.errors import BadSpec, nearest
from faceforge.synth import limits, occluders, person, photo, places
from faceforge.synth.captions import caption
from faceforge.synth.draws import Draws, check_seed
from faceforge.synth.occluders import Occluder
from faceforge.synth.palettes import Rgb, mixed, scaled
from faceforge.synth.person import Person
from faceforge.synth.photo import Photo
from faceforge.synth.scene import Scene, surroundings
from faceforge.synth.shots import Camera, Light


@dataclass(frozen=True)
class Sitting:
    """Everything that one portrait shows; angles in degrees, positive to the picture's right and up."""

    seed: int
    person: Person
    aus: Mapping[str, float]
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    gaze_yaw_deg: float  # of the eyes within the head
    gaze_pitch_deg: float
    light: Light
    camera: Camera
    scene: Scene
    photo: Photo
    occluder: Occluder | None
    noise: int  # of the sensor

    def __post_init__(self) -> None:
        limits.check(vars(self), _RULES)
        object.__setattr__(self, "aus", _faced(self.aus))

    def labels(self) -> dict[str, Any]:
        """Plain numbers and words for a table or a JSON file."""
        return {
            "seed": self.seed,
            "identity": self.person.seed,
            **self.person.group,
            "years": round(self.person.age, 1),
            "aus": dict(self.aus),
            "yaw_deg": self.yaw_deg,
            "pitch_deg": self.pitch_deg,
            "roll_deg": self.roll_deg,
            "gaze_yaw_deg": self.gaze_yaw_deg,
            "gaze_pitch_deg": self.gaze_pitch_deg,
            "light": asdict(self.light),
            "camera": asdict(self.camera),
            "scene": self.scene.kind,
            "photo": asdict(self.photo),
            "occluder": self.occluder.kind if self.occluder else None,
            "hair": self.person.hair_style,
            "beard": self.person.beard,
            "glasses": self.person.glasses,
            "caption": self.caption(),
        }

    def caption(self) -> str:
        """The picture in a few plain words, parameters only."""
        return caption(self.person, self.aus, self.yaw_deg)


MOST = 5.0  # of FACS intensities
YAW_DEG, PITCH_DEG, GAZE_DEG = 90.0, 60.0, 50.0  # how far heads and eyes turn to either side
_RULES: Mapping[str, limits.Rule] = {
    "person": limits.instance(Person), "light": limits.instance(Light), "camera": limits.instance(Camera),
    "scene": limits.instance(Scene), "photo": limits.instance(Photo),
    "occluder": limits.optional(limits.instance(Occluder)), "aus": limits.instance(Mapping),
    "yaw_deg": limits.number(-YAW_DEG, YAW_DEG), "pitch_deg": limits.number(-PITCH_DEG, PITCH_DEG),
    "roll_deg": limits.number(-180, 180),
    "gaze_yaw_deg": limits.number(-GAZE_DEG, GAZE_DEG), "gaze_pitch_deg": limits.number(-GAZE_DEG, GAZE_DEG),
    "noise": limits.whole(0, 2**31 - 1),
}  # fmt: skip


def _faced(aus: Mapping[str, float]) -> dict[str, float]:
    """Intensities as a face can have them: 0..5, also where one side adds to both."""
    found = checked(aus)
    for code, value in found.items():
        if value < 0 or value + (found.get(unsided(code), 0.0) if unsided(code) != code else 0.0) > MOST:
            raise BadSpec(f"aus: {code}={value!r} is out of range. Give FACS intensities from 0 to 5, sides added up.")
    return found


def sample(seed: int, *, allow_reserved: bool = False, **overrides: Any) -> Sitting:
    """The sitting of a seed. Overrides name fields of Sitting or of Person, and are wishes that the rest is drawn to.

    Somebody held at an age has skin, hair and bones of that age; what does not depend on it is as the seed has it.
    """
    check_seed(seed, allow_reserved=allow_reserved)
    own, whose = _sorted_out(overrides)
    draws = Draws(seed, "sitting")
    who = own.pop("person") if "person" in own else person.sample(seed, **whose)
    check_seed(who.seed, allow_reserved=allow_reserved)
    yaw, pitch, roll = pose(draws.child("pose"))
    yaw, pitch = own.pop("yaw_deg", yaw), own.pop("pitch_deg", pitch)
    gaze = draws.child("gaze")
    follow = gaze.choice((0.0, 0.8), (1, 2))  # most people look towards the camera
    scene = own.pop("scene") if "scene" in own else places.sample(draws.child("scene"))
    camera = own.pop("camera") if "camera" in own else _camera(draws.child("camera"))
    made = Sitting(
        seed=seed,
        person=who,
        aus=own.pop("aus") if "aus" in own else expression(draws.child("aus")),
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
        gaze_yaw_deg=round(max(-30.0, min(30.0, gaze.normal(0, 6) - follow * yaw)), 6),
        gaze_pitch_deg=round(max(-20.0, min(20.0, gaze.normal(0, 4) - follow * pitch)), 6),
        light=light_in(draws.child("light"), scene),
        camera=camera,
        scene=scene,
        photo=photo.sample(draws.child("photo")),
        occluder=_before(draws.child("occluder"), who, camera),
        noise=draws.noise_seed(),
    )
    return replace(made, **own)


def expression(draws: Draws) -> dict[str, float]:
    """Action units as faces show them: nothing, a few of them, or a known mixture."""
    kind = draws.choice(("neutral", "few", "mixture"), (2, 5, 4))
    if kind == "neutral":
        return {}
    if kind == "mixture":
        chosen = PRESETS[draws.choice(sorted(PRESETS))]
        amount = draws.uniform(0.2, 1.2)
        found = {code: value * amount * draws.uniform(0.6, 1.3) for code, value in chosen.items()}
    else:
        codes = draws.shuffled(sorted(_UNITS))[: draws.integer(1, 4)]
        found = {code: draws.uniform(0.3, _UNITS[code]) for code in codes}
    if "AU27" in found:
        found.pop("AU26", None)
    if draws.chance(0.07):
        found["AU43"] = draws.uniform(2.0, 5.0)
    sided = {}
    for code, value in found.items():
        one_sided = code not in ("AU25", "AU26", "AU27", "AU17") and draws.chance(0.06)
        sided[code + draws.choice("LR") if one_sided else code] = round(min(MOST, value), 3)
    return sided


# The units that faces are drawn with, and how far each goes.
_UNITS = {f"AU{n}": 5.0 for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 28)} | {
    "AU27": 4.0, "AU33": 4.0
}  # fmt: skip


def pose(draws: Draws) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees."""
    wide = draws.choice((9.0, 26.0), (2, 1))
    return draws.normal(0, wide, clip=2.4), draws.normal(0, 7, clip=2.5), draws.normal(0, 5, clip=2.5)


def _camera(draws: Draws) -> Camera:
    return Camera(
        distance=draws.log_uniform(45.0, 220.0),
        half_extent=draws.uniform(11.8, 17.5),
        x=draws.normal(0, 1.0, clip=2.5),
        y=draws.normal(1.4, 0.9, clip=2.5),
        roll_deg=draws.normal(0, 3.0, clip=2.5),
    )


def light_in(draws: Draws, scene: Scene) -> Light:
    """A key lamp, a fill and one behind, over the ambient light of the scene."""
    sides = surroundings(scene)
    warm = draws.normal(0, 0.06)
    key = scaled((1 + warm, 1.0, 1 - warm), draws.uniform(0.35, 1.2))
    fill = scaled((1 - warm, 1.0, 1 + warm), draws.uniform(0.0, 0.45))
    back = scaled((1.0, 1.0, 1.0), draws.uniform(0.0, 0.9) if draws.chance(0.35) else 0.0)
    level = draws.uniform(0.16, 0.42)
    turn, height = draws.uniform(-80, 80), draws.uniform(5, 62)
    middle = mixed(mixed(sides.left, sides.right, 0.5), mixed(sides.top, sides.bottom, 0.5), 0.5)
    gain = level / max(0.05, sum(middle) / 3)

    def from_side(colour: Rgb, share: float = 1.0) -> Rgb:
        return scaled(mixed(mixed(colour, middle, 0.4), (1 / gain * level,) * 3, 0.5), share * gain)

    return Light(
        directions=(_towards(turn, height), _towards(-turn * 0.7, height * 0.3), _towards(180 - turn * 0.4, 35)),
        colours=(key, fill, back),
        sky=(
            from_side(sides.right), from_side(sides.left), from_side(sides.top, 1.25), from_side(sides.bottom, 0.6),
            from_side(middle), from_side(middle, 0.5),
        ),
    )  # fmt: skip


def _towards(turn_deg: float, height_deg: float) -> tuple[float, float, float]:
    turn, height = math.radians(turn_deg), math.radians(height_deg)
    flat = math.cos(height)
    x, y, z = flat * math.sin(turn), math.sin(height), flat * math.cos(turn)
    return (round(x, 9), round(y, 9), round(z, 9))


def _before(draws: Draws, who: Person, camera: Camera) -> Occluder | None:
    found = occluders.sample(draws, occluders.Person(who.skin, who.hair))
    scale = 0.5 * 22.0 / (2 * camera.half_extent) / 0.3
    return found.placed(-camera.x / camera.half_extent / 2, 0.0, scale) if found else None


def _sorted_out(overrides: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Overrides of the sitting, checked, and of the person in it, who checks them."""
    sitting_names = {field.name for field in fields(Sitting)} - {"seed"}
    person_names = {field.name for field in fields(Person)} - {"seed"}
    unknown = [name for name in overrides if name not in sitting_names | person_names]
    if unknown:
        raise BadSpec(f"A portrait has no {unknown[0]!r}. {nearest(unknown[0], sorted(sitting_names | person_names))}")
    own = {name: value for name, value in overrides.items() if name in sitting_names}
    whose = {name: value for name, value in overrides.items() if name in person_names and name not in own}
    if "person" in own and whose:
        raise BadSpec(f"Both person and {next(iter(whose))!r} are given. Give the person, or parts of one.")
    limits.check(own, _RULES)
    return own, whose

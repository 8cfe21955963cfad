"""One picture to be taken, as numbers: who, with which expression, pose and gaze, where, in which light, how.

A sitting is drawn from a seed alone and is equal, to the last digit, on every machine.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from faceforge.aus import PRESETS, checked
from faceforge.errors import BadSpec, nearest
from faceforge.synth import occluders, person, photo, places
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
        who = "woman" if self.person.sex == "female" else "man"
        age = "young" if self.person.age < 30 else "middle-aged" if self.person.age < 56 else "old"
        doing = [word for code, word in _WORDS.items() if self.aus.get(code, 0.0) >= 1.5]
        turned = "" if abs(self.yaw_deg) < 15 else f", turned {'right' if self.yaw_deg > 0 else 'left'}"
        hair = "bald" if self.person.hair_style == "bald" else f"with {self.person.hair_style} hair"
        return f"a portrait of a {age} {who} {hair}{turned}{', ' if doing else ''}{' and '.join(doing[:3])}"


_WORDS = {
    "AU12": "smiling", "AU4": "frowning", "AU1": "raising the inner brows", "AU2": "raising the outer brows",
    "AU15": "with lip corners down", "AU9": "wrinkling the nose", "AU26": "with the jaw dropped",
    "AU25": "with parted lips", "AU5": "with wide eyes", "AU6": "with raised cheeks", "AU17": "raising the chin",
    "AU20": "stretching the lips", "AU43": "with closed eyes",
}  # fmt: skip


def sample(seed: int, *, allow_reserved: bool = False, **overrides: Any) -> Sitting:
    """The sitting of a seed. Overrides name fields of Sitting or of Person, and stand for what would be drawn."""
    check_seed(seed, allow_reserved=allow_reserved)
    own, whose = _sorted_out(overrides)
    draws = Draws(seed, "sitting")
    who = own.pop("person", None) or replace(person.sample(seed), **whose)
    yaw, pitch, roll = _pose(draws.child("pose"))
    yaw, pitch = own.pop("yaw_deg", yaw), own.pop("pitch_deg", pitch)
    gaze = draws.child("gaze")
    follow = gaze.choice((0.0, 0.8), (1, 2))  # most people look towards the camera
    scene = own.pop("scene", None) or places.sample(draws.child("scene"))
    camera = own.pop("camera", None) or _camera(draws.child("camera"))
    made = Sitting(
        seed=seed,
        person=who,
        aus=checked(own.pop("aus", None) if "aus" in own else expression(draws.child("aus"))),
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
        gaze_yaw_deg=round(max(-30.0, min(30.0, gaze.normal(0, 6) - follow * yaw)), 6),
        gaze_pitch_deg=round(max(-20.0, min(20.0, gaze.normal(0, 4) - follow * pitch)), 6),
        light=_light(draws.child("light"), scene),
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
        sided[code + draws.choice("LR") if one_sided else code] = round(min(5.0, value), 3)
    return sided


# The units that faces are drawn with, and how far each goes.
_UNITS = {f"AU{n}": 5.0 for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 28)} | {
    "AU27": 4.0, "AU33": 4.0
}  # fmt: skip


def pair(
    seed: int, change: tuple[str, ...] = ("aus",), *, allow_reserved: bool = False, **overrides: Any
) -> tuple[Sitting, Sitting]:
    """Two pictures of one person; only what `change` names differs (aus, pose, light), the background stays aligned."""
    unknown = [name for name in change if name not in ("aus", "pose", "light")]
    if unknown:
        raise BadSpec(f"A pair cannot change {unknown[0]!r}. Choose from 'aus', 'pose' and 'light'.")
    first = sample(seed, allow_reserved=allow_reserved, **overrides)
    draws = Draws(seed, "pair")
    other = replace(first, noise=draws.noise_seed())
    if "aus" in change:
        other = replace(other, aus=checked(expression(draws.child("aus"))))
    if "pose" in change:
        yaw, pitch, roll = _pose(draws.child("pose"))
        other = replace(other, yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)
    if "light" in change:
        other = replace(other, light=_light(draws.child("light"), first.scene))
    return first, other


def clip(seed: int, frames: int, fps: float = 25.0, *, allow_reserved: bool = False, **overrides: Any) -> list[Sitting]:
    """One person over time: an expression comes and goes, the head drifts, the eyes blink."""
    if frames < 1 or not fps > 0:
        raise BadSpec(
            f"A clip of {frames!r} frames at {fps!r} per second is none. Give at least one frame, fps above 0."
        )
    start = sample(seed, allow_reserved=allow_reserved, **overrides)
    draws = Draws(seed, "clip")
    target = checked(expression(draws.child("aus"))) or {"AU12": 3.0}
    onset, apex = draws.uniform(0.1, 0.4), draws.uniform(0.45, 0.7)
    blink = draws.uniform(0.2, 0.8)
    waves = [(draws.normal(0, 1.0), draws.uniform(0.1, 0.35), draws.uniform()) for _ in range(5)]
    made = []
    for frame in range(frames):
        time, share = frame / fps, frame / max(1, frames - 1)
        drift = [size * _wave(rate * time + phase) for size, rate, phase in waves]
        amount = _eased((share - onset) / (apex - onset)) * (1 - 0.7 * _eased((share - apex) / (1 - apex)))
        aus = {code: round(amount * value, 3) for code, value in target.items()}
        shut = max(0.0, 1 - abs(share - blink) * (frames / fps) / 0.12)
        if shut > 0:
            aus["AU43"] = round(min(5.0, aus.get("AU43", 0.0) + 5 * shut), 3)
        made.append(
            replace(
                start,
                aus=checked(aus),
                yaw_deg=round(start.yaw_deg + 5 * drift[0], 6),
                pitch_deg=round(start.pitch_deg + 3 * drift[1], 6),
                roll_deg=round(start.roll_deg + 2 * drift[2], 6),
                gaze_yaw_deg=round(start.gaze_yaw_deg + 4 * drift[3], 6),
                gaze_pitch_deg=round(start.gaze_pitch_deg + 2 * drift[4], 6),
                noise=Draws(seed, "frame", str(frame)).noise_seed(),
            )
        )
    return made


def _wave(turns: float) -> float:
    return round(math.sin(2 * math.pi * turns), 9)  # libraries differ in the last digits


def _eased(share: float) -> float:
    share = max(0.0, min(1.0, share))
    return share * share * (3 - 2 * share)


def _pose(draws: Draws) -> tuple[float, float, float]:
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


def _light(draws: Draws, scene: Scene) -> Light:
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
    """Overrides of the sitting, and of the person in it."""
    sitting_names = {field.name for field in fields(Sitting)} - {"seed"}
    person_names = {field.name for field in fields(Person)} - {"seed"}
    unknown = [name for name in overrides if name not in sitting_names | person_names]
    if unknown:
        raise BadSpec(f"A portrait has no {unknown[0]!r}. {nearest(unknown[0], sitting_names | person_names)}")
    own = {name: value for name, value in overrides.items() if name in sitting_names}
    whose = {name: value for name, value in overrides.items() if name in person_names and name not in own}
    if "person" in own and whose:
        raise BadSpec(f"Both person and {next(iter(whose))!r} are given. Give the person, or parts of one.")
    return own, whose

"""One picture to be taken, as numbers: who, with which expression, pose and gaze, where, in which light, how.

A sitting is drawn from a seed alone and is equal, to the last digit, on every machine.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from itertools import count
from typing import Any, TypeVar

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
        if value < 0 or value + (found.get(unsided(code), 0.0) if unsided(code) != code else 0.0) > _MOST:
            raise BadSpec(f"aus: {code}={value!r} is out of range. Give FACS intensities from 0 to 5, sides added up.")
    return found


_MOST = 5.0


def sample(seed: int, *, allow_reserved: bool = False, **overrides: Any) -> Sitting:
    """The sitting of a seed. Overrides name fields of Sitting or of Person, and are wishes that the rest is drawn to.

    Somebody held at an age has skin, hair and bones of that age; what does not depend on it is as the seed has it.
    """
    check_seed(seed, allow_reserved=allow_reserved)
    own, whose = _sorted_out(overrides)
    draws = Draws(seed, "sitting")
    who = own.pop("person") if "person" in own else person.sample(seed, **whose)
    check_seed(who.seed, allow_reserved=allow_reserved)
    yaw, pitch, roll = _pose(draws.child("pose"))
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
        sided[code + draws.choice("LR") if one_sided else code] = round(min(_MOST, value), 3)
    return sided


# The units that faces are drawn with, and how far each goes.
_UNITS = {f"AU{n}": 5.0 for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 28)} | {
    "AU27": 4.0, "AU33": 4.0
}  # fmt: skip


def pair(
    seed: int, change: tuple[str, ...] = ("aus",), *, allow_reserved: bool = False, **overrides: Any
) -> tuple[Sitting, Sitting]:
    """Two pictures of one person; only what `change` names differs, visibly (aus, pose, light).

    The background stays aligned.
    """
    unknown = [name for name in change if name not in CHANGES]
    if isinstance(change, str) or unknown or not change:
        told = repr(unknown[0]) if unknown and not isinstance(change, str) else repr(change)
        raise BadSpec(f"A pair cannot change {told}. Choose from 'aus', 'pose' and 'light', as in ('aus',).")
    first = sample(seed, allow_reserved=allow_reserved, **overrides)
    draws = Draws(seed, "pair")
    other = replace(first, noise=draws.noise_seed())
    if "aus" in change:
        aus = _until(draws.child("aus"), expression, lambda found: _apart(first.aus, found) >= _LEAST_AU)
        other = replace(other, aus=aus)
    if "pose" in change:
        now = (first.yaw_deg, first.pitch_deg, first.roll_deg)
        yaw, pitch, roll = _until(
            draws.child("pose"),
            _pose,
            lambda found: max(abs(new - old) for new, old in zip(found, now, strict=True)) >= _LEAST_DEG,
        )
        other = replace(other, yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)
    if "light" in change:
        light = _until(
            draws.child("light"),
            lambda some: _light(some, first.scene),
            lambda found: _relit(first.light, found) >= _LEAST_LIGHT,
        )
        other = replace(other, light=light)
    return first, other


CHANGES = ("aus", "pose", "light")
# By how much the two of a pair differ at least: intensity, degrees, and light as a share of the brighter one.
_LEAST_AU, _LEAST_DEG, _LEAST_LIGHT = 1.0, 5.0, 0.2
_T = TypeVar("_T")


def _until(draws: Draws, drawn: Callable[[Draws], _T], good: Callable[[_T], bool]) -> _T:
    """The first draw that is good; most are."""
    tries = (drawn(draws if number == 0 else draws.child(f"again {number}")) for number in count())
    return next(found for found in tries if good(found))


def _apart(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The largest difference of any unit on either side of the face."""
    units = {unsided(code) for code in (*one, *other)}
    sides = ((unit, side) for unit in units for side in "LR")
    return max((abs(_on(one, *side) - _on(other, *side)) for side in sides), default=0.0)


def _on(aus: Mapping[str, float], unit: str, side: str) -> float:
    return aus.get(unit, 0.0) + aus.get(unit + side, 0.0)


def _relit(one: Light, other: Light) -> float:
    """The largest change of the light on faces of a cube, as a share of the brighter of the two."""
    shares = []
    for normal, sky in zip(_CUBE, range(5), strict=True):
        old, new = (_falling(light, normal, sky) for light in (one, other))
        shares.append(abs(old - new) / max(old, new, 0.05))
    return max(shares)


_CUBE = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1))  # what lies behind is not seen


def _falling(light: Light, normal: tuple[int, int, int], sky: int) -> float:
    """Light on a plane with this normal, grey."""
    total = sum(light.sky[sky]) / 3
    for direction, colour in zip(light.directions, light.colours, strict=True):
        cosine = sum(along * part for along, part in zip(direction, normal, strict=True))
        total += max(0.0, cosine) * sum(colour) / 3
    return total


def clip(seed: int, frames: int, fps: float = 25.0, *, allow_reserved: bool = False, **overrides: Any) -> list[Sitting]:
    """One person over time: an expression comes and goes, the head drifts, the eyes blink.

    Held action units are what the expression comes to; held angles are what the head drifts about.
    """
    limits.check({"frames": frames, "fps": fps}, _FILM)
    start = sample(seed, allow_reserved=allow_reserved, **overrides)
    draws = Draws(seed, "clip")
    target = start.aus if "aus" in overrides else expression(draws.child("aus")) or {"AU12": 3.0}
    onset, apex = draws.uniform(0.1, 0.4), draws.uniform(0.45, 0.7)
    blink = draws.uniform(0.2, 0.8)
    waves = [(draws.normal(0, 1.0), draws.uniform(0.1, 0.35), draws.uniform()) for _ in range(5)]
    return [*_film(start, target, (onset, apex, blink), waves, frames, fps)]


_FILM = {"frames": limits.whole(1), "fps": limits.number(1e-3, 1e6)}


def _film(
    start: Sitting,
    target: Mapping[str, float],
    times: tuple[float, float, float],
    waves: list[tuple[float, float, float]],
    frames: int,
    fps: float,
) -> Iterator[Sitting]:
    onset, apex, blink = times
    for frame in range(frames):
        time, share = frame / fps, frame / max(1, frames - 1)
        drift = [size * _wave(rate * time + phase) for size, rate, phase in waves]
        amount = _eased((share - onset) / (apex - onset)) * (1 - 0.7 * _eased((share - apex) / (1 - apex)))
        aus = {code: round(amount * value, 3) for code, value in target.items()}
        yield replace(
            start,
            aus=_blinking(aus, max(0.0, 1 - abs(share - blink) * (frames / fps) / 0.12)),
            yaw_deg=_turned(start.yaw_deg + 5 * drift[0], YAW_DEG),
            pitch_deg=_turned(start.pitch_deg + 3 * drift[1], PITCH_DEG),
            roll_deg=_turned(start.roll_deg + 2 * drift[2], 180.0),
            gaze_yaw_deg=_turned(start.gaze_yaw_deg + 4 * drift[3], GAZE_DEG),
            gaze_pitch_deg=_turned(start.gaze_pitch_deg + 2 * drift[4], GAZE_DEG),
            noise=Draws(start.seed, "frame", str(frame)).noise_seed(),
        )


def _blinking(aus: dict[str, float], shut: float) -> dict[str, float]:
    """Intensities with both eyes closed by a share; an eye that was closed alone closes no further than that."""
    if shut <= 0:
        return aus
    both = round(min(_MOST, aus.get("AU43", 0.0) + _MOST * shut), 3)
    most = {"AU43L": round(_MOST - both, 3), "AU43R": round(_MOST - both, 3)}
    return {code: min(value, most.get(code, _MOST)) for code, value in aus.items()} | {"AU43": both}


def _turned(angle_deg: float, most: float) -> float:
    return round(max(-most, min(most, angle_deg)), 6)


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
    """Overrides of the sitting, checked, and of the person in it, who checks them."""
    sitting_names = {field.name for field in fields(Sitting)} - {"seed"}
    person_names = {field.name for field in fields(Person)} - {"seed"}
    unknown = [name for name in overrides if name not in sitting_names | person_names]
    if unknown:
        raise BadSpec(f"A portrait has no {unknown[0]!r}. {nearest(unknown[0], sitting_names | person_names)}")
    own = {name: value for name, value in overrides.items() if name in sitting_names}
    whose = {name: value for name, value in overrides.items() if name in person_names and name not in own}
    if "person" in own and whose:
        raise BadSpec(f"Both person and {next(iter(whose))!r} are given. Give the person, or parts of one.")
    limits.check(own, _RULES)
    return own, whose

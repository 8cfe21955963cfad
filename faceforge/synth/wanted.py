"""What a dataset is to hold, as plain values: which sittings it numbers, and how their pictures are called."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from faceforge.errors import BadSpec, nearest
from faceforge.synth.draws import RESERVED, check_seed
from faceforge.synth.occluders import Occluder
from faceforge.synth.person import AGES, BEARDS, GLASSES, HAIR_STYLES, SEXES, TONES, Person
from faceforge.synth.sitting import Sitting, clip, pair, sample

KINDS = ("portraits", "pairs", "clips")
FORMATS = ("folder", "webdataset")
PICTURES = ("png", "jpg", "webp")
MAPS = ("parts", "depth", "normals")

_PERSONAL = frozenset(each.name for each in fields(Person))
_WORDS = {"sex": SEXES, "hair_style": HAIR_STYLES, "beard": BEARDS, "glasses": GLASSES}
_RANGES = {"age": (AGES[0][0], AGES[-1][1]), "tone": (1, TONES)}
_BLOCK = 16  # pictures that are made and recorded together; part of what makes their bytes the same


@dataclass(frozen=True)
class Wanted:
    """`count` portraits, pairs or clips, of the seeds from `seed` on; one seed each."""

    count: int
    seed: int = 0
    size: int = 256
    kind: Literal["portraits", "pairs", "clips"] = "portraits"
    change: tuple[str, ...] = ("aus",)  # between the two of a pair
    frames: int = 25  # of a clip
    fps: float = 25.0
    per_person: int = 1  # so many seeds in a row show one person
    overrides: Mapping[str, Any] = field(default_factory=dict)
    format: Literal["folder", "webdataset"] = "folder"
    picture: Literal["png", "jpg", "webp"] = "png"
    maps: tuple[str, ...] = ()
    shard_megabytes: int = 512
    allow_reserved: bool = False

    def check(self) -> None:
        """Refuse what cannot be made, before anything is."""
        for name, known in (("kind", KINDS), ("format", FORMATS), ("picture", PICTURES)):
            if getattr(self, name) not in known:
                raise BadSpec(
                    f"{name}={getattr(self, name)!r} is not known. {nearest(str(getattr(self, name)), known)}"
                )
        unknown = [name for name in self.maps if name not in MAPS]
        if unknown:
            raise BadSpec(f"There is no map {unknown[0]!r}. {nearest(unknown[0], MAPS)}")
        for name in ("count", "per_person", "frames", "shard_megabytes"):
            if getattr(self, name) < 1:
                raise BadSpec(f"{name}={getattr(self, name)!r} is too few. Give a whole number from 1.")
        if not 1 <= self.size <= 4096:
            raise BadSpec(f"size={self.size!r} is not a picture's size. Give a whole number from 1 to 4096.")
        check_seeds(range(self.seed, self.seed + self.count), self.per_person, allow_reserved=self.allow_reserved)
        check_overrides(self.overrides)
        self.sittings(0)

    @property
    def pictures_each(self) -> int:
        """Pictures of one seed."""
        return {"portraits": 1, "pairs": 2, "clips": self.frames}[self.kind]

    @property
    def block(self) -> int:
        """Seeds that are made and recorded together."""
        return max(1, _BLOCK // self.pictures_each)

    def sittings(self, number: int) -> list[Sitting]:
        """The sittings of one seed, the first seed having the number 0."""
        seed, allowed = self.seed + number, self.allow_reserved
        overrides = personal(seed, self.per_person, self.overrides, allow_reserved=allowed)
        if self.kind == "pairs":
            return list(pair(seed, self.change, allow_reserved=allowed, **overrides))
        if self.kind == "clips":
            return clip(seed, self.frames, self.fps, allow_reserved=allowed, **overrides)
        return [sample(seed, allow_reserved=allowed, **overrides)]

    def group(self, number: int) -> dict[str, str]:
        """Tone, age and sex of the person of one seed."""
        overrides = personal(self.seed + number, self.per_person, self.overrides, allow_reserved=self.allow_reserved)
        return sample(self.seed + number, allow_reserved=self.allow_reserved, **overrides).person.group

    def stems(self, number: int) -> list[str]:
        """What the pictures of one seed are called, without the suffix: 000123, 000123.b, 000123.0007."""
        own = f"{self.seed + number:06d}"
        if self.kind == "pairs":
            return [f"{own}.a", f"{own}.b"]
        return [f"{own}.{frame:04d}" for frame in range(self.frames)] if self.kind == "clips" else [own]


def check_seeds(seeds: range, per_person: int = 1, *, allow_reserved: bool = False) -> None:
    """Refuse seeds that are none or kept for evaluation, of the pictures and of the people in them."""
    for each in (seeds, range(seeds.start // per_person, (seeds.stop - 1) // per_person + 1)):
        check_seed(each.start, allow_reserved=allow_reserved)
        check_seed(each.stop - 1, allow_reserved=allow_reserved)
        if each.start < RESERVED.start < each.stop:
            check_seed(RESERVED.start, allow_reserved=allow_reserved)


def check_overrides(overrides: Mapping[str, Any]) -> None:
    """Refuse values that no portrait could have, or that would make its labels untrue."""
    usual = sample(0)
    drawn = {**vars(usual.person), **vars(usual)}
    for name, value in overrides.items():
        if name == "seed":
            raise BadSpec("A portrait's seed is not overridden. Give the dataset another seed.")
        if name in _WORDS:
            if value not in _WORDS[name]:
                raise BadSpec(f"{name}={value!r} is not known. {nearest(str(value), _WORDS[name])}")
        elif isinstance(drawn.get(name), float):
            _check_number(name, value)
        elif name == "occluder":
            if not isinstance(value, Occluder | None):
                raise BadSpec(f"occluder={value!r} is a {type(value).__name__}. Give an Occluder, or None.")
        elif name in drawn and name != "aus" and not isinstance(value, type(drawn[name])):
            raise BadSpec(f"{name}={value!r} is a {type(value).__name__}. Give a {type(drawn[name]).__name__}.")


def _check_number(name: str, value: object) -> None:
    low, high = _RANGES.get(name, (-math.inf, math.inf))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadSpec(f"{name}={value!r} is not a number. Give a finite one.")
    if not low <= value <= high:
        raise BadSpec(f"{name}={value!r} is out of range. Give a number from {low} to {high}.")


def personal(seed: int, per_person: int, overrides: Mapping[str, Any], *, allow_reserved: bool) -> dict[str, Any]:
    """The overrides, with the person whom this seed shares with its neighbours."""
    if per_person == 1 or "person" in overrides:
        return dict(overrides)
    whose = {name: value for name, value in overrides.items() if name in _PERSONAL}
    who = sample(check_seed(seed // per_person, allow_reserved=allow_reserved), allow_reserved=True, **whose).person
    return {name: value for name, value in overrides.items() if name not in _PERSONAL} | {"person": who}

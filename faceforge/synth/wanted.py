"""What a dataset is to hold, as plain values: which sittings it numbers, and how their pictures are called."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from faceforge.errors import BadSpec, nearest
from faceforge.synth import limits
from faceforge.synth.draws import RESERVED, check_seed
from faceforge.synth.person import Person
from faceforge.synth.series import clip, pair
from faceforge.synth.sitting import Sitting, sample

KINDS = ("portraits", "pairs", "clips")
FORMATS = ("folder", "webdataset")
PICTURES = ("png", "jpg", "webp")
MAPS = ("parts", "depth", "normals")

_NOT_HELD = ("seed", "allow_reserved", "change", "frames", "fps")  # the arguments of sample, pair and clip
_PERSONAL = frozenset(each.name for each in fields(Person))
_RULES = {
    "kind": limits.word(KINDS), "format": limits.word(FORMATS), "picture": limits.word(PICTURES),
    "size": limits.whole(1, 4096),
} | dict.fromkeys(("count", "per_person", "frames", "shard_megabytes"), limits.whole(1))  # fmt: skip
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
        limits.check(vars(self), _RULES)
        unknown = [name for name in self.maps if name not in MAPS]
        if unknown:
            raise BadSpec(f"There is no map {unknown[0]!r}. {nearest(unknown[0], MAPS)}")
        check_seeds(self.seed, self.count, self.per_person, allow_reserved=self.allow_reserved)
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


def check_seeds(seed: int, count: int, per_person: int = 1, *, allow_reserved: bool = False) -> None:
    """Refuse seeds that are none or kept for evaluation, of `count` pictures and of the people in them."""
    last = check_seed(seed, allow_reserved=allow_reserved) + count - 1
    for first, end in ((seed, last), (seed // per_person, last // per_person)):
        for each in (first, end, *([RESERVED.start] if first < RESERVED.start < end else [])):
            check_seed(each, allow_reserved=allow_reserved)


def personal(seed: int, per_person: int, overrides: Mapping[str, Any], *, allow_reserved: bool) -> dict[str, Any]:
    """The overrides, with the person whom this seed shares with its neighbours."""
    foreign = [name for name in _NOT_HELD if name in overrides]
    if foreign:
        raise BadSpec(f"{foreign[0]!r} is not a part of a portrait. Give it beside the overrides, not among them.")
    if per_person == 1 or "person" in overrides:
        return dict(overrides)
    whose = {name: value for name, value in overrides.items() if name in _PERSONAL}
    who = sample(check_seed(seed // per_person, allow_reserved=allow_reserved), allow_reserved=True, **whose).person
    return {name: value for name, value in overrides.items() if name not in _PERSONAL} | {"person": who}

"""What an edit may be: the fields of an EditSpec, each constant or drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from faceforge import aus
from faceforge.augmentation.cooccurrence import Cooccurrence
from faceforge.augmentation.samplers import Number, Odometer, Setting, Weight, Word, Words, drawn, extremes
from faceforge.augmentation.strict import Strict
from faceforge.errors import BadSpec, nearest
from faceforge.spec import EditSpec
from faceforge.synth.draws import Draws

NOTHING = "none"  # the preset that changes nothing
_NUMBERS = ("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg", "guidance", "start_at")
_WORDS = ("prompt", "negative_prompt")


class Direction(Strict):
    """Where light comes from, in degrees from the front."""

    right: Number = Field(default=0.0, description="To the picture's right.")
    up: Number = 0.0


class Expressions(Strict):
    """Named mixtures of action units, one of which is drawn."""

    presets: Annotated[
        dict[str, Weight],
        BeforeValidator(lambda given: dict.fromkeys(given, 1.0) if isinstance(given, tuple) else given),
    ] = Field(min_length=1, description=f"Names, or name -> weight; {NOTHING!r} changes nothing.")
    amount: Number = Field(default=1.0, description="How much of the mixture, 1 being all.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name in self.presets:
            if name not in (NOTHING, *aus.PRESETS):
                raise BadSpec(f"{name!r} is not a preset. {nearest(name, [NOTHING, *aus.PRESETS])}")
            for amount in extremes(self.amount):
                _preset(name, amount)
        if not sum(self.presets.values()) > 0:
            raise BadSpec("The weights of all presets are 0. Give one of them more.")
        return self

    def draw(self, draws: Draws, cell: Odometer) -> tuple[str, dict[str, float]]:
        """The name of a mixture, and its units."""
        name = draws.choice(list(self.presets), list(self.presets.values()))
        return name, _preset(name, drawn(self.amount, draws.child("amount"), cell))


def _light_kind(value: Any) -> str:
    several = isinstance(value, Direction) or (isinstance(value, dict) and not {"choice", "grid"} & set(value))
    return "direction" if several else "words"


def _canonical(given: Any) -> Any:
    """Units by their codes, each given once."""
    if not isinstance(given, Mapping):
        return given
    found: dict[str, Any] = {}
    for name, value in given.items():
        code = aus.parse(name)
        if code in found:
            raise BadSpec(f"{code} is given twice, as {name!r} and before it. Keep one.")
        found[code] = value
    return found


@dataclass(frozen=True)
class Wish:
    """One drawn edit, and the preset that it began with."""

    spec: EditSpec
    preset: str = ""


class Edit(Strict):
    """Every field is a constant or a sampler; `aus`, `expression` and `cooccurrence` add up."""

    aus: Annotated[dict[str, Number], BeforeValidator(_canonical)] = Field(
        default={}, description="Changes of single action units, in FACS units."
    )
    expression: Expressions | None = None
    cooccurrence: Cooccurrence | None = None
    yaw_deg: Number = Field(default=0.0, description="Turn of the head, to the picture's right.")
    pitch_deg: Number = Field(default=0.0, description="Turn of the head, upwards.")
    roll_deg: Number = Field(default=0.0, description="Lean of the head, clockwise.")
    gaze_yaw_deg: Number = 0.0
    gaze_pitch_deg: Number = 0.0
    light: (
        Annotated[Annotated[Word, Tag("words")] | Annotated[Direction, Tag("direction")], Discriminator(_light_kind)]
        | None
    ) = Field(default=None, description="A light by name, or from where it comes.")
    prompt: Word | None = None
    negative_prompt: Word | None = None
    guidance: Number | None = None
    steps: int | None = Field(default=None, ge=1, le=1000)
    size: int | tuple[int, int] | None = None
    start: str | None = None
    start_at: Number | None = None
    strength: dict[str, Number] = Field(default={}, description="Of plugins, by name.")
    controls: dict[str, dict[str, Setting]] = Field(default={}, description="Plugin -> control -> value.")

    @model_validator(mode="after")
    def _granted(self) -> Self:
        for code, value in self.aus.items():
            for each in extremes(value):
                aus.checked({code: each})
        if self.size is not None:
            EditSpec(size=self.size)
        for name in _NUMBERS:
            for each in extremes(getattr(self, name)):
                if each is not None:
                    EditSpec(**{name: each})
        for plugin, value in self.strength.items():
            for each in extremes(value):
                EditSpec(strength={plugin: each})
        for name in self._lights():
            _check_light(name)
        return self

    def over(self, other: Edit) -> Edit:
        """Another edit with what is said here instead; of action units and plugins' values one by one."""
        said = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("aus", "strength", "controls"):
            if name in said:
                said[name] = {**getattr(other, name), **said[name]}
        return other.model_copy(update=said) if said else other

    @property
    def units(self) -> tuple[str, ...]:
        """Every action unit that may change."""
        presets = self.expression.presets if self.expression else {}
        found = [*self.aus, *(code for name in presets for code in _preset(name, 1.0))]
        found += self.cooccurrence.codes if self.cooccurrence else ()
        return tuple(dict.fromkeys(found))

    def draw(self, draws: Draws, cell: Odometer) -> Wish:
        """One edit; every field has a stream of its own, so that one more changes no other."""
        own = {code: drawn(value, draws.child(code), cell) for code, value in self.aus.items()}
        preset, mixture = self.expression.draw(draws.child("expression"), cell) if self.expression else ("", {})
        together = self.cooccurrence.draw(draws.child("cooccurrence"), cell) if self.cooccurrence else {}
        fields: dict[str, Any] = {"aus": _summed(own, mixture, together), "seed": draws.child("seed").noise_seed()}
        for name in (*_NUMBERS, *_WORDS):
            value = getattr(self, name)
            if name in self.model_fields_set and value is not None:
                fields[name] = drawn(value, draws.child(name), cell)
        for name in ("steps", "size", "start"):
            if name in self.model_fields_set:
                fields[name] = getattr(self, name)
        if self.light is not None:
            fields["light"] = self._light(draws.child("light"), cell)
        if self.strength:
            fields["strength"] = _each(self.strength, draws.child("strength"), cell)
        if self.controls:
            fields["controls"] = {
                plugin: _each(own, draws.child("controls", plugin), cell) for plugin, own in self.controls.items()
            }
        return Wish(EditSpec(**fields), preset)

    def _light(self, draws: Draws, cell: Odometer) -> Any:
        if isinstance(self.light, Direction):
            return tuple(drawn(getattr(self.light, name), draws.child(name), cell) for name in ("right", "up"))
        return drawn(self.light, draws, cell)

    def _lights(self) -> Iterator[str]:
        if isinstance(self.light, Direction):
            for name in ("right", "up"):
                for each in extremes(getattr(self.light, name)):
                    EditSpec(light=(each, 0.0))
        elif isinstance(self.light, str | Words):
            yield from extremes(self.light)


def _each(values: dict[str, Any], draws: Draws, cell: Odometer) -> dict[str, Any]:
    return {name: drawn(value, draws.child(name), cell) for name, value in values.items()}


def _preset(name: str, amount: float) -> dict[str, float]:
    return {} if name == NOTHING else aus.preset(name, amount)


def _summed(*mixtures: dict[str, float]) -> dict[str, float]:
    """Mixtures on one face: what leaves the range of a request by adding up ends there."""
    total: dict[str, float] = {}
    for mixture in mixtures:
        for code, value in mixture.items():
            total[code] = max(-aus.LIMIT, min(aus.LIMIT, total.get(code, 0.0) + value))
    return total


def _check_light(name: str) -> None:
    from faceforge.face3d.light import PRESETS

    if name not in PRESETS:
        raise BadSpec(f"There is no light {name!r}. {nearest(name, PRESETS)}")

"""The EditSpec: one edit described once; the command line, sidecars, presets and widgets are views of it."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from faceforge import aus as units
from faceforge.errors import BadSpec, FaceForgeError, nearest

Finite = Annotated[float, Field(allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=4, allow_inf_nan=False)]
Schedule = tuple[tuple[Fraction, Amount], ...]  # (fraction of the trajectory, strength), linear in between
Turn = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=1, le=8192)]


# What positive and negative degrees mean, in the picture.
DIRECTIONS = (
    ("yaw_deg", "right", "left"),
    ("pitch_deg", "up", "down"),
    ("roll_deg", "clockwise", "counter-clockwise"),
    ("gaze_yaw_deg", "right", "left"),
    ("gaze_pitch_deg", "up", "down"),
)


class EditSpec(BaseModel):
    """What to change about a face, and how the picture is made; unset fields follow the loaded model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    aus: dict[str, Finite] = {}
    yaw_deg: Turn = 0.0
    pitch_deg: Turn = 0.0
    roll_deg: Turn = 0.0
    gaze_yaw_deg: Turn = 0.0
    gaze_pitch_deg: Turn = 0.0
    light: str | tuple[Turn, Turn] | None = None  # a preset, or degrees to the picture's right and up
    face: Annotated[int, Field(ge=1)] | Literal["all"] = 1  # the largest is 1
    prompt: Annotated[str, Field(max_length=2000)] | None = None
    negative_prompt: Annotated[str, Field(max_length=2000)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    guidance: Annotated[float, Field(ge=0, le=50, allow_inf_nan=False)] | None = None
    size: Side | tuple[Side, Side] | None = None
    start: str | None = None
    start_at: Fraction = 0.0
    strength: dict[str, Amount | Schedule] = {}
    controls: dict[str, dict[str, bool | int | float | str]] = {}

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise BadSpec(_explained(error)) from None

    @field_validator("aus", mode="before")
    @classmethod
    def _canonical_aus(cls, value: Any) -> Any:
        return units.checked(value) if isinstance(value, Mapping) else value

    @field_validator("strength")
    @classmethod
    def _ordered_schedules(cls, value: dict[str, float | Schedule]) -> dict[str, float | Schedule]:
        for name, strength in value.items():
            if isinstance(strength, tuple):
                at = [fraction for fraction, _ in strength]
                if not at or at != sorted(set(at)):
                    raise ValueError(f"the schedule of {name!r} needs one or more points with rising fractions")
        return value

    @classmethod
    def from_json(cls, text: str | bytes) -> "EditSpec":
        """The spec a JSON text describes; refuses unknown fields and says which."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise BadSpec(_explained(error)) from None

    def to_json(self) -> str:
        """Only what was set, so that a sidecar stays short; `from_json` gives an equal spec back."""
        return self.model_dump_json(exclude_defaults=True)

    def with_(self, **fields: Any) -> "EditSpec":
        """The same wish with some fields replaced."""
        return EditSpec(**{**self.model_dump(exclude_defaults=True), **fields})

    @property
    def width_and_height(self) -> tuple[int, int] | None:
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    def strength_at(self, plugin: str, fraction: float) -> float:
        """The plugin's strength at a fraction 0..1 of the trajectory; 1 where nothing was said."""
        value = self.strength.get(plugin, 1.0)
        if not isinstance(value, tuple):
            return value
        for (left, before), (right, after) in pairwise(value):
            if left <= fraction <= right:
                return before + (after - before) * (fraction - left) / (right - left)
        return value[0][1] if fraction < value[0][0] else value[-1][1]

    def _turns(self) -> Iterator[str]:
        """Pose, gaze and light in words."""
        for name, positive, negative in DIRECTIONS:
            degrees = getattr(self, name)
            if degrees:
                who = "eyes" if name.startswith("gaze") else "head"
                yield f"{who} {abs(degrees):g} degrees {positive if degrees > 0 else negative}"
        if self.light is not None:
            yield (
                f"light {self.light}"
                if isinstance(self.light, str)
                else "light {:g} right and {:g} up".format(*self.light)
            )
        if self.face != 1:
            yield f"face {self.face}"

    def describe(self) -> str:
        """The edit in words.

        >>> EditSpec(aus={"AU12": 2, "AU4": -1}, prompt="a portrait").describe()
        'more lip corner puller (AU12 +2), less brow lowerer (AU4 -1); "a portrait"; seed 0'
        """
        moves = [f"{'more' if v > 0 else 'less'} {_spoken(code)} ({code} {v:+g})" for code, v in self.aus.items() if v]
        parts = [", ".join([*moves, *self._turns()]) or "no action unit changed"]
        if self.prompt:
            parts.append(f'"{self.prompt}"')
        parts += [f"{name} at {value!r}" for name, value in self.strength.items()]
        parts += [f"{plugin}.{name}={value!r}" for plugin, own in self.controls.items() for name, value in own.items()]
        return "; ".join([*parts, f"seed {self.seed}"])


def _spoken(code: str) -> str:
    side = {"L": "left ", "R": "right "}.get(code[-1], "")
    return side + units.UNITS[units.unsided(code)].name


def _explained(error: ValidationError) -> str:
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, FaceForgeError):
        return str(cause)
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{where!r} is not a field of an edit. {nearest(where, EditSpec.model_fields)}"
    if first["type"] == "json_invalid":
        return f"This is not a JSON edit spec: {first['msg']}."
    reason = first["msg"].removeprefix("Value error, ")
    return f"{where}={first['input']!r} does not fit: {reason[0].lower()}{reason[1:]}."

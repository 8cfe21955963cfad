"""What a plugin says about itself: literals only, so that listing plugins never has to import them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from faceforge import aus
from faceforge.core.points import HookPoint
from faceforge.errors import BadSpec, nearest

API = 1  # raised when a saved plugin of an older FaceForge needs an upgrade
FIELDS = ("aus", "prompt", "negative_prompt")  # what of the spec a plugin may read, besides its own controls

Value = bool | int | float | str


class _Literal(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Aus(_Literal):
    """Which action units a plugin can do, in which order, and how it wants them expressed."""

    order: str | tuple[str, ...]
    kind: Literal["change", "absolute"]
    range: tuple[float, float] = (-aus.LIMIT, aus.LIMIT)

    def __init__(self, order: str | tuple[str, ...], **fields: Any) -> None:
        super().__init__(**{"order": order, **fields})

    @property
    def codes(self) -> tuple[str, ...]:
        return aus.order(self.order)


class Control(_Literal):
    """One number, switch or choice that a plugin adds to every surface: Python, command line, sidecars, widgets."""

    default: Value
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def checked(self, name: str, value: Value) -> Value:
        """The value in the type of the default, or a refusal that says what is valid."""
        if self.choices:
            if value not in self.choices:
                raise BadSpec(f"{name}={value!r} is not a choice. {nearest(str(value), self.choices)}")
            return value
        if isinstance(self.default, bool) or isinstance(value, bool):
            return self._switch(name, value)
        if isinstance(self.default, str):
            return str(value)
        return self._number(name, value, type(self.default))

    def _switch(self, name: str, value: Value) -> bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        known = words.get(str(value).lower())
        if known is None or not isinstance(self.default, bool):
            raise BadSpec(f"{name}={value!r} does not fit: {self.help}. The default is {self.default!r}.")
        return known

    def _number(self, name: str, value: Value, kind: type[int] | type[float]) -> float:
        low = float("-inf") if self.minimum is None else self.minimum
        high = float("inf") if self.maximum is None else self.maximum
        try:
            number = kind(value)
        except (ValueError, OverflowError):
            raise BadSpec(f"{name}={value!r} is not a number. The default is {self.default!r}.") from None
        if not (low <= number <= high and abs(number) < float("inf")):
            raise BadSpec(f"{name}={value!r} is out of range. Give a number from {low:g} to {high:g}.")
        return number


class Weights(_Literal):
    """Where trained weights come from and what their owners allow; None means that nobody could verify it."""

    source: str = ""
    licence: str = "none shipped"
    commercial: bool | None = None
    training_data: str = ""


class Published(_Literal):
    """A published release: what to fetch from which hub repository, and the base that supplies stock parts."""

    files: dict[str, tuple[str, ...]]
    base: str
    variant: str = ""


class Manifest(_Literal):
    """Name, version, hook points, what is read of a request, controls, licences."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: str
    summary: str = ""
    points: tuple[HookPoint, ...] = ()
    aus: Aus | None = None
    reads: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    shapes: dict[str, tuple[int, ...]] = {}  # of the vectors it reads, one example each
    controls: dict[str, Control] = {}
    licence: str = "Apache-2.0"
    weights: Weights = Weights()
    releases: dict[str, Published] = {}
    api: int = API

    @field_validator("reads", "needs")
    @classmethod
    def _known_fields(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in FIELDS and not name.startswith(("pictures.", "vectors.")):
                raise ValueError(f"{name!r} cannot be read; use {', '.join(FIELDS)}, 'pictures.NAME' or 'vectors.NAME'")
        return names

    @model_validator(mode="after")
    def _control_names_are_plain(self) -> "Manifest":
        for name in self.controls:
            if not name.isidentifier():
                raise ValueError(f"the control {name!r} must be a plain identifier")
        return self

    @property
    def fields(self) -> tuple[str, ...]:
        """Everything of a request that may change this plugin's contribution."""
        own = ("aus",) if self.aus else ()
        return tuple(dict.fromkeys((*own, *self.reads, *self.needs)))

"""What the studio's widgets are, read from the tables of action units and from `EditSpec`, and the wish they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faceforge import aus
from faceforge.errors import BadSpec
from faceforge.face3d.light import PRESETS as LIGHTS
from faceforge.spec import DIRECTIONS, EditSpec
from faceforge_demos.knobs import Knob, stands, told

UNCHANGED = "as it is"
DIRECTION = "from a direction"
MOST_UNITS = 5.0  # FACS intensities run 0..5, so no face can change by more
MOST_DEGREES = 45.0  # further round, a photograph knows nothing of the face
MOST_AMOUNT = 1.25  # of a preset: its strongest unit at its end


@dataclass(frozen=True)
class Control:
    """A signed slider at 'no change': the name of its number in a wish, and what people read."""

    name: str
    label: str
    about: str
    most: float
    step: float


def units() -> dict[str, list[Control]]:
    """Every action unit, under the region of the face that it moves."""
    found: dict[str, list[Control]] = {}
    for unit in aus.UNITS.values():
        label = f"{unit.name[0].upper()}{unit.name[1:]} ({unit.code})"
        found.setdefault(unit.region, []).append(Control(unit.code, label, unit.muscle, MOST_UNITS, 0.1))
    return found


def turns() -> list[Control]:
    """Every angle of a spec: a new one in `DIRECTIONS` appears by itself."""
    return [
        Control(name, _spoken(name), f"degrees, above 0 {positive}, below {negative}", MOST_DEGREES, 1.0)
        for name, positive, negative in DIRECTIONS
    ]


def lights() -> list[str]:
    return [UNCHANGED, *LIGHTS, DIRECTION]


def resting(settings: Iterable[Knob] = ()) -> dict[str, Any]:
    """All widgets at 'no change', a generator's settings at their defaults."""
    sliders = [*(each for group in units().values() for each in group), *turns()]
    zeros: dict[str, Any] = {each.name: 0.0 for each in sliders}
    zeros |= {each.name: each.default for each in settings}
    return {**zeros, "preset": UNCHANGED, "amount": 1.0, "light": UNCHANGED, "across": 0.0, "up": 0.0, "face": "1"}


def spec_of(values: Mapping[str, Any], settings: Iterable[Knob] = ()) -> EditSpec:
    """The wish that widgets say; those at 'no change' leave no trace in it."""
    moved = {name: _number(value) for name, value in values.items() if name in aus.UNITS}
    if values["preset"] != UNCHANGED:
        moved = aus.added(moved, aus.preset(values["preset"], _number(values["amount"])))
    fields: dict[str, Any] = {each.name: _number(values[each.name]) for each in turns() if values[each.name]}
    if values["light"] == DIRECTION:
        fields["light"] = (_number(values["across"]), _number(values["up"]))
    elif values["light"] != UNCHANGED:
        fields["light"] = values["light"]
    if values["face"] != "1":
        fields["face"] = values["face"] if values["face"] == "all" else int(values["face"])
    asked = {code: _number(value) for code, value in sorted(moved.items(), key=_place) if _number(value)}
    return EditSpec(**({"aus": asked} if asked else {}), **fields, **told(settings, values))


def values_of(spec: EditSpec, settings: Sequence[Knob] = ()) -> dict[str, Any]:
    """Where the widgets stand for a wish, as `spec_of` reads them; refused where they cannot say it."""
    sliders = {each.name: each for each in [*(each for group in units().values() for each in group), *turns()]}
    moved = {**spec.aus, **{each.name: getattr(spec, each.name) for each in turns()}}
    for name, value in moved.items():
        if name not in sliders:
            raise BadSpec(f"The studio has no slider for {name}. Give {aus.unsided(name)}, or use `faceforge edit`.")
        if abs(value) > sliders[name].most:
            raise BadSpec(f"{name}={value:g} is more than the studio's slider can say, {sliders[name].most:g}.")
    found = {**resting(settings), **moved, **stands(settings, spec), "face": str(spec.face)}
    if isinstance(spec.light, tuple):
        found |= {"light": DIRECTION, "across": spec.light[0], "up": spec.light[1]}
    elif spec.light is not None:
        found["light"] = spec.light
    unsaid = _unequal(spec_of(found, settings), spec)
    if unsaid:
        raise BadSpec(f"The studio cannot say {', '.join(unsaid)} of this edit here. Use `faceforge edit`.")
    return found


def _unequal(one: EditSpec, other: EditSpec) -> list[str]:
    """Fields in which two wishes differ; a slider's thousandths are none."""
    left, right = (each.model_dump(exclude_defaults=True) for each in (one, other))
    return [name for name in {**left, **right} if name != "aus" and left.get(name) != right.get(name)]


def _number(value: float) -> float:
    return round(float(value or 0.0), 3)  # sliders count in floats: 0.1 + 0.2


def _place(pair: tuple[str, float]) -> int:
    return list(aus.UNITS).index(pair[0])


def _spoken(field: str) -> str:
    """
    >>> _spoken("gaze_yaw_deg")
    'Gaze yaw'
    """
    return re.sub("_", " ", field.removesuffix("_deg")).capitalize()

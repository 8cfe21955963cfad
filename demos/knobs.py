"""What a generator can be told besides the face: read from the loaded model's defaults and its plugins' manifests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from faceforge.core.manifest import Control, Value
from faceforge.spec import EditSpec

if TYPE_CHECKING:
    from faceforge.forge import Forge

MOST_STEPS = 100
MOST_GUIDANCE = 20.0
MOST_STRENGTH = 2.0


@dataclass(frozen=True)
class Knob:
    """One setting: where its value stands in a spec ('strength.identity'), and what people read."""

    name: str
    label: str
    about: str
    default: Value
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def path(self) -> list[str]:
        return self.name.split(".")

    def clean(self, value: Any) -> Value:
        """A widget's value in the type of the default, which an emptied widget stands for."""
        return self.default if value is None else type(self.default)(value)


def knobs(forge: Forge | None) -> list[Knob]:
    """Every setting of the loaded model; none of the warp."""
    if forge is None:
        return []
    own = forge.defaults
    found = [
        Knob("prompt", "Prompt", "what the picture shows, in words", own.prompt),
        Knob("negative_prompt", "Negative prompt", "what it should not show", own.negative_prompt or ""),
        Knob("seed", "Seed", "same seed, same pixels", 0, 0),
        Knob("steps", "Steps", "more take longer", own.steps, 1, max(MOST_STEPS, own.steps)),
        Knob("guidance", "Guidance", "how strictly to follow; 1 takes half the time", own.guidance, 0, MOST_GUIDANCE),
    ]
    for name, plugin in forge.plugins.items():
        if name != "text":
            about = plugin.manifest.summary or "how much of this plugin"
            found.append(Knob(f"strength.{name}", f"Strength of {name}", about, 1.0, 0, MOST_STRENGTH))
        found += [_of_control(name, key, each) for key, each in plugin.manifest.controls.items()]
    return found


def told(settings: Iterable[Knob], values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a spec that widgets say; settings at their default leave no trace."""
    found: dict[str, Any] = {}
    for knob in settings:
        value = knob.clean(values[knob.name])
        if value != knob.default:
            *above, last = knob.path
            place = found
            for part in above:
                place = place.setdefault(part, {})
            place[last] = value
    return found


def stands(settings: Iterable[Knob], spec: EditSpec) -> dict[str, Any]:
    """Where the widgets stand for a spec."""
    fields = spec.model_dump()
    return {knob.name: _found(fields, knob.path, knob.default) for knob in settings}


def asked(forge: Forge | None, recorded: Mapping[str, Any]) -> EditSpec:
    """A spec as provenance records it, less what the model fills in by itself."""
    spec = EditSpec(**recorded)
    if forge is None:
        return spec
    side = forge.backbone.size
    filled = {**forge.defaults.model_dump(), "size": (side, side)}
    given = spec.model_dump(exclude_defaults=True)
    return EditSpec(**{name: value for name, value in given.items() if name not in filled or filled[name] != value})


def _found(fields: Any, path: list[str], default: Value) -> Any:
    for part in path:
        fields = fields.get(part) if isinstance(fields, dict) else None
    return default if fields is None else fields


def _of_control(plugin: str, key: str, control: Control) -> Knob:
    label = f"{plugin}: {key.replace('_', ' ')}"
    limits = (control.minimum, control.maximum)
    return Knob(f"controls.{plugin}.{key}", label, control.help, control.default, *limits, control.choices)

"""The fields of an EditSpec that the command line names, in the types that spec and plugins want."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from faceforge import aus
from faceforge.cli.asked import Asked
from faceforge.cli.values import amount, once
from faceforge.core.manifest import Control, Value
from faceforge.errors import BadPlugin, BadSpec, nearest
from faceforge.store.registry import listings, manifest_in

_PLAIN = ("light", "face", "prompt", "negative_prompt", "seed", "steps", "guidance", "size", "start", "start_at")
_TURNS = ("yaw", "pitch", "roll")


def spec_fields(asked: Asked) -> dict[str, Any]:
    """What was given, by the names of the spec; nothing else, so that a recorded spec keeps the rest."""
    given = {name: getattr(asked, name) for name in _PLAIN if getattr(asked, name) is not None}
    given |= {f"{name}_deg": getattr(asked, name) for name in _TURNS if getattr(asked, name) is not None}
    if asked.gaze is not None:
        given["gaze_yaw_deg"], given["gaze_pitch_deg"] = asked.gaze
    if asked.au or asked.preset:
        moved = by_unit([_amount(text) for text in asked.au], "--au")
        given["aus"] = aus.added(moved, *(aus.preset(name, value) for name, value in asked.preset))
    if asked.strength:
        given["strength"] = once(asked.strength, "--strength")
    if asked.settings:
        given["controls"] = _controls(asked.settings, _schemas(asked))
    return given


def by_unit(pairs: Iterable[tuple[str, float]], where: str) -> dict[str, float]:
    """Numbers under the canonical names of their action units."""
    return once(((aus.parse(name), value) for name, value in pairs), where)


def loose_files(plugins: Iterable[str]) -> dict[str, Path]:
    """Those --plugin values that are .py files, by the name in their manifest; none of them is run."""
    found = {}
    for text in plugins:
        if text.endswith(".py"):
            path = Path(text)
            if not path.is_file():
                raise BadPlugin(f"There is no file {text!r}. Give the path of a plugin's .py file.")
            found[manifest_in(path).name] = path
    return found


def _amount(text: str) -> tuple[str, float]:
    try:
        return amount(text)
    except ValueError as error:
        raise BadSpec(f"--au: {error}") from None


def _schemas(asked: Asked) -> dict[str, Mapping[str, Control]]:
    manifests = [listing.manifest for listing in listings() if listing.manifest]
    manifests += [manifest_in(path) for path in loose_files(asked.plugins).values()]
    return {manifest.name: manifest.controls for manifest in manifests if manifest.controls}


def _controls(
    settings: Iterable[tuple[str, str, str]], schemas: Mapping[str, Mapping[str, Control]]
) -> dict[str, dict[str, Value]]:
    found: dict[str, dict[str, Value]] = {}
    for plugin, name, text in settings:
        if plugin not in schemas:
            raise BadSpec(f"--set names {plugin!r}, which has no controls here. {nearest(plugin, schemas)}")
        if name not in schemas[plugin]:
            raise BadSpec(f"{plugin!r} has no control {name!r}. {nearest(name, schemas[plugin])}")
        own = found.setdefault(plugin, {})
        if name in own:
            raise BadSpec(f"--set names '{plugin}.{name}' twice. Keep one.")
        own[name] = schemas[plugin][name].checked(f"{plugin}.{name}", text)
    return found

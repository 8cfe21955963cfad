"""Plans as data: YAML or JSON into strict models, whose refusals name the place and the nearest key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from faceforge.errors import BadSpec, FaceForgeError, nearest
from faceforge.io.files import existing_file

_LARGEST = 4_000_000  # bytes of a plan


class Strict(BaseModel):
    """Frozen, without conversions, and helpful about keys that it does not have."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, ignored_types=(cached_property,))

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: Any) -> Any:
        for key in given if isinstance(given, Mapping) else ():
            if key not in cls.model_fields:
                raise ValueError(f"{key!r} is not a key here. {nearest(str(key), cls.model_fields)}")
        return given

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The model that a mapping describes, or a refusal in one line."""
        try:
            return cls.model_validate(_frozen(given))
        except ValidationError as error:
            raise BadSpec(_explained(error)) from None


def read_mapping(path: str | Path) -> dict[str, Any]:
    """What a .yaml or .json file holds, which has to be a mapping; nothing in it is executed."""
    file = existing_file(path, BadSpec)
    if file.stat().st_size > _LARGEST:
        raise BadSpec(f"{str(path)!r} has {file.stat().st_size} bytes, at most {_LARGEST} are read as a plan.")
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text, object_pairs_hook=_once) if file.suffix.lower() == ".json" else _yaml(text)
    except (ValueError, RecursionError) as reason:
        raise BadSpec(f"{str(path)!r} cannot be read: {' '.join(str(reason).split())}.") from reason
    if not isinstance(found, dict):
        raise BadSpec(f"{str(path)!r} holds a {type(found).__name__}, expected keys and values.")
    return found


def _yaml(text: str) -> Any:
    import yaml

    class Plain(yaml.SafeLoader):  # type: ignore[misc]  # yaml comes without types
        """Plain data alone, every key once, and nothing that refers to something else."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):  # references of references can grow without end
                raise ValueError(f"line {self.peek_event().start_mark.line + 1} refers to an anchor; write it out")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            return _once([(self.construct_object(key, deep=True), None) for key, _ in node.value]) and (
                super().construct_mapping(node, deep)
            )

    try:
        return yaml.load(text, Loader=Plain)
    except yaml.YAMLError as reason:
        raise ValueError(str(reason)) from reason


def _once(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Pairs as a dict; of a key that is given twice only one could be meant."""
    found: dict[Any, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is given twice; keep one")
        found[key] = value
    return found


def _frozen(value: Any) -> Any:
    """Plain data with tuples for its lists: a strict model takes nothing for something else, not even these."""
    if isinstance(value, Mapping):
        return {key: _frozen(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_frozen(each) for each in value)
    return str(value) if isinstance(value, Path) else value


def _explained(error: ValidationError) -> str:
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    where = ".".join(str(part) for part in first["loc"] if part not in _TAGS)
    if first["type"] == "missing":
        return f"The plan lacks {where!r}. Add it; `faceforge augment init` prints an example."
    if first["type"] == "union_tag_invalid":
        expected = first["ctx"]["expected_tags"].replace(", ", " or ")
        return f"In the plan, {where}={first['input']!r} does not fit: expected {expected}."
    reason = str(cause) if isinstance(cause, FaceForgeError | ValueError) else first["msg"]
    if cause is not None:
        return f"In the plan, {where or 'at its top'}: {reason}"
    return f"In the plan, {where}={first['input']!r} does not fit: {reason[0].lower()}{reason[1:]}."


_TAGS = ("number", "text", "flag", "sampler", "words", "one", "several", "range", "direction")  # of unions, not places

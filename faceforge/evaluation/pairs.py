"""Edits that somebody made before: a folder of pictures whose sidecars, or own metadata, say what they were made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceforge import aus
from faceforge.errors import BadPicture, BadSpec, FaceForgeError
from faceforge.evaluation.observing import Observation, Observer
from faceforge.evaluation.subjects import pictures_in
from faceforge.io.files import sha256
from faceforge.io.pictures import read_picture
from faceforge.io.provenance import read_provenance


@dataclass(frozen=True)
class Made:
    """An edited picture, the picture it was made from, and what was asked."""

    picture: Path
    source: Path
    requested: dict[str, float]
    seed: int
    identity: str
    groups: dict[str, str]


@dataclass(frozen=True)
class Folder:
    """What a folder holds: edits whose source is there, and pictures that cannot be scored, with the reason."""

    made: tuple[Made, ...]
    left_out: Mapping[str, str]


def read_folder(folder: Path) -> Folder:
    """The pairs of a folder. A sidecar `ada-smiling.png.json` holds our provenance, or {"source": "ada.png",
    "aus": {"AU12": 2}} with `seed`, `identity` and `groups` as wanted; without one the picture's own metadata counts.
    """
    pictures = pictures_in(folder)
    known = {path.stem: path for path in pictures} | {sha256(path): path for path in pictures}
    made: list[Made] = []
    left_out: dict[str, str] = {}
    for path in pictures:
        try:
            made.append(_made(path, known))
        except FaceForgeError as error:
            left_out[path.name] = str(error)
    if not made:
        raise BadPicture(
            f"No picture in {str(folder)!r} says what it was edited from. Put sources and edits together, and keep "
            f"the edits' metadata or sidecars."
        )
    sources = {each.source.name for each in made}
    return Folder(tuple(made), {name: why for name, why in left_out.items() if name not in sources})


def observed(folder: Folder, observer: Observer, done: Callable[[int], None] = lambda _: None) -> Iterator[Observation]:
    """Every pair as the judges see it; `done` hears how many were."""
    for number, each in enumerate(folder.made):
        source, edited = (read_picture(path).image for path in (each.source, each.picture))
        try:
            found = observer.observe(source, edited, closely=True)
        except BadPicture as error:  # two sizes: there is nothing to compare, and the report says so
            found = {"trouble": str(error)}
        yield Observation(
            face=each.source.stem,
            identity=each.identity,
            requested=each.requested,
            seed=each.seed,
            picture=str(each.picture.resolve()),
            source=str(each.source.resolve()),
            groups=each.groups,
            **found,
        )
        done(number + 1)


def _made(path: Path, known: Mapping[str, Path]) -> Made:
    facts = _facts(path)
    if "source" in facts:
        source = path.with_name(str(facts["source"]))
        wanted = facts.get("aus", {})
    else:
        source, wanted = _recorded(path, facts, known), facts["spec"].get("aus", {})
        facts = {"seed": facts["spec"].get("seed", 0)}
    if not source.is_file():
        raise BadPicture(f"The source of {path.name!r}, {source.name!r}, is not in its folder. Put it there.")
    return Made(
        path,
        source,
        _both_sides(wanted),
        int(facts.get("seed", 0)),
        str(facts.get("identity", source.stem)),
        {str(name): str(value) for name, value in facts.get("groups", {}).items()},
    )


def _recorded(path: Path, facts: Mapping[str, Any], known: Mapping[str, Path]) -> Path:
    """The source that our provenance names: the file of its digest, or else of its name, whatever the format."""
    source = facts.get("pictures", {}).get("source")
    if not isinstance(source, Mapping) or not isinstance(facts.get("spec"), Mapping):
        raise BadPicture(f"{path.name!r} does not say what it was edited from: it names no source and no wish.")
    name = str(source.get("name", ""))
    return known.get(str(source.get("sha256")), known.get(Path(name).stem, path.with_name(name)))


def _facts(path: Path) -> dict[str, Any]:
    sidecar = path.with_name(path.name + ".json")
    if not sidecar.is_file():
        return read_provenance(path)
    try:
        found = json.loads(sidecar.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadPicture(f"The sidecar {sidecar.name!r} is no JSON: {error}. Write it again, or delete it.") from None
    if not isinstance(found, dict):
        raise BadPicture(f"The sidecar {sidecar.name!r} holds no object. Write it again, or delete it.")
    return found


def _both_sides(wanted: Any) -> dict[str, float]:
    """Requests by unit: one side alone is half of it."""
    if not isinstance(wanted, Mapping):
        raise BadSpec(f"aus={wanted!r} are no action units. Write them as {{'AU12': 2}}.")
    total: dict[str, float] = {}
    for code, value in aus.checked(wanted).items():
        unit = aus.unsided(code)
        total[unit] = total.get(unit, 0.0) + (value if unit == code else value / 2)
    return total

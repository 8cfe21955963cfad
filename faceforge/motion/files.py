"""Motion files: our own .npz, which holds plain arrays, and what other programs write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from faceforge.errors import BadMotion, BadWeights, nearest
from faceforge.io.arrays import read_arrays
from faceforge.io.files import existing_file, replacing
from faceforge.io.video import evenly
from faceforge.motion.motion import Motion

VERSION = 1
SUFFIXES = (".npz", ".csv", ".json")
_KINDS = {"times": "f", "end": "f", "codes": "U", "aus": "f", "pose_deg": "f", "gaze_deg": "f", "relative": "b",
          "turning": "b", "seen": "b", "shots": "i", "about": "u", "version": "i"}  # fmt: skip
_SINGLE = ("end", "relative", "turning", "version")


def save(motion: Motion, path: str | Path) -> Path:
    """Write a motion as .npz, whole or not at all."""
    target = Path(path)
    if target.suffix.lower() != ".npz":
        raise BadMotion(f"A motion file's name ends in .npz, {str(path)!r} does not.")
    about = json.dumps({"source": dict(motion.source), "notes": list(motion.notes)}).encode()
    own = {name: np.asarray(getattr(motion, name)) for name in _KINDS if name not in ("about", "version", "codes")}
    codes = np.array(motion.codes, "U8")
    with replacing(target) as temporary, temporary.open("wb") as opened:
        np.savez(opened, version=VERSION, codes=codes, about=np.frombuffer(about, np.uint8), **own)  # type: ignore[arg-type]
    return target


def load(path: str | Path, fps: float) -> Motion:
    """The motion in a .npz, a .csv or a .json file; `fps` is for files that tell no times."""
    evenly(0, fps)
    file = existing_file(path, BadMotion)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadMotion(f"{str(path)!r} is no motion file. Give one of {', '.join(SUFFIXES)}.")
    if suffix == ".npz":
        return _own(file)
    from faceforge.motion.tables import of_table
    from faceforge.motion.wishes import of_json

    if suffix == ".csv":
        return of_table(file, fps)
    try:
        return of_json(file.read_text(encoding="utf-8"), fps)
    except (OSError, ValueError) as reason:
        raise BadMotion(f"{str(path)!r} cannot be read as text ({reason}). Save it as UTF-8.") from reason


def _own(file: Path) -> Motion:
    try:
        found = read_arrays(file)
    except BadWeights as reason:
        raise BadMotion(f"{str(file)!r} is no motion file: {reason}") from reason
    _check(found, file)
    try:
        about = json.loads(found["about"].tobytes())
        source, notes = dict(about["source"]), tuple(map(str, about["notes"]))
    except (ValueError, KeyError, TypeError) as reason:
        raise BadMotion(f"{str(file)!r} is a damaged motion file ({reason!r}). Make it again.") from reason
    single: dict[str, Any] = {
        "end": float(found["end"]),
        **{name: bool(found[name]) for name in ("relative", "turning")},
    }
    arrays = {name: found[name] for name in ("times", "aus", "pose_deg", "gaze_deg", "seen", "shots")}
    try:
        return Motion(codes=tuple(map(str, found["codes"])), source=source, notes=notes, **single, **arrays)
    except BadMotion as reason:
        raise BadMotion(f"{str(file)!r} cannot be used: {reason}") from reason


def _check(found: Any, file: Path) -> None:
    """Refuse arrays that are missing, unknown, or of another kind."""
    if not isinstance(found, dict):
        raise BadMotion(f"{str(file)!r} holds no arrays by name. Give a file that Motion.save wrote.")
    unknown = [name for name in found if name not in _KINDS]
    if unknown:
        raise BadMotion(f"{str(file)!r} holds {unknown[0]!r}, which no motion has. {nearest(unknown[0], _KINDS)}")
    for name, kind in _KINDS.items():
        if name not in found:
            raise BadMotion(f"{str(file)!r} holds no {name!r}. Give a file that Motion.save wrote.")
        own = np.asarray(found[name])
        if own.dtype.kind != kind or (name in _SINGLE and own.shape != ()):
            raise BadMotion(f"{str(file)!r} holds {name!r} as {own.dtype} of shape {own.shape}, which does not fit.")
    if int(found["version"]) != VERSION:
        raise BadMotion(f"{str(file)!r} is of version {int(found['version'])}, {VERSION} is read. Update FaceForge.")

"""Motion from a table of action units: what another program read in a video, frame by frame."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from faceforge.errors import BadLabels, BadMotion
from faceforge.io.au_tables import NUMBERS, Row, number_in, read_table
from faceforge.io.files import sha256
from faceforge.motion.motion import Motion, by_side
from faceforge.motion.smoothing import filled

# Columns of time, and what makes seconds of them; the frame's number is the next best.
_TIMES = (("timestamp", 1.0), ("frame_time_in_ms", 1e-3))


def of_table(path: Path, fps: float) -> Motion:
    """The intensities, absolute; poses and gazes are left out, as each program has its own axes."""
    try:
        rows = read_table(path)
        times = [_time(row.cells, index, fps, f"{str(path)!r}, row {index + 1}") for index, row in enumerate(rows)]
    except BadLabels as reason:
        raise BadMotion(str(reason)) from reason
    frames: dict[float, Row] = {}
    for time, row in zip(times, rows, strict=True):
        frames.setdefault(time, row)  # further rows of a frame are further faces
    if not any(row.aus for row in frames.values()):
        raise BadMotion(f"{str(path)!r} has no row in which a face is surely seen. Give a table with some.")
    return _motion(path, dict(sorted(frames.items())), fps, more=len(rows) - len(frames))


def _motion(path: Path, frames: Mapping[float, Row], fps: float, *, more: int) -> Motion:
    at, seen = np.array([*frames]), np.array([row.aus is not None for row in frames.values()])
    units = tuple(dict.fromkeys(code for row in frames.values() for code in row.aus or ()))
    told = np.array([[(row.aus or {}).get(code, 0.0) for code in units] for row in frames.values()])
    shots = np.zeros(len(at), np.int64)
    codes, moved = by_side(units, filled(at, told, seen, shots))
    notes = [f"{more} rows of {path.name!r} tell of further faces and were left out."] if more else []
    if not seen.all():
        notes.append(f"In {(~seen).sum()} of {len(at)} frames no face is surely seen; they are interpolated.")
    return Motion(
        times=at,
        end=float(at[-1] + (np.median(np.diff(at)) if len(at) > 1 else 1 / fps)),
        codes=codes,
        aus=moved,
        pose_deg=np.zeros((len(at), 3)),
        gaze_deg=np.zeros((len(at), 2)),
        relative=False,
        turning=False,
        seen=seen,
        shots=shots,
        source={"kind": "table", "name": path.name, "sha256": sha256(path)},
        notes=tuple(notes),
    )


def _time(row: Mapping[str, str], index: int, fps: float, where: str) -> float:
    for column, scale in _TIMES:
        if column in row:
            found = scale * number_in(row, column, where)
            break
    else:
        column = next((name for name in NUMBERS if name in row), "")
        found = number_in(row, column, where) / fps if column else index / fps
    if not math.isfinite(found):
        raise BadLabels(f"{where}: there is no time in {column!r}. Correct or delete the row.")
    return found

"""Timelines: what a face shall do when, as one line of text.

`AU12: 0s=0, 1.5s=3, 4s=0; AU4L: 0=1; yaw: 0s=-10, 4s=10` - tracks of points, straight lines in between.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from faceforge import aus
from faceforge.errors import BadMotion, FaceForgeError, nearest
from faceforge.io.video import evenly
from faceforge.motion.motion import MOST_DEG, Motion, by_side

TURNS = ("yaw", "pitch", "roll", "gaze-yaw", "gaze-pitch")  # in degrees, as an EditSpec has them
LONGEST = 3600.0  # seconds
_POINT = re.compile(r"\s*([0-9.eE+-]+)\s*(ms|s|)\s*=\s*([0-9.eE+-]+)\s*")
_EXAMPLE = "AU12: 0s=0, 1.5s=3, 4s=0; yaw: 0s=0, 4s=10"

Points = tuple[tuple[float, float], ...]  # (seconds, value), rising in time


@dataclass(frozen=True)
class Timeline:
    """Tracks by the name of what moves; before its first point and after its last, each keeps that point's value."""

    tracks: Mapping[str, Points]

    @classmethod
    def of(cls, text: str) -> Timeline:
        """The timeline that a text tells.

        >>> Timeline.of("au12: 0s=0, 500ms=2").tracks
        {'AU12': ((0.0, 0.0), (0.5, 2.0))}
        """
        tracks: dict[str, Points] = {}
        for part in filter(str.strip, text.split(";")):
            name, colon, points = part.partition(":")
            if not colon:
                raise BadMotion(f"{part.strip()!r} is no track of a timeline. Write one like {_EXAMPLE!r}.")
            known = _named(name)
            if known in tracks:
                raise BadMotion(f"{known} has two tracks. Put its points into one.")
            tracks[known] = _points(known, points)
        if not tracks:
            raise BadMotion(f"This timeline has no tracks. Write one like {_EXAMPLE!r}.")
        return cls(tracks)

    @property
    def text(self) -> str:
        """The same as a text, which reads as an equal timeline."""
        tracks = (f"{name}: " + ", ".join(f"{at!r}s={to!r}" for at, to in own) for name, own in self.tracks.items())
        return "; ".join(tracks)

    @property
    def seconds(self) -> float:
        """When its last point is reached."""
        return max(own[-1][0] for own in self.tracks.values())

    def at(self, time: float) -> dict[str, float]:
        """The value of every track at a time; at a point exactly that of the point.

        >>> Timeline.of("AU12: 0s=0, 1s=3").at(0.5)
        {'AU12': 1.5}
        """
        found = {}
        for name, own in self.tracks.items():
            times, values = zip(*own, strict=True)
            found[name] = float(np.interp(time, times, values))
        return found

    def motion(self, fps: float) -> Motion:
        """Frames at a constant rate, from the start until the last point is reached."""
        evenly(0, fps)
        times = np.array(evenly(math.ceil(self.seconds * fps - 1e-6) + 1, fps))
        found = [self.at(time) for time in times]
        units = [name for name in self.tracks if name not in TURNS]
        codes, moved = by_side(units, np.array([[each[name] for name in units] for each in found]))
        turned = np.array([[each.get(name, 0.0) for name in TURNS] for each in found])
        return Motion(
            times=times,
            end=float(times[-1] + 1 / fps),
            codes=codes,
            aus=moved,
            pose_deg=turned[:, :3],
            gaze_deg=turned[:, 3:],
            relative=True,
            seen=np.ones(len(times), bool),
            shots=np.zeros(len(times), np.int64),
            source={"kind": "timeline", "text": self.text, "fps": fps},
        )


def _named(name: str) -> str:
    plain = name.strip().lower().replace("_", "-").removesuffix("-deg")
    if plain in TURNS:
        return plain
    try:
        return aus.parse(name)
    except FaceForgeError:
        known = (*TURNS, *aus.UNITS)
        raise BadMotion(f"{name.strip()!r} cannot be moved. {nearest(name.strip(), known)}") from None


def _points(name: str, text: str) -> Points:
    found = [_point(name, part) for part in text.split(",")]
    for (before, _), (after, _) in pairwise(found):
        if after <= before:
            raise BadMotion(f"{name} is at {after:g} s after {before:g} s. Give its points in the order of time.")
    return tuple(found)


def _point(name: str, text: str) -> tuple[float, float]:
    match = _POINT.fullmatch(text)
    try:
        at, to = (float(match[1]), float(match[3])) if match else (math.nan, math.nan)
    except ValueError:
        at = to = math.nan
    if match is None or math.isnan(at):
        raise BadMotion(f"{name}: {text.strip()!r} is no point of a timeline. Write TIME=VALUE, such as 1.5s=3.")
    at = at / 1000 if match[2] == "ms" else at
    most = MOST_DEG if name in TURNS else aus.LIMIT
    if not 0 <= at <= LONGEST:
        raise BadMotion(f"{name} has a point at {at:g} s. Give times from 0 to {LONGEST:g} s.")
    if not abs(to) <= most:
        raise BadMotion(f"{name} goes to {to:g} at {at:g} s. Give a number from {-most:g} to {most:g}.")
    return at, to

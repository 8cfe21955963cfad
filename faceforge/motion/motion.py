"""How a face moves: action units, the turn of the head and of the eyes over time, as one frozen value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from faceforge import aus as units
from faceforge.errors import BadMotion, FaceForgeError
from faceforge.motion.smoothing import smoothed
from faceforge.motion.turns import Numbers, between
from faceforge.spec import EditSpec

JAW = ("AU26", "AU27")
MOST_DEG = 90.0  # of any turn that an EditSpec may ask for
_FRONTAL = 0.1  # FACS units that a degree of turning counts, where the calmest frame is looked for
_DIGITS = 4  # of the numbers in specs: below what any edit shows
_TURNS = ("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg")
_NUMBERS = ("times", "aus", "pose_deg", "gaze_deg")


@dataclass(frozen=True)
class Strengths:
    """How much of each part of a motion is used; 1 is all, 0 nothing."""

    expression: float = 1.0
    pose: float = 1.0
    gaze: float = 1.0
    jaw: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 4:
                raise BadMotion(f"The strength of the {name} is {value!r}. Give a number from 0 to 4.")


@dataclass(frozen=True, eq=False)
class Motion:
    """F frames: each from its time on, the last until `end`. Numbers are those of an EditSpec.

    Of a face as it is they are absolute: FACS intensities, the head's turn from upright and frontal. Relative ones are
    changes, which any face can be asked for.
    """

    times: Numbers  # (F,) seconds, rising
    end: float
    codes: tuple[str, ...]  # U halves of action units, such as AU12L
    aus: Numbers  # (F, U)
    pose_deg: Numbers  # (F, 3) yaw, pitch, roll, together one rotation about one axis
    gaze_deg: Numbers  # (F, 2) yaw, pitch of the eyes within the head
    relative: bool
    seen: NDArray[np.bool_]  # (F,) False where there was no face and the numbers are guessed from those around
    shots: NDArray[np.int64]  # (F,) how many cuts come before
    turning: bool = True  # False where nothing is told of head and eyes; they then stay as they are
    source: Mapping[str, Any] = field(default_factory=dict)  # where it comes from, as JSON
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, kind in (*((name, np.float64) for name in _NUMBERS), ("seen", np.bool_), ("shots", np.int64)):
            own: NDArray[Any] = np.array(getattr(self, name), kind)
            own.setflags(write=False)
            object.__setattr__(self, name, own)
        _check(self)

    @classmethod
    def of_specs(cls, specs: Sequence[EditSpec], fps: float = 25.0) -> Motion:
        """One frame for each wish, all of them changes."""
        from faceforge.motion.wishes import of_specs

        return of_specs(specs, fps)

    @classmethod
    def of_timeline(cls, text: str, fps: float = 25.0) -> Motion:
        """What a text such as `AU12: 0s=0, 1.5s=3, 4s=0; yaw: 0s=0, 4s=10` asks for."""
        from faceforge.motion.timeline import Timeline

        return Timeline.of(text).motion(fps)

    @classmethod
    def of_video(cls, path: str | Path, **options: Any) -> Motion:
        """What the face in a video does; options as of `faceforge.motion.driving.read_motion`."""
        from faceforge.motion.driving import read_motion

        return read_motion(path, **options)

    @classmethod
    def load(cls, path: str | Path, fps: float = 25.0) -> Motion:
        """From a file: our own .npz, a .csv of OpenFace, LibreFace or py-feat, or a .json list of EditSpecs."""
        from faceforge.motion.files import load

        return load(path, fps)

    def save(self, path: str | Path) -> Path:
        """Write it as .npz; `load` gives an equal one back."""
        from faceforge.motion.files import save

        return save(self, path)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def durations(self) -> Numbers:
        """How long each frame is shown, (F,)."""
        found: Numbers = np.diff(self.times, append=self.end)
        return found

    @property
    def cuts(self) -> tuple[int, ...]:
        """The frames that begin a new shot."""
        return tuple(int(frame) + 1 for frame in np.flatnonzero(np.diff(self.shots)))

    @property
    def sha256(self) -> str:
        """The digest of everything that moves a face."""
        told = hashlib.sha256(json.dumps([self.codes, self.end, self.relative]).encode())
        for name in (*_NUMBERS, "shots"):
            told.update(getattr(self, name).tobytes())
        return told.hexdigest()

    def smoothed(self, seconds: float) -> Motion:
        """The same without shaking that is faster than so many seconds."""
        aus, pose, gaze = (smoothed(self.times, each, self.shots, seconds) for each in self._parts())
        return replace(self, aus=aus if self.relative else np.clip(aus, 0, None), pose_deg=pose, gaze_deg=gaze)

    def relative_to(self, which: Literal["first", "neutral"]) -> Motion:
        """Changes against the first, or the calmest, frame of each shot: what is done, whoever does it."""
        self._need(relative=False, what="made relative")
        if which not in ("first", "neutral"):
            raise BadMotion(f"Motion cannot be relative to {which!r}. Give 'first' or 'neutral'.")
        frames = np.empty(len(self), np.int64)
        for shot in np.unique(self.shots):
            here = np.flatnonzero(self.shots == shot)
            frames[here] = here[0] if which == "first" else here[np.argmin(self._stir()[here])]
        return self._changes(self.aus[frames], self.pose_deg[frames], self.gaze_deg[frames])

    def against(self, own: Motion) -> Motion:
        """Changes that take a face, whose absolute motion of one frame is given, to what is shown here."""
        self._need(relative=False, what="set against a face")
        codes = tuple(dict.fromkeys((*self.codes, *own.codes)))
        wide = replace(self, codes=codes, aus=_ordered(self, codes))
        return wide._changes(_ordered(own, codes)[:1], own.pose_deg[:1], own.gaze_deg[:1])

    def scaled(self, strengths: Strengths) -> Motion:
        """So much of each part of a relative motion."""
        self._need(relative=True, what="scaled")
        share = [strengths.jaw if units.unsided(code) in JAW else strengths.expression for code in self.codes]
        return replace(
            self,
            aus=self.aus * share,
            pose_deg=self.pose_deg * strengths.pose,
            gaze_deg=self.gaze_deg * strengths.gaze,
        )

    def specs(self, base: EditSpec | None = None) -> list[EditSpec]:
        """The wish of each frame of a relative motion, on top of one for all of them."""
        self._need(relative=True, what="asked of a face")
        wish = base or EditSpec()
        own = np.array([wish.yaw_deg, wish.pitch_deg, wish.roll_deg, wish.gaze_yaw_deg, wish.gaze_pitch_deg])
        turned = np.clip(own + np.hstack([self.pose_deg, self.gaze_deg]), -MOST_DEG, MOST_DEG).round(_DIGITS)
        moved = np.clip(self.aus, -units.LIMIT, units.LIMIT).round(_DIGITS)
        return [
            wish.with_(
                aus=_together(wish.aus, dict(zip(self.codes, map(float, aus), strict=True))),
                **dict(zip(_TURNS, map(float, turns + 0.0), strict=True)),
            )
            for aus, turns in zip(moved, turned, strict=True)
        ]

    def _parts(self) -> tuple[Numbers, Numbers, Numbers]:
        return self.aus, self.pose_deg, self.gaze_deg

    def _stir(self) -> Numbers:
        """How far each frame is from a calm and frontal face, (F,); guessed frames are far."""
        turned = np.abs(self.pose_deg).sum(1) + np.abs(self.gaze_deg).sum(1)
        found: Numbers = self.aus.sum(1) + _FRONTAL * turned + np.where(self.seen, 0.0, 1e6)
        return found

    def _changes(self, aus: Numbers, pose_deg: Numbers, gaze_deg: Numbers) -> Motion:
        moved = replace(self, aus=self.aus - aus, relative=True)
        if not self.turning:
            return moved
        before = np.broadcast_to(pose_deg, self.pose_deg.shape)
        return replace(moved, pose_deg=between(before, self.pose_deg), gaze_deg=self.gaze_deg - gaze_deg)

    def _need(self, *, relative: bool, what: str) -> None:
        if self.relative is not relative:
            kinds = ("absolute", "relative")
            advice = "Use relative_to or against first." if relative else "It tells changes already."
            raise BadMotion(f"Only {kinds[relative]} motion can be {what}; this is {kinds[not relative]}. {advice}")


def by_side(codes: Sequence[str], aus: Numbers) -> tuple[tuple[str, ...], Numbers]:
    """Intensities (F, U) of units as those of both their sides (F, S).

    >>> by_side(["AU12", "AU12L"], np.array([[2.0, 1.0]]))
    (('AU12L', 'AU12R'), array([[3., 2.]]))
    """
    halves = {code: [units.unsided(code) + side for side in (code[-1] if code[-1] in "LR" else "LR")] for code in codes}
    names = tuple(dict.fromkeys(half for each in halves.values() for half in each))
    found = np.zeros((len(aus), len(names)))
    for column, code in enumerate(codes):
        for half in halves[code]:
            found[:, names.index(half)] += aus[:, column]
    return names, found


def _together(own: Mapping[str, float], sided: Mapping[str, float]) -> dict[str, float]:
    """Sided changes on top of a wish's own; what both sides do alike is said once, and nothing is left out."""
    found: dict[str, float] = {}
    for code, value in sided.items():
        unit = units.unsided(code)
        alike = sided.get(unit + "L", 0.0) == sided.get(unit + "R", 0.0)
        if value:
            found[unit if alike else code] = value
    return units.added(own, found) if own else found


def _ordered(motion: Motion, codes: Sequence[str]) -> Numbers:
    """The intensities of some units (F, U); those that the motion does not have are at zero."""
    found = np.zeros((len(motion), len(codes)))
    for column, code in enumerate(motion.codes):
        found[:, codes.index(code)] = motion.aus[:, column]
    return found


def _check(motion: Motion) -> None:
    """Refuse what cannot be a motion."""
    count = len(motion.times) if motion.times.ndim == 1 else 0
    if not count:
        raise BadMotion(f"A motion with times of shape {motion.times.shape} has no frames. Give one time per frame.")
    shapes = {"aus": (count, len(motion.codes)), "pose_deg": (count, 3), "gaze_deg": (count, 2), "seen": (count,),
              "shots": (count,)}  # fmt: skip
    for name, shape in shapes.items():
        if getattr(motion, name).shape != shape:
            raise BadMotion(f"A motion's {name} has shape {getattr(motion, name).shape}, expected {shape}.")
    for name in _NUMBERS:
        if not np.isfinite(getattr(motion, name)).all():
            raise BadMotion(f"A motion's {name} holds NaN or infinity. Give finite numbers.")
    if not np.isfinite(motion.end) or (np.diff(motion.times, append=motion.end) <= 0).any():
        raise BadMotion(
            "A motion's times do not rise up to its end. Give every frame a later time than the one before."
        )
    if (np.diff(motion.shots) < 0).any():
        raise BadMotion("A motion's shots are out of order. Number them as they come.")
    _check_codes(motion.codes)


def _check_codes(codes: Sequence[str]) -> None:
    for code in codes:
        try:
            canonical = units.parse(code)
        except FaceForgeError as reason:
            raise BadMotion(f"A motion moves {code!r}: {reason}") from reason
        if canonical != code or code[-1] not in "LR" or codes.count(code) > 1:
            raise BadMotion(f"A motion moves {code!r}. Name every unit once, by its side, such as 'AU12L'.")

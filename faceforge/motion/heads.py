"""A fitted head as plain numbers: what is kept of it from frame to frame, and what it tells of a motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from faceforge.face3d.camera import Perspective
from faceforge.face3d.embedded.expression import EXPRESSIONS
from faceforge.face3d.embedded.model import rotation
from faceforge.face3d.fitted import HeadFit
from faceforge.face3d.fitting.unknowns import Frame, aus, camera, head_params, unknowns
from faceforge.motion.motion import Motion, by_side
from faceforge.motion.turns import Numbers, turns

UNITS = (*EXPRESSIONS, "AU43L", "AU43R", "AU26", "AU27")


@dataclass(frozen=True, eq=False)
class Head:
    """What `HeadFit` is made of. Whatever is fitted goes through these numbers, so that they may be kept in a file."""

    numbers: Numbers  # (COUNT,) the unknowns of fitting
    light: Numbers  # (9, 3)
    albedo: Numbers  # (3,)
    error: float

    @classmethod
    def of(cls, fit: HeadFit) -> Head:
        assert isinstance(fit.camera, Perspective), "fitting looks through a camera with a field of view"
        light, albedo = (each.double().numpy(force=True) for each in (fit.light[0], fit.albedo))
        return cls(unknowns(fit.params, fit.camera, Frame(fit.size)), light, albedo, fit.error)

    def fit(self, size: tuple[int, int]) -> HeadFit:
        """The head in a picture of (height, width)."""
        return HeadFit(
            params=head_params(self.numbers),
            camera=camera(self.numbers, Frame(size)),
            size=size,
            light=torch.from_numpy(self.light.copy())[None],
            albedo=torch.from_numpy(self.albedo.copy()),
            aus=aus(self.numbers),
            error=self.error,
        )

    def moved(self, numbers: Numbers) -> Head:
        """The same with other unknowns."""
        return replace(self, numbers=numbers)

    def plain(self) -> dict[str, Any]:
        """As JSON, to the last digit."""
        return {name: value if isinstance(value, float) else value.tolist() for name, value in vars(self).items()}

    @classmethod
    def of_plain(cls, told: Mapping[str, Any]) -> Head:
        """The head of `plain`."""
        arrays = {name: np.array(told[name], np.float64) for name in ("numbers", "light", "albedo")}
        return cls(error=float(told["error"]), **arrays)


@dataclass(frozen=True, eq=False)
class Postures:
    """What heads show, as a Motion has it: units by side (F, U), turns of head (F, 3) and eyes (F, 2) in degrees."""

    codes: tuple[str, ...]
    aus: Numbers
    pose_deg: Numbers
    gaze_deg: Numbers

    @classmethod
    def of(cls, fits: Sequence[HeadFit]) -> Postures:
        codes, shown = by_side(UNITS, np.array([[each.aus.get(code, 0.0) for code in UNITS] for each in fits]))
        return cls(
            codes, shown, np.concatenate([_turn(each) for each in fits]), np.stack([_gaze(each) for each in fits])
        )


def motion_of_face(fit: HeadFit) -> Motion:
    """The absolute motion of one frame that shows a face as it is."""
    found = Postures.of([fit])
    return Motion(
        times=np.zeros(1),
        end=1.0,
        relative=False,
        seen=np.ones(1, bool),
        shots=np.zeros(1, np.int64),
        **vars(found),
    )


def _turn(fit: HeadFit) -> Numbers:
    """The head's turn (1, 3), by root and neck together."""
    found = torch.eye(3, dtype=torch.float64)[None]
    for each in (fit.params.rotation, fit.params.neck):
        found = found if each is None else found @ rotation(each.double())
    return turns(found)


def _gaze(fit: HeadFit) -> Numbers:
    """Where both eyes look on average, (2,)."""
    if fit.params.eyes is None:
        return np.zeros(2)
    x, y, _ = np.degrees(fit.params.eyes[0].double().mean(0).numpy(force=True))
    return np.array([y, -x])

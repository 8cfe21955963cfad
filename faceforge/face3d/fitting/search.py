"""A head that explains a photograph, from its landmarks first and its pixels afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from faceforge.errors import BadHead
from faceforge.face.found import Face
from faceforge.face3d.camera import Perspective
from faceforge.face3d.embedded.model import EmbeddedHead, Person
from faceforge.face3d.fitted import HeadFit
from faceforge.face3d.fitting import unknowns as at
from faceforge.face3d.fitting.checks import checked_face, checked_picture
from faceforge.face3d.fitting.evidence import Evidence
from faceforge.face3d.fitting.light import Lit, lit
from faceforge.face3d.fitting.points import seen_points, seen_with_slopes
from faceforge.face3d.fitting.priors import Priors, kept, priors
from faceforge.face3d.fitting.solve import Steps, solved
from faceforge.face3d.fitting.start import start
from faceforge.face3d.fitting.unknowns import COUNT, Frame, Numbers, camera, head_params, unknowns

POOR = 0.06  # of the eye distance: a head that misses its landmarks by more explains them poorly
COVERED = 0.6  # of the skin: where less than this has one skin's colours, light and albedo are doubtful
_POSE_STEPS, _NEXT_STEPS = 6, 3
_STAGES = ((4.0, 4), (1.0, 10))  # how many times its deviation each landmark may be off at first, and for how long
_SMOOTH = (0.02, 0.02, 0.02, 0.3, 0.3, 0.01, 0.02)  # how far pose, place, scale and distance go from frame to frame
_BLEND = 0.2  # of the light that each further frame contributes


def fit(picture: NDArray[Any], face: Face, *, head: EmbeddedHead | None = None) -> HeadFit:
    """The head of one face in a picture (H, W, 3): bytes, or floats in 0..1."""
    search = _Search.of(face, head)
    pixels = checked_picture(picture, face)
    evidence = search.evidence()
    x = evidence.turned(start(evidence.points, search.frame))
    likely = priors(search.frame, float(np.exp(x[at.SCALE])))
    x = search.run(x, likely, Steps(_POSE_STEPS, _free(slice(0, at.GAZE.start)), 1.0), slack=_STAGES[0][0])
    for slack, steps in _STAGES:
        x = search.run(x, likely, Steps(steps, _free(slice(0, COUNT))), slack=slack)
    return search.found(x, lit(search.head, _person(search.head, x), pixels, x, search.frame))


def follow(picture: NDArray[Any], face: Face, last: HeadFit, *, head: EmbeddedHead | None = None) -> HeadFit:
    """The same head in the next frame: the identity stays, the pose and expression move smoothly, light is averaged."""
    search = _Search.of(face, head)
    pixels = checked_picture(picture, face)
    if tuple(face.size) != tuple(last.size) or not isinstance(last.camera, Perspective):
        raise BadHead(
            f"The last head was fitted to a picture of {last.size}, this one has {face.size}. Fit the first anew."
        )
    x = unknowns(last.params, last.camera, search.frame)
    likely = kept(priors(search.frame, float(np.exp(x[at.SCALE]))), x, slice(0, 7), np.array(_SMOOTH))
    free = _free(slice(0, at.FORM.start))
    free[at.DISTANCE] = False
    x = search.run(x, likely, Steps(_NEXT_STEPS, free))
    now = lit(search.head, _person(search.head, x), pixels, x, search.frame)
    light = last.light + _BLEND * (now.light * (now.albedo / last.albedo) - last.light)
    return search.found(x, Lit(light, last.albedo, now.explained))


def fit_clip(
    frames: Sequence[NDArray[Any]], faces: Sequence[Face], *, head: EmbeddedHead | None = None
) -> list[HeadFit]:
    """One head through a clip: fitted to the first frame, followed through the others."""
    if not frames or len(frames) != len(faces):
        raise BadHead(f"{len(frames)} frames and {len(faces)} faces. Give one face for each of at least one frame.")
    found = [fit(frames[0], faces[0], head=head)]
    for picture, face in zip(frames[1:], faces[1:], strict=True):
        found.append(follow(picture, face, found[-1], head=head))
    return found


@dataclass(frozen=True)
class _Search:
    """A head that is looked for in one picture."""

    head: EmbeddedHead
    frame: Frame
    face: Face

    @classmethod
    def of(cls, face: Face, head: EmbeddedHead | None) -> "_Search":
        return cls(head or EmbeddedHead(), Frame((face.size[0], face.size[1])), checked_face(face))

    def evidence(self, slack: float = 1.0) -> Evidence:
        """What is told of the face."""
        return Evidence.of(self.face, slack)

    def run(self, x: Numbers, likely: Priors, steps: Steps, slack: float = 1.0) -> Numbers:
        """The unknowns after some steps."""
        return solved(
            np.clip(x, likely.low, likely.high),
            lambda x: seen_with_slopes(self.head, _person(self.head, x), x, self.frame),
            lambda x: seen_points(self.head, _person(self.head, x), x, self.frame),
            self.evidence(slack).seen_from(x),
            likely,
            steps,
        )

    def found(self, x: Numbers, light: Lit) -> HeadFit:
        """What is known of the head at the end."""
        seen = seen_points(self.head, _person(self.head, x), x, self.frame)
        off = self.evidence().off(seen, x)[:136]
        error = float(np.sqrt(2 * (off**2).mean()))
        return HeadFit(
            params=head_params(x),
            camera=camera(x, self.frame),
            size=self.frame.size,
            light=light.light,
            albedo=light.albedo,
            aus=at.aus(x),
            error=error,
            notes=tuple(_notes(error, light)),
        )


def _notes(error: float, light: Lit) -> list[str]:
    notes = []
    if error > POOR:
        notes.append(
            f"The head misses the landmarks by {error:.0%} of the eye distance on average: "
            "the face may be covered, turned far away, or not one."
        )
    if light.explained < COVERED:
        notes.append(f"Only {light.explained:.0%} of the face has the colours of one skin: its light is uncertain.")
    return notes


def _free(where: slice) -> NDArray[np.bool_]:
    found = np.zeros(COUNT, bool)
    found[where] = True
    return found


def _person(head: EmbeddedHead, x: Numbers) -> Person:
    return _grown(head, np.round(x[at.FORM], 9).tobytes())


@lru_cache(maxsize=4)
def _grown(head: EmbeddedHead, traits: bytes) -> Person:
    return head.of(torch.from_numpy(np.frombuffer(traits).copy())[None])

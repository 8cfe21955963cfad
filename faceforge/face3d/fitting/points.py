"""Where a head's landmarks and irises fall in the picture, and how they follow each unknown."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from faceforge.face3d.embedded.expression import EXPRESSIONS
from faceforge.face3d.embedded.form import EYEBALL, rest
from faceforge.face3d.embedded.grid import COLUMNS, ROWS
from faceforge.face3d.embedded.landmarks import at_places, seen68
from faceforge.face3d.embedded.model import EmbeddedHead, Person, rotation
from faceforge.face3d.embedded.traits import TRAITS, Traits
from faceforge.face3d.fitting.unknowns import (
    COUNT,
    DISTANCE,
    FORM,
    GAZE,
    JAW,
    LIDS,
    MOVES,
    POSE,
    SCALE,
    SHIFT,
    Frame,
    Numbers,
    head_params,
    rows_of,
)
from faceforge.face3d.head import HeadParams

POINTS = 70  # 68 landmarks, the left and the right iris
IRIS = slice(68, 70)
_STEP = 1e-5
_TRAIT_STEP = 0.5  # standard deviations: differences average over the kinks of the formulas
_PUPIL = EYEBALL * 1.045
_TMJ = (0.0, 1.0, 1.5)
# Landmarks on edges that touch: upper, lower.
_CONTACTS = ((37, 41), (38, 40), (43, 47), (44, 46), (61, 67), (62, 66), (63, 65))
_TOUCHING = 1e-3  # centimetres


@dataclass(frozen=True)
class Seen:
    """Points (70, 2) in pixels, and their derivatives (70, 2, COUNT)."""

    points: Numbers
    slopes: Numbers


@cache
def trait_moves() -> Tensor:
    """How each trait moves the average resting skin, (I, ROWS, COLUMNS, 3)."""
    steps = torch.eye(len(TRAITS), dtype=torch.float64) * _TRAIT_STEP
    up, down = rest(Traits(steps)).skin, rest(Traits(-steps)).skin
    return (up - down) / (2 * _TRAIT_STEP)


def carried_points(head: EmbeddedHead, person: Person, x: Numbers) -> tuple[Tensor, Tensor, Tensor]:
    """The skin (1, ROWS, COLUMNS, 3) before neck and root carry it and after, and both pupils (1, 2, 3) after."""
    params = head_params(x)
    still = HeadParams(expression=params.expression, jaw=params.jaw, eyes=params.eyes, eyelids=params.eyelids)
    skin = head.skin(person, still)
    posed = head.carried(skin.flatten(1, 2), params).view(1, ROWS, COLUMNS, 3)
    return skin, posed, head.carried(pupils(person, params), params)


def pupils(person: Person, params: HeadParams) -> Tensor:
    """Both pupils of the unturned head (1, 2, 3), left and right, in centimetres."""
    at = person.form.at
    centres = [torch.cat([sign * at.eye_x, at.eye_y, at.eye_z], -1)[:, 0] for sign in (1.0, -1.0)]
    assert params.eyes is not None
    ahead = rotation(params.eyes.double())[..., 2] * _PUPIL
    return torch.stack(centres, 1) + ahead


def project(points: Numbers, x: Numbers, frame: Frame) -> Numbers:
    """Points (N, 3) about the head's origin in pixels (N, 2)."""
    nearer = 1 / (1 - points[:, 2] / np.exp(x[DISTANCE]))
    across = np.exp(x[SCALE]) * (points[:, :2] + x[SHIFT]) * nearer[:, None]
    middle = frame.middle
    return np.stack([middle[0] + across[:, 0], middle[1] - across[:, 1]], 1)


def seen_points(head: EmbeddedHead, person: Person, x: Numbers, frame: Frame) -> Numbers:
    """Where the landmarks and irises fall, (70, 2)."""
    _, posed, eyes = carried_points(head, person, x)
    return project(rows_of(torch.cat([at_places(posed, seen68(posed)), eyes], 1)), x, frame)


def seen_with_slopes(head: EmbeddedHead, person: Person, x: Numbers, frame: Frame) -> Seen:
    """Where they fall, and how they follow every unknown.

    Exact in pose, place, gaze and jaw. Units move points as they move resting skin; traits, as they move the average.
    """
    skin, posed, eyes = carried_points(head, person, x)
    places = seen68(posed)
    params = head_params(x)
    before = torch.cat([at_places(skin, places), pupils(person, params)], 1)
    after = rows_of(torch.cat([at_places(posed, places), eyes], 1))
    turns = _turns(head, before, x)
    inner = _unturned_slopes(person, places, rows_of(before), x)
    space = np.einsum("pij,pjk->pik", turns, inner)
    for index in range(POSE.start, POSE.stop):
        moved = x.copy()
        moved[index] += _STEP
        space[:, :, index] = (rows_of(head.carried(before, head_params(moved))) - after) / _STEP
    return Seen(project(after, x, frame), _projected(after, space, x))


def _turns(head: EmbeddedHead, points: Tensor, x: Numbers) -> Numbers:
    """What neck and root do to small steps at each point, (N, 3, 3)."""
    params = head_params(x)
    steps = torch.eye(3, dtype=torch.float64)[:, None] * _STEP
    base = head.carried(points, params)
    moved = head.carried((points + steps).reshape(1, -1, 3), params).view(3, -1, 3)
    slopes: Numbers = ((moved - base) / _STEP).permute(1, 2, 0).numpy()
    return slopes


def _unturned_slopes(person: Person, places: list[tuple[float, float]], points: Numbers, x: Numbers) -> Numbers:
    """Derivatives (70, 3, COUNT) before neck and root."""
    slopes = np.zeros((POINTS, 3, COUNT))

    def at(fields: Tensor) -> Numbers:
        found: Numbers = at_places(fields, places).permute(1, 2, 0).numpy()
        return found

    units = at(torch.cat([person.field(code) for code in EXPRESSIONS]))
    raw = rows_of(at_places(person.form.skin, places)) + units @ x[MOVES]
    slopes[:68, :, MOVES] = units
    slopes[:68, :, LIDS] = at(torch.cat(person.lids))
    _touch(slopes, raw)
    slopes[:68, :, FORM] = at(trait_moves())
    weight = rows_of(at_places(person.jaw_weight, places))[:, 0]
    out = points[:68] - _TMJ
    slopes[:68, 1, JAW], slopes[:68, 2, JAW] = -weight * out[:, 2], weight * out[:, 1]
    follow = 0.9 * slopes[:68, :, LIDS]  # the upper lid follows the gaze up and down
    slopes[:68, :, GAZE.start], slopes[:68, :, GAZE.start + 2] = follow[:, :, 0], follow[:, :, 1]
    _eyes(slopes, person, x)
    return slopes


def _touch(slopes: Numbers, raw: Numbers) -> None:
    """Edges that touch go together where a unit would drive them through each other."""
    for upper, lower in _CONTACTS:
        overlap = raw[lower, 1] - raw[upper, 1]
        if overlap < -_TOUCHING:
            continue
        closing = slopes[lower, 1] - slopes[upper, 1]
        share = np.where((closing > 0) | (overlap > _TOUCHING), 0.5, 0.0)
        slopes[upper, 1] += share * closing
        slopes[lower, 1] -= share * closing


def _eyes(slopes: Numbers, person: Person, x: Numbers) -> None:
    """Pupils follow gaze and the traits that place the eyes."""
    gaze = torch.from_numpy(x[GAZE].reshape(2, 2))
    for each in range(2):
        for axis in range(2):
            axis_angle = torch.zeros(2, 3, dtype=torch.float64)
            axis_angle[:, :2] = gaze[each]
            axis_angle[1, axis] += _STEP
            ahead = rotation(axis_angle)[..., 2] * _PUPIL
            slopes[68 + each, :, GAZE.start + 2 * each + axis] = ((ahead[1] - ahead[0]) / _STEP).numpy()
    sign = np.array([1.0, -1.0])
    slopes[IRIS, 0, FORM.start + TRAITS.index("eye_separation")] = 0.15 * sign
    slopes[IRIS, 1, FORM.start + TRAITS.index("eye_height")] = 0.18
    slopes[IRIS, 2, FORM.start + TRAITS.index("eye_depth")] = -0.15


def _projected(points: Numbers, space: Numbers, x: Numbers) -> Numbers:
    """Derivatives in pixels (N, 2, COUNT) from those of points in space (N, 3, COUNT)."""
    away, scale = np.exp(x[DISTANCE]), np.exp(x[SCALE])
    nearer = (1 / (1 - points[:, 2] / away))[:, None]
    flat = points[:, :2] + x[SHIFT]
    slopes = scale * nearer[..., None] * (space[:, :2] + (flat * nearer / away)[..., None] * space[:, 2:])
    slopes[:, 0, SHIFT.start] += (scale * nearer)[:, 0]
    slopes[:, 1, SHIFT.start + 1] += (scale * nearer)[:, 0]
    slopes[:, :, SCALE] += scale * flat * nearer
    slopes[:, :, DISTANCE] -= scale * flat * nearer**2 * points[:, 2:] / away
    slopes[:, 1] *= -1
    found: Numbers = slopes
    return found

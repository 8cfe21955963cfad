"""What a finder says beside its points: pose and action units, as soft measurements of the unknowns."""

from dataclasses import replace

import numpy as np

from faceforge.aus import unsided
from faceforge.face.found import Face
from faceforge.face3d.embedded.expression import EXPRESSIONS
from faceforge.face3d.embedded.model import FULL, JAW_OPEN, rotation
from faceforge.face3d.fitting.finders import AuReading, Finder
from faceforge.face3d.fitting.priors import Priors
from faceforge.face3d.fitting.unknowns import (
    COUNT,
    DISTANCE,
    JAW,
    LIDS,
    MOVES,
    POSE,
    SHIFT,
    Numbers,
    head_params,
)

_ROUNDS = 4


def told(likely: Priors, face: Face, habits: Finder, x: Numbers) -> Priors:
    """What is likely once a finder's pose and units are heard, about unknowns x."""
    rows, wanted = _pose(face, habits, x)
    if face.aus is not None:
        for code, reading in habits.aus.items():
            if code in face.aus:
                rows = np.vstack([rows, _follows(reading) / reading.deviation])
                wanted = np.append(wanted, (face.aus[code] - reading.base) / reading.deviation)
    return replace(
        likely,
        form=likely.form + rows.T @ rows,
        slope=likely.slope + rows.T @ (rows @ likely.middle - wanted),
    )


def _pose(face: Face, habits: Finder, x: Numbers) -> tuple[Numbers, Numbers]:
    """Rows (3, COUNT) and what they should give."""
    rows, deviation = np.zeros((3, COUNT)), np.radians(habits.pose_deviation_deg)
    rows[range(3), range(POSE.start, POSE.stop)] = 1 / deviation
    read = np.radians(np.array([face.yaw_deg, face.pitch_deg, face.roll_deg]) - habits.pose_bias_deg)
    # a finder sees a face along its own line of sight, not along the picture's middle
    read[:2] -= np.arctan(x[SHIFT] / np.exp(x[DISTANCE]))
    return rows, np.where(np.isfinite(deviation), _unknowns_of(read) / deviation, 0.0)


def _unknowns_of(angles: Numbers) -> Numbers:
    """The pose whose neck and root together turn the head by these angles (3,)."""
    x = np.zeros(COUNT)
    x[POSE] = angles
    for _ in range(_ROUNDS):
        x[POSE] += angles - _angles(x)
    found: Numbers = x[POSE]
    return found


def _angles(x: Numbers) -> Numbers:
    params = head_params(x)
    assert params.rotation is not None
    assert params.neck is not None
    turn = (rotation(params.rotation) @ rotation(params.neck))[0].numpy()
    return np.array(
        [np.arctan2(turn[0, 2], turn[2, 2]), np.arcsin(np.clip(turn[1, 2], -1, 1)), np.arctan2(-turn[1, 0], turn[1, 1])]
    )


def _follows(reading: AuReading) -> Numbers:
    """How a reading follows the unknowns, (COUNT,): both sides count alike."""
    row = np.zeros(COUNT)
    for unit, slope in reading.slopes.items():
        if unit == "AU26":
            row[JAW] += slope * FULL / JAW_OPEN["AU26"]
        elif unit == "AU43":
            row[LIDS] += slope * FULL / 2
        else:
            sides = [MOVES.start + index for index, code in enumerate(EXPRESSIONS) if unsided(code) == unit]
            row[sides] += slope * FULL / len(sides)
    return row

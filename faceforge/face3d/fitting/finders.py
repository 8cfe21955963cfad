"""How what a finder tells follows the head that it saw, and how far it is to be believed."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from faceforge.aus import unsided
from faceforge.face.calibration import ANGLES, FINDERS, POINTS, READ, TOLD, UNITS, calibration, posture
from faceforge.face.found import Face
from faceforge.face3d.embedded.expression import EXPRESSIONS
from faceforge.face3d.embedded.model import FULL, JAW_OPEN
from faceforge.face3d.fitting.unknowns import COUNT, JAW, LIDS, MOVES, POSE, Numbers

EXACT = "synth"  # the landmarks of a synthetic portrait are the head's own
_ROUNDING = (0.01, 0.03)  # all but the jaw's, and the jaw's, which jump from column to column as the head turns
_TOGETHER = 1.7  # a finder is wrong about neighbours alike, so that many points tell less than as many chances
_STEADY = 0.3  # of an angle's deviation: what points say of the pose is less than what they seem to
_STRANGE = 0.35  # FACS: how much else is read in photographs than in portraits, so that faint readings say little


@dataclass(frozen=True)
class Finder:
    """Of the numbers that `calibration.told` gives: what is added to the truth, and how far chance takes them."""

    habits: Numbers  # (TOLD,)
    follows: Numbers  # (TOLD, COUNT) what the unknowns add, beside where they put the points
    deviation: Numbers  # (TOLD,) infinite for what is not believed at all


def finder(face: Face) -> Finder:
    """What is known of who found this face; someone unknown is believed as MediaPipe is, without its habits."""
    none, follows, deviation = np.zeros(TOLD), np.zeros((TOLD, COUNT)), np.full(TOLD, np.inf)
    if face.backend == EXACT:
        deviation[POINTS] = _ROUNDING[0]
        deviation[:34] = _ROUNDING[1]
        return Finder(none, follows, deviation)
    known = face.backend in FINDERS
    habits = calibration(face.backend if known else FINDERS[0])
    deviation[POINTS] = habits.deviation[POINTS] * _TOGETHER
    if not known:
        return Finder(none, follows, deviation)
    deviation[ANGLES] = habits.deviation[ANGLES] * _STEADY
    deviation[READ] = np.hypot(habits.deviation[READ], _STRANGE)
    follows[:] = habits.response @ intensities()
    follows[ANGLES] = 0.0  # a unit that is wrongly read must not turn the head
    follows[range(ANGLES.start, ANGLES.stop), range(POSE.start, POSE.stop)] = np.degrees(1.0)
    return Finder(habits.habits @ posture(face.yaw_deg, face.pitch_deg), follows, deviation)


@cache
def intensities() -> Numbers:
    """How the units' intensities follow the unknowns, (K, COUNT): means of both sides, the jaw in units of AU26."""
    return np.stack([_intensity(unit) for unit in UNITS])


def _intensity(unit: str) -> Numbers:
    row = np.zeros(COUNT)
    if unit == "AU26":
        row[JAW] = FULL / JAW_OPEN["AU26"]
    elif unit == "AU43":
        row[LIDS] = FULL / 2
    else:
        sides = [MOVES.start + index for index, code in enumerate(EXPRESSIONS) if unsided(code) == unit]
        row[sides] = FULL / len(sides)
    return row

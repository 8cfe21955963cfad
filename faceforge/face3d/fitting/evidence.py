"""What a finder tells of a face, to be compared with what it would tell of a head."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceforge.face.calibration import ANGLES, POINTS, along_the_eyes, told
from faceforge.face.found import Face
from faceforge.face3d.embedded.model import rotation
from faceforge.face3d.fitting.finders import finder
from faceforge.face3d.fitting.points import Seen
from faceforge.face3d.fitting.unknowns import COUNT, DISTANCE, POSE, SHIFT, Numbers, head_params

OUTLIER = 3.0  # deviations at which what is told begins to be believed less
_ROUNDS = 4


@dataclass(frozen=True)
class Evidence:
    """The n numbers that are told at all, in `calibration.told`'s order; those of points come first."""

    values: Numbers  # (n,) without the finder's habits
    places: NDArray[np.intp]  # (n,) which of all numbers they are
    follows: Numbers  # (n, COUNT) what the unknowns add to them, beside where they put the points
    deviation: Numbers  # (n,)
    middle: Numbers  # (2,) of the eyes, in pixels
    turn: Numbers  # (2, 2) from pixels to eye distances

    @classmethod
    def of(cls, face: Face, slack: float = 1.0) -> "Evidence":
        """What is told of a face, if points may be off by so many times what they usually are."""
        habits, values = finder(face), told(face)
        places = np.flatnonzero(np.isfinite(values) & np.isfinite(habits.deviation))
        return cls(
            values=(values - habits.habits)[places],
            places=places,
            follows=habits.follows[places],
            deviation=habits.deviation[places] * np.where(places < POINTS.stop, slack, 1.0),
            middle=(face.landmarks[36:42].mean(0) + face.landmarks[42:48].mean(0)) / 2,
            turn=along_the_eyes(face),
        )

    @property
    def points(self) -> Numbers:
        """Where the 68 landmarks lie in the picture without the finder's habits, (68, 2)."""
        return self.values[:136].reshape(68, 2) @ np.linalg.inv(self.turn).T + self.middle

    def seen_from(self, x: Numbers) -> "Evidence":
        """With the angles as unknowns: a finder sees a face along its own line of sight, not along the picture's."""
        angles = self._angles()
        if not len(angles):
            return self
        values = self.values.copy()
        read = np.radians(values[angles])
        read[:2] -= np.arctan(x[SHIFT] / np.exp(x[DISTANCE]))
        values[angles] = np.degrees(_unknowns_of(read))
        return replace(self, values=values)

    def turned(self, x: Numbers) -> Numbers:
        """The unknowns with the pose that is told, if one is: from another, the points lead to a wrong one."""
        angles, found = self._angles(), x.copy()
        if len(angles):
            found[POSE] = np.radians(self.seen_from(x).values[angles])
        return found

    def off(self, points: Numbers, x: Numbers) -> Numbers:
        """What would be told of a head at points (70, 2) less what is told, (n,)."""
        own = self._told((points - self.middle) @ self.turn.T)
        found: Numbers = own + self.follows @ x - self.values
        return found

    def slopes(self, seen: Seen) -> Numbers:
        """How that follows the unknowns, (n, COUNT)."""
        found: Numbers = self._told(np.einsum("ij,pjk->pik", self.turn, seen.slopes)) + self.follows
        return found

    def cost(self, points: Numbers, x: Numbers) -> float:
        """Half the squared deviations, growing ever more slowly for outliers."""
        off = self.off(points, x)
        return float(((off * self._faded(off) / self.deviation) ** 2).sum() / 2)

    def pulled(self, seen: Seen, x: Numbers) -> tuple[Numbers, Numbers]:
        """The quadratic form (COUNT, COUNT) and the slope (COUNT,) of the cost."""
        off = self.off(seen.points, x)
        weight = self._faded(off) / self.deviation
        rows = self.slopes(seen) * weight[:, None]
        return rows.T @ rows, rows.T @ (off * weight)

    def _angles(self) -> NDArray[np.intp]:
        return np.flatnonzero((self.places >= ANGLES.start) & (self.places < ANGLES.stop))

    def _told(self, of_points: Numbers) -> Numbers:
        """Of points (70, 2, ...), those that are told, and nothing for the other numbers, (n, ...)."""
        flat = of_points.reshape(POINTS.stop, *of_points.shape[2:])
        points = self.places[self.places < POINTS.stop]
        found: Numbers = np.zeros((len(self.places), *flat.shape[1:]))
        found[: len(points)] = flat[points]
        return found

    def _faded(self, off: Numbers) -> Numbers:
        """How much of each number's distance counts, (n,): points may be hidden, angles and units are what is left."""
        far = np.abs(off) / self.deviation / OUTLIER + 1e-9
        return np.where(self.places < POINTS.stop, np.sqrt(np.log1p(far**2)) / far, 1.0)


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

"""Gauss-Newton steps within bounds, damped until they help."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceforge.face3d.fitting.points import Seen
from faceforge.face3d.fitting.priors import Priors
from faceforge.face3d.fitting.unknowns import COUNT, Numbers

OUTLIER = 3.0  # deviations at which a landmark's pull begins to fade
_TRIES = 4
_ROUNDS = 12  # of choosing which unknowns lie on their bounds


@dataclass(frozen=True)
class Wanted:
    """Points (70, 2) as they were found, and how far each may be off; infinite where it was not."""

    points: Numbers
    deviation: Numbers  # (70,)

    def cost(self, seen: Numbers) -> float:
        """Half the squared distances in deviations, growing ever more slowly for outliers."""
        far = self._far(seen) / OUTLIER
        return float((OUTLIER**2 / 2 * np.log1p(far**2)).sum())

    def weights(self, seen: Numbers) -> Numbers:
        """Of each point's squared distance in pixels, (70,)."""
        far = self._far(seen) / OUTLIER
        found: Numbers = self.deviation**-2.0 / (1 + far**2)
        return found

    def _far(self, seen: Numbers) -> Numbers:
        found: Numbers = np.linalg.norm(seen - self.points, axis=1) / self.deviation
        return found


@dataclass(frozen=True)
class Steps:
    """How long to look, and at which unknowns."""

    most: int
    free: NDArray[np.bool_]
    enough: float = 0.02  # a gain of cost below this ends it


def solved(
    x: Numbers, look: Callable[[Numbers], Seen], glance: Callable[[Numbers], Numbers], wanted: Wanted,
    priors: Priors, steps: Steps,
) -> Numbers:  # fmt: skip
    """The unknowns that explain the points best; `glance` gives points alone, `look` their slopes too."""
    damping = 1e-3
    best = wanted.cost(glance(x)) + priors.cost(x)
    for _ in range(steps.most):
        seen = look(x)
        weights = wanted.weights(seen.points)[:, None]
        flat = (seen.slopes * weights[..., None]).reshape(-1, COUNT)
        normal = flat.T @ seen.slopes.reshape(-1, COUNT) + priors.form
        pull = flat.T @ (seen.points - wanted.points).ravel() + priors.gradient(x)
        before = best
        for _ in range(_TRIES):
            damped = normal + damping * np.diag(np.diag(normal))
            trial = x + bounded_step(damped, pull, priors.low - x, priors.high - x, steps.free)
            cost = wanted.cost(glance(trial)) + priors.cost(trial)
            if cost < best:
                x, best, damping = trial, cost, damping / 5
                break
            damping = max(damping, 1e-3) * 8
        if before - best < steps.enough:
            break
    return x


def bounded_step(normal: Numbers, pull: Numbers, low: Numbers, high: Numbers, free: NDArray[np.bool_]) -> Numbers:
    """The step between bounds at which the quadratic model is least, by an active set."""
    step, active = np.zeros(len(pull)), free.copy()
    for _ in range(_ROUNDS):
        index = np.flatnonzero(active)
        rest = pull[index] + normal[np.ix_(index, ~active)] @ step[~active]
        step[index] = np.linalg.solve(normal[np.ix_(index, index)], -rest)
        clipped = np.clip(step, low, high)
        over = active & (clipped != step)
        step = np.where(free, clipped, 0.0)
        slope = normal @ step + pull
        inward = free & ~active & (((step <= low) & (slope < 0)) | ((step >= high) & (slope > 0)))
        if not (over.any() or inward.any()):
            break
        active = (active & ~over) | inward
    return step

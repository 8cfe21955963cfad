"""Gauss-Newton steps within bounds, damped until they help."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from faceforge.face3d.fitting.evidence import Evidence
from faceforge.face3d.fitting.points import Seen
from faceforge.face3d.fitting.priors import Priors
from faceforge.face3d.fitting.unknowns import Numbers

_TRIES = 4
_ROUNDS = 12  # of choosing which unknowns lie on their bounds


@dataclass(frozen=True)
class Steps:
    """How long to look, and at which unknowns."""

    most: int
    free: NDArray[np.bool_]
    enough: float = 0.02  # a gain of cost below this ends it


def solved(
    x: Numbers, look: Callable[[Numbers], Seen], glance: Callable[[Numbers], Numbers], evidence: Evidence,
    priors: Priors, steps: Steps,
) -> Numbers:  # fmt: skip
    """The unknowns that explain what is told best; `glance` gives points alone, `look` their slopes too."""
    with _algebra().limit(limits=1, user_api="blas"):
        return _descended(x, look, glance, evidence, priors, steps)


@cache
def _algebra() -> ThreadpoolController:
    """Of numpy's threads: beside other work they wait for each other longer than these small systems take."""
    return ThreadpoolController()


def _descended(
    x: Numbers, look: Callable[[Numbers], Seen], glance: Callable[[Numbers], Numbers], evidence: Evidence,
    priors: Priors, steps: Steps,
) -> Numbers:  # fmt: skip
    damping = 1e-3
    best = evidence.cost(glance(x), x) + priors.cost(x)
    for _ in range(steps.most):
        normal, pull = evidence.pulled(look(x), x)
        normal, pull = normal + priors.form, pull + priors.gradient(x)
        before = best
        for _ in range(_TRIES):
            damped = normal + damping * np.diag(np.diag(normal))
            trial = x + bounded_step(damped, pull, priors.low - x, priors.high - x, steps.free)
            cost = evidence.cost(glance(trial), trial) + priors.cost(trial)
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

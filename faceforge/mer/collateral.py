"""What edits move that nobody asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from faceforge.mer.agreement import Numbers, mean
from faceforge.mer.edits import Edits

# Units that anatomy moves together; leakage between them is forgiven by the soft scores alone.
COUPLED = (("AU1", "AU2"), ("AU6", "AU12"), ("AU25", "AU26"), ("AU15", "AU17"), ("AU9", "AU4"))


def collateral(edits: Edits, *, soft: bool = False) -> dict[str, float]:
    """What moved that nobody asked for; the soft form leaves out units that anatomy couples with requested ones."""
    amount, on = np.abs(edits.detected), edits.requested != 0
    off = ~(on | _coupled_with(on, edits.codes)) if soft else ~on
    quiet, loud = mean(amount[off], None), mean(amount[on], None)
    alarms = np.where(np.isnan(amount), np.nan, amount > edits.tau)
    return {
        "abs_change_off": float(quiet),
        "abs_change_on": float(loud),
        "leakage_ratio": float(quiet / loud) if loud > 0 else math.nan,
        "false_activation_rate": float(mean(alarms[off], None)),
    }


def response_matrix(edits: Edits) -> Numbers:
    """(K, K): how much column k changes per unit asked of row j, over edits that ask for j alone."""
    alone = (edits.requested != 0).sum(1) == 1
    found = np.full((len(edits.codes),) * 2, np.nan)
    for row in range(len(edits.codes)):
        rows = alone & (edits.requested[:, row] != 0)
        found[row] = mean(edits.detected[rows] / edits.requested[rows, row][:, None])
    return found


def dominance(matrix: Numbers, codes: Sequence[str], *, soft: bool = False) -> Numbers:
    """(K,): the share of everything unit k's request moves that is unit k itself."""
    size = np.abs(matrix)
    if soft:
        size = np.where(_coupled_with(np.eye(len(codes), dtype=bool), codes), np.nan, size)
    total = np.where(np.isnan(size), 0.0, size).sum(1)
    return np.where(total > 0, np.diag(size) / np.where(total > 0, total, 1.0), np.nan)


def _coupled_with(asked: NDArray[np.bool_], codes: Sequence[str]) -> NDArray[np.bool_]:
    """Where (N, K) a unit is coupled with one that is asked for."""
    pairs = {frozenset(pair) for pair in COUPLED}
    linked = np.array([[frozenset((a, b)) in pairs for b in codes] for a in codes], dtype=float)
    found: NDArray[np.bool_] = asked.astype(float) @ linked > 0
    return found

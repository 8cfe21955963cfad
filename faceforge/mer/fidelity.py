"""The score of edits: did the action units that were asked for move, by as much, and nothing else?

There is no single number. The headline is four: ICC, signed F1, leakage ratio and median Spearman, each with an
interval over identities. What an edit should keep (identity, pose, light, background) stands beside, in `preserved`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.mer import agreement
from faceforge.mer.agreement import Numbers, mean
from faceforge.mer.dose_response import Curve, curve

# Units that anatomy moves together; leakage between them is forgiven by the soft scores alone.
COUPLED = (("AU1", "AU2"), ("AU6", "AU12"), ("AU25", "AU26"), ("AU15", "AU17"), ("AU9", "AU4"))
RESAMPLED = 1000
Curves = Mapping[str, Mapping[tuple[Hashable, int], Curve]]  # by unit, then by face and seed
HEADLINE = ("icc", "signed_f1", "leakage_ratio", "spearman")


@dataclass(frozen=True, eq=False)
class Edits:
    """N judged edits of K units: what was asked and what was seen; NaN where a judge could not see."""

    codes: tuple[str, ...]
    requested: Numbers  # (N, K)
    detected: Numbers  # (N, K)
    identities: Sequence[str]  # (N,) whose face
    faces: Sequence[Hashable]  # (N,) which picture of it
    seeds: Sequence[int]  # (N,)
    tau: Numbers  # (K,) the change from which a unit counts as moved
    comparable: Numbers | None = None  # (N, K) detections in the units of requests, where a judge has units of its own

    @property
    def asked(self) -> NDArray[np.bool_]:
        """(K,): the units that some edit asks for; means over units are means over these."""
        return np.asarray((self.requested != 0).any(0))

    def take(self, rows: NDArray[np.intp]) -> Edits:
        """Some of the edits, in this order, repeats included."""
        return replace(
            self,
            requested=self.requested[rows],
            detected=self.detected[rows],
            comparable=None if self.comparable is None else self.comparable[rows],
            identities=[self.identities[row] for row in rows],
            faces=[self.faces[row] for row in rows],
            seeds=[self.seeds[row] for row in rows],
        )

    def __len__(self) -> int:
        return len(self.requested)


def per_unit(edits: Edits) -> dict[str, Numbers]:
    """Error and agreement, (K,) each; error and ICC of detections in the units of the requests."""
    r, d = edits.requested, edits.detected
    comparable = d if edits.comparable is None else edits.comparable
    return {
        "mse": agreement.mse(r, comparable),
        "mae": agreement.mae(r, comparable),
        "bias": agreement.bias(r, comparable),
        "pcc": agreement.pcc(r, d),
        "icc": agreement.icc(r, comparable),
        "signed_f1": agreement.signed_f1(r, d, edits.tau),
    }


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


def curves(edits: Edits) -> Curves:
    """For every unit, the dose-response of each face and seed, over edits that ask for that unit alone or nothing."""
    others = (edits.requested != 0).sum(1)[:, None] - (edits.requested != 0) == 0
    found: dict[str, dict[tuple[Hashable, int], Curve]] = {}
    for k, code in enumerate(edits.codes):
        sweeps: dict[tuple[Hashable, int], list[int]] = {}
        for row in np.flatnonzero(others[:, k]).tolist():
            sweeps.setdefault((edits.faces[row], edits.seeds[row]), []).append(row)
        found[code] = {
            key: curve(edits.requested[rows, k].tolist(), edits.detected[rows, k].tolist(), float(edits.tau[k]))
            for key, rows in sweeps.items()
            if edits.requested[rows, k].any()
        }
    return found


def spearmans(swept: Curves) -> list[float]:
    """The rank correlation of every face, unit and seed."""
    return [each.spearman for unit in swept.values() for each in unit.values()]


def dose_response(found: Iterable[Curve]) -> dict[str, float]:
    """Medians over faces; the saturation of those that saturate, and how many do."""
    each = list(found)
    names = ("spearman", "monotone", "slope", "r2", "saturation")
    medians = {name: _median([getattr(one, name) for one in each]) for name in names}
    reached = [not math.isnan(one.saturation) for one in each if not math.isnan(one.slope)]
    return {**medians, "saturated": float(np.mean(reached)) if reached else math.nan}


def consistency(edits: Edits) -> Numbers:
    """(K,): the standard deviation over seeds of one face and request, averaged; NaN where there was one seed."""
    groups: dict[tuple[Hashable, ...], list[int]] = {}
    for row, face in enumerate(edits.faces):
        groups.setdefault((face, *edits.requested[row].tolist()), []).append(row)
    spreads = [edits.detected[rows].std(0, ddof=1) for rows in groups.values() if len(rows) > 1]
    return np.asarray(mean(np.array(spreads))) if spreads else np.full(len(edits.codes), np.nan)


def headline(edits: Edits, ranks: Sequence[float]) -> dict[str, float]:
    """The four numbers an editor is known by; means over units are of those that are asked for and defined."""
    units, asked = per_unit(edits), edits.asked
    return {
        "icc": float(mean(units["icc"][asked])),
        "signed_f1": float(mean(units["signed_f1"][asked])),
        "leakage_ratio": collateral(edits)["leakage_ratio"],
        "spearman": _median(ranks),
    }


def intervals(
    edits: Edits, swept: Curves, *, resampled: int = RESAMPLED, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """95 % bootstrap intervals of the headline, over identities; NaN where there are fewer than two."""
    own: dict[str, list[float]] = {}
    who = dict(zip(edits.faces, edits.identities, strict=True))
    for unit in swept.values():
        for (face, _), each in unit.items():
            own.setdefault(who[face], []).append(each.spearman)
    rows = {name: np.flatnonzero(np.array(edits.identities) == name) for name in sorted(set(edits.identities))}

    def scored(names: Sequence[str]) -> list[float]:
        drawn = edits.take(np.concatenate([rows[name] for name in names]))
        found = headline(drawn, [value for name in names for value in own.get(name, [])])
        return [found[name] for name in HEADLINE]

    low, high = bootstrap(sorted(rows), scored, resampled=resampled, seed=seed)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(HEADLINE)}


def bootstrap(
    groups: Sequence[str], statistic: Callable[[Sequence[str]], Sequence[float]], *, resampled: int, seed: int
) -> tuple[Numbers, Numbers]:
    """2.5 % and 97.5 % quantiles of statistics of groups drawn with replacement."""
    if len(groups) < 2:
        nothing = np.full(len(statistic(groups)), np.nan) if groups else np.full(0, np.nan)
        return nothing, nothing
    draws = np.random.default_rng(seed).integers(len(groups), size=(resampled, len(groups)))
    values = np.array([statistic([groups[i] for i in draw]) for draw in draws])
    low, high = (np.array([_quantile(column, q) for column in values.T]) for q in (0.025, 0.975))
    return low, high


def score(edits: Edits, swept: Curves, *, resampled: int = RESAMPLED) -> dict[str, Any]:
    """Everything this module can say of some edits and their curves, as plain numbers; what is undefined is None."""
    units, matrix = per_unit(edits), response_matrix(edits)
    found: dict[str, Any] = plain(
        {
            "edits": len(edits),
            "identities": len(set(edits.identities)),
            "headline": headline(edits, spearmans(swept)),
            "intervals": intervals(edits, swept, resampled=resampled),
            "per_au": {code: {name: each[k] for name, each in units.items()} for k, code in enumerate(edits.codes)},
            "mean": {name: mean(each[edits.asked]) for name, each in units.items()},
            "collateral": collateral(edits),
            "collateral_soft": collateral(edits, soft=True),
            "response_matrix": matrix,
            "dominance": dominance(matrix, edits.codes),
            "dominance_soft": dominance(matrix, edits.codes, soft=True),
            "dose_response": {code: dose_response(unit.values()) for code, unit in swept.items() if unit},
            "consistency": dict(zip(edits.codes, consistency(edits), strict=True)),
            "tau": dict(zip(edits.codes, edits.tau, strict=True)),
        }
    )
    return found


def plain(value: Any) -> Any:
    """Numbers, lists and dictionaries for JSON: NaN becomes None."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float | np.floating):
        return None if math.isnan(value) else float(value)
    return value


def _coupled_with(asked: NDArray[np.bool_], codes: Sequence[str]) -> NDArray[np.bool_]:
    """Where (N, K) a unit is coupled with one that is asked for."""
    pairs = {frozenset(pair) for pair in COUPLED}
    linked = np.array([[frozenset((a, b)) in pairs for b in codes] for a in codes], dtype=float)
    found: NDArray[np.bool_] = asked.astype(float) @ linked > 0
    return found


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(np.median(known)) if known else math.nan


def _quantile(values: Numbers, share: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.quantile(known, share)) if len(known) else math.nan

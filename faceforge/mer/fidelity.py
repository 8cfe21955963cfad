"""The score of edits: did the action units that were asked for move, by as much, and nothing else?

There is no single number. The headline is four: ICC, signed F1, leakage ratio and median Spearman, each with an
interval over identities. What an edit should keep (identity, pose, light, background) stands beside, in `preserved`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from faceforge.mer import agreement
from faceforge.mer.agreement import Numbers, mean
from faceforge.mer.collateral import collateral, dominance, response_matrix
from faceforge.mer.dose_response import Curve, curve
from faceforge.mer.edits import Edits

RESAMPLED = 1000
Curves = Mapping[str, Mapping[tuple[Hashable, int], Curve]]  # by unit, then by face and seed
HEADLINE = ("icc", "signed_f1", "leakage_ratio", "spearman")


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


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(np.median(known)) if known else math.nan


def _quantile(values: Numbers, share: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.quantile(known, share)) if len(known) else math.nan

"""From observations to scores: per judge, raw and less what it says of edits of nothing, as a whole and in slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from faceforge.evaluation.observing import Observation
from faceforge.mer.agreement import Numbers
from faceforge.mer.calibration import FACES, Null, as_intensities
from faceforge.mer.fidelity import HEADLINE, Edits, curves, headline, intervals, plain, score
from faceforge.mer.judges import Judge

_SLICED = 300  # bootstrap draws for a slice
KEPT = ("identity", "pose_deg", "light", "background_psnr", "background_ssim", "gmsd")


def report(run: Mapping[str, Any], seen: Sequence[Observation], judges: Sequence[Judge]) -> dict[str, Any]:
    """Everything a report holds, as plain numbers."""
    judged = [each for each in seen if not each.trouble]
    return {
        **run,
        "observations": len(seen),
        "troubles": [{"picture": each.picture, "why": each.trouble} for each in seen if each.trouble],
        "drifted": sum(each.drift for each in judged),
        "cut": sum(each.cut for each in seen),
        "scores": {judge.facts.name: _scored(judged, judge) for judge in judges},
        "preserved": _preserved(judged),
        "responses": {judge.facts.name: _responses(judged, judge) for judge in judges},
    }


def _scored(seen: Sequence[Observation], judge: Judge) -> dict[str, Any]:
    raw, null, rows = _edits(seen, judge)
    if not rows:
        return {"edits": 0}
    less = _less(raw, null, rows)
    faces = len(null)
    notes = [] if faces >= FACES else [f"noise is known from {faces} faces; {FACES} would settle it"]
    return {
        **score(less),
        "raw": plain(headline(raw, _spearmans(raw))),
        "noise": plain(dict(zip(judge.codes, Null(_offsets(null, len(judge.codes))).noise, strict=True))),
        "notes": notes,
        "slices": _slices(rows, less),
    }


def _edits(
    seen: Sequence[Observation], judge: Judge
) -> tuple[Edits, dict[tuple[str, int], Numbers], list[Observation]]:
    """Raw edits of something, the judge's numbers for edits of nothing by face and seed, and the rows of the first."""
    null = {(each.face, each.seed): _detected(each, judge) for each in seen if not any(each.requested.values())}
    rows = [each for each in seen if any(each.requested.values())]
    requested = np.array([[each.requested.get(code, 0.0) for code in judge.codes] for each in rows]).reshape(
        len(rows), len(judge.codes)
    )
    detected = np.array([_detected(each, judge) for each in rows]).reshape(requested.shape)
    identities = [each.identity for each in rows]
    mapped = as_intensities(requested, detected, identities) if judge.facts.unit == "motion" else None
    tau = Null(_offsets(null, len(judge.codes))).tau(judge.facts.least)
    faces, seeds = [each.face for each in rows], [each.seed for each in rows]
    return Edits(tuple(judge.codes), requested, detected, identities, faces, seeds, tau, mapped), null, rows


def _less(raw: Edits, null: Mapping[tuple[str, int], Numbers], rows: Sequence[Observation]) -> Edits:
    """Detections less what the judge says of an edit of nothing on the same face and seed, where there is one."""
    nothing = np.zeros(len(raw.codes))
    offsets = np.array([np.nan_to_num(null.get((each.face, each.seed), nothing)) for each in rows])
    detected = raw.detected - offsets
    mapped = None if raw.comparable is None else as_intensities(raw.requested, detected, raw.identities)
    return replace(raw, detected=detected, comparable=mapped)


def _slices(rows: Sequence[Observation], edits: Edits) -> dict[str, Any]:
    """The headline of every value of every group, and how far the values of a group lie apart."""
    found: dict[str, Any] = {}
    for group in sorted({name for each in rows for name in each.groups}):
        values = {}
        for value in sorted({each.groups[group] for each in rows if group in each.groups}):
            own = edits.take(np.array([i for i, each in enumerate(rows) if each.groups.get(group) == value]))
            values[value] = plain(
                {
                    "identities": len(set(own.identities)),
                    "headline": headline(own, _spearmans(own)),
                    "intervals": intervals(own, resampled=_SLICED),
                }
            )
        found[group] = {"values": values, "gaps": {name: _gap(values, name) for name in HEADLINE}}
    return found


def _gap(values: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The largest difference between two values of a group; None where fewer than two have the number."""
    known = {value: each["headline"][name] for value, each in values.items() if each["headline"][name] is not None}
    if len(known) < 2:
        return None
    low, high = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    return {"size": known[high] - known[low], "low": low, "high": high}


def _preserved(seen: Sequence[Observation]) -> dict[str, Any]:
    """Median, worst tenth and count of everything that should be kept, over edits of something."""
    found: dict[str, Any] = {}
    for name in KEPT:
        values = [each.kept[name] for each in seen if any(each.requested.values()) and name in each.kept]
        known = np.array([value for value in values if value is not None])
        worse = 10 if name in ("identity", "background_psnr", "background_ssim") else 90
        found[name] = (
            {"median": float(np.median(known)), "worst_tenth": float(np.percentile(known, worse)), "n": len(known)}
            if len(known)
            else None
        )
    return found


def _responses(seen: Sequence[Observation], judge: Judge) -> dict[str, list[list[float]]]:
    """For every unit asked for alone: dose, median response and the quartiles around it."""
    rows: dict[str, dict[float, list[float]]] = {}
    for each in seen:
        asked = {code: dose for code, dose in each.requested.items() if dose}
        if len(asked) == 1 and judge.facts.name in each.detected:
            ((code, dose),) = asked.items()
            if code in judge.codes:
                response = _detected(each, judge)[list(judge.codes).index(code)]
                rows.setdefault(code, {}).setdefault(dose, []).append(float(response))
    return {
        code: [[dose, *np.percentile(values, (50, 25, 75)).tolist()] for dose, values in sorted(doses.items())]
        for code, doses in rows.items()
    }


def _detected(each: Observation, judge: Judge) -> Numbers:
    found = each.detected.get(judge.facts.name, {})
    values = [found.get(code) for code in judge.codes]
    return np.array([np.nan if value is None else value for value in values])


def _offsets(null: Mapping[tuple[str, int], Numbers], count: int) -> Numbers:
    return np.array(list(null.values())).reshape(-1, count)


def _spearmans(edits: Edits) -> list[float]:
    return [each.spearman for unit in curves(edits).values() for each in unit.values()]

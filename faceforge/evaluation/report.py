"""From observations to scores: per judge, raw and less what it says of edits of nothing, as a whole and in slices."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from faceforge.evaluation.observing import Observation
from faceforge.mer.agreement import Numbers
from faceforge.mer.calibration import FACES, Null, as_intensities
from faceforge.mer.fidelity import HEADLINE, Edits, curves, headline, intervals, plain, score, spearmans
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
        "scores": {judge.facts.name: _scored(judged, judge) for judge in judges},
        "preserved": _preserved(judged),
        "responses": {judge.facts.name: _responses(judged, judge) for judge in judges},
    }


def _scored(seen: Sequence[Observation], judge: Judge) -> dict[str, Any]:
    seen = [each for each in seen if _readable(each, judge)]
    null = _null(seen, judge)
    noise = Null(np.array(list(null.values())).reshape(-1, len(judge.codes)))
    raw = _edits(seen, judge, noise.tau(judge.facts.least))
    moved = np.flatnonzero((raw.requested != 0).any(1))
    if not len(moved) or np.isnan(raw.detected[moved]).all():
        return {"edits": 0}
    less = replace(raw, detected=raw.detected - _offsets_of(raw, null))
    scored, before = (_comparable(each.take(moved), judge) for each in (less, raw))
    faces = len(null)
    return {
        **score(scored, curves(less)),
        "raw": plain(headline(before, spearmans(curves(raw)))),
        "noise": plain(dict(zip(judge.codes, noise.noise, strict=True))),
        "notes": [] if faces >= FACES else [f"The noise is that of {faces} faces; {FACES} would settle it."],
        "slices": _slices([seen[row] for row in moved.tolist()], scored, less),
    }


def _readable(each: Observation, judge: Judge) -> bool:
    """Whether the judge can read every unit that was asked for; what others do then would be held against the edit."""
    return all(code in judge.codes for code, dose in each.requested.items() if dose)


def _edits(seen: Sequence[Observation], judge: Judge, tau: Numbers) -> Edits:
    """Everything as the judge saw it, edits of nothing included."""
    shape = (len(seen), len(judge.codes))
    return Edits(
        codes=tuple(judge.codes),
        requested=np.array([[each.requested.get(code, 0.0) for code in judge.codes] for each in seen]).reshape(shape),
        detected=np.array([_detected(each, judge) for each in seen]).reshape(shape),
        identities=[each.identity for each in seen],
        faces=[each.face for each in seen],
        seeds=[each.seed for each in seen],
        tau=tau,
    )


def _null(seen: Sequence[Observation], judge: Judge) -> dict[tuple[Hashable, int], Numbers]:
    """What the judge says of edits of nothing, by face and seed."""
    return {(each.face, each.seed): _detected(each, judge) for each in seen if not any(each.requested.values())}


def _offsets_of(edits: Edits, null: Mapping[tuple[Hashable, int], Numbers]) -> Numbers:
    """(N, K): the judge's number for an edit of nothing of the same face and seed; 0 where there is none."""
    nothing = np.zeros(len(edits.codes))
    each = zip(edits.faces, edits.seeds, strict=True)
    return np.array([np.nan_to_num(null.get(key, nothing)) for key in each]).reshape(edits.detected.shape)


def _comparable(edits: Edits, judge: Judge) -> Edits:
    """With detections in the units of requests, where the judge has units of its own."""
    if judge.facts.unit == "facs":
        return edits
    return replace(edits, comparable=as_intensities(edits.requested, edits.detected, edits.identities))


def _slices(seen: Sequence[Observation], edits: Edits, swept: Edits) -> dict[str, Any]:
    """The headline of every value of every group, and how far the values of a group lie apart."""
    found: dict[str, Any] = {}
    for group in sorted({name for each in seen for name in each.groups}):
        values = {}
        for value in sorted({each.groups[group] for each in seen if group in each.groups}):
            rows = np.array([row for row, each in enumerate(seen) if each.groups.get(group) == value])
            own = edits.take(rows)
            faces = set(own.faces)
            drawn = curves(swept.take(np.array([row for row, face in enumerate(swept.faces) if face in faces])))
            values[value] = plain(
                {
                    "identities": len(set(own.identities)),
                    "headline": headline(own, spearmans(drawn)),
                    "intervals": intervals(own, drawn, resampled=_SLICED),
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

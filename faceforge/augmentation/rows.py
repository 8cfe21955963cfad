"""One label row per picture, the same columns in every row of a plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from faceforge.augmentation.blocks import Try
from faceforge.augmentation.gates import Seen, whole_units
from faceforge.augmentation.plan import Plan
from faceforge.spec import EditSpec

COLUMNS = (
    "file_name", "source", "source_sha256", "source_labels", "variant", "attempt", "seed", "spec", "preset", "light",
    "requested", "turned", "measured", "pose", "identity", "fidelity", "leakage", "model", "plugins", "notes",
    "targets",
)  # fmt: skip
ASKED_TURNS = ("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg")


def row(
    plan: Plan, trial: Try, *, seen: Seen, provenance: Mapping[str, Any], notes: Sequence[str] = ()
) -> dict[str, Any]:
    """The labels of one picture."""
    source, place, spec = trial.source, trial.place, trial.wish.spec
    bins = source.own if place is None else source.bins[place.variant]
    found: dict[str, Any] = {
        "file_name": f"{trial.stem}.{plan.output.picture}",
        "source": source.item.key,
        "source_sha256": trial.picture.sha256,
        "source_labels": json.dumps(dict(source.item.labels), sort_keys=True, default=str),
        "variant": place.variant if place else None,
        "attempt": place.attempt if place else None,
        "seed": spec.seed if place else None,
        "spec": spec.to_json(),
        "preset": trial.wish.preset,
        "light": _light(spec),
        "requested": _requested(plan, spec, seen),
        "turned": {name: float(getattr(spec, name)) for name in ASKED_TURNS},
        "measured": dict(seen.measured),
        "pose": dict(seen.pose),
        "identity": seen.identity,
        "fidelity": seen.fidelity,
        "leakage": seen.leakage,
        "model": json.dumps(provenance.get("model", {}), sort_keys=True),
        "plugins": json.dumps(provenance.get("plugins", []), sort_keys=True),
        "notes": " ".join(notes),
    }
    return {**found, "targets": dict(bins)} if plan.targets else found


def columns(plan: Plan) -> tuple[str, ...]:
    """The names of every row of a plan; an empty struct is no column."""
    return COLUMNS if plan.targets else COLUMNS[:-1]


def _requested(plan: Plan, spec: EditSpec, seen: Seen) -> dict[str, float]:
    """Every unit that some variant is asked for or the judge reads, at zero where this one is not."""
    asked = {**whole_units(spec.aus), **spec.aus}
    return {code: float(asked.get(code, 0.0)) for code in dict.fromkeys([*seen.measured, *plan.units])}


def _light(spec: EditSpec) -> str:
    if spec.light is None or isinstance(spec.light, str):
        return spec.light or ""
    return "{:g},{:g}".format(*spec.light)

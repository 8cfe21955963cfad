"""Flow features and scores of micro-expressions against the public benchmark and our own definition."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from faceforge.mer import presets
from faceforge.mer.agreement import mean
from faceforge.mer.collateral import collateral
from faceforge.mer.dose_response import curve
from faceforge.mer.edits import Edits
from faceforge.mer.fidelity import per_unit
from faceforge.mer.strain import strain, strain_backward, strain_meb
from tests.parity.golden import Case
from tests.parity.mer_cases import named, read


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return read(request.param)


STRAINS: dict[str, Callable[..., Any]] = {
    "meb_strain": strain_meb,
    "physical_strain_central": strain,
    "physical_strain_backward": strain_backward,
}


@named("flow", suffix=".safetensors")
def test_flow_features_are_those_of_the_benchmark(case: Case) -> None:
    flow = np.stack([case["u"].numpy(), case["v"].numpy()])
    for name, formula in STRAINS.items():
        assert np.abs(formula(flow) - case[name].numpy()).max() <= 1e-9, name
    sides = [key.rpartition("_")[2] for key in case.tensors if key.startswith("meb_resized_")]
    assert sides
    for side in sides:
        assert np.abs(presets.meb(flow, int(side)) - case[f"meb_resized_{side}"].numpy()).max() <= 1e-6


def edits_of(case: Case) -> Edits:
    facts = case.facts
    requested, detected = (np.array(facts[name]) for name in ("requested", "detected"))
    rows = range(len(requested))
    tau = np.full(requested.shape[1], facts["threshold"])
    return Edits(
        tuple(facts["action_units"]), requested, detected, [str(row) for row in rows], rows, [0 for _ in rows], tau
    )


@named("fidelity")
def test_scores_are_those_of_the_definition(case: Case) -> None:
    facts, edits = case.facts, edits_of(case)
    found = {name.replace("icc", "icc31"): each for name, each in per_unit(edits).items()}
    for name, expected in facts["per_au"].items():
        assert found[name] == pytest.approx(expected, abs=1e-9), name
        assert float(mean(found[name])) == pytest.approx(facts["mean"][name], abs=1e-9), name
    assert collateral(edits) == pytest.approx(facts["collateral"], abs=1e-9)
    for each in facts["dose_response"].values():
        drawn = curve(each["doses"], each["response"])
        read = (drawn.spearman, drawn.monotone, drawn.slope, drawn.r2)
        expected = [each[name] for name in ("spearman", "monotone_step_fraction", "slope", "r2")]
        assert read == pytest.approx(expected, abs=1e-9)

"""Networks, flow features and scores of micro-expressions against the public benchmark and our own definition."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import binary_cross_entropy_with_logits

from faceforge.mer import presets
from faceforge.mer.agreement import mean
from faceforge.mer.detectors import DETECTORS, detector
from faceforge.mer.dose_response import curve
from faceforge.mer.fidelity import Edits, collateral, per_unit
from faceforge.mer.strain import strain, strain_backward, strain_meb
from tests.parity.golden import FOLDER, Case

MER = FOLDER / "mer"


def named(*systems: str, suffix: str = ".json") -> pytest.MarkDecorator:
    """Runs a test on every recorded case of some systems; the folder holds others that come later."""
    paths = sorted(path for path in MER.glob(f"*{suffix}") if path.stem.rpartition("_")[0] in systems)
    found: list[Any] = [pytest.param(path, id=path.stem) for path in paths]
    if not found:
        reason = f"no golden cases of {', '.join(systems)} (set FACEFORGE_GOLDEN_DIR)"
        found = [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]
    return pytest.mark.parametrize("case", found, indirect=True, scope="module")


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    path: Path = request.param
    facts, tensors = path.with_suffix(".json"), path.with_suffix(".safetensors")
    return Case(
        path.stem,
        json.loads(facts.read_text()) if facts.exists() else {},
        load_file(tensors) if tensors.exists() else {},
        path.parent,
    )


@named(*DETECTORS)
def test_networks_answer_alike_and_learn_alike(case: Case) -> None:
    network = detector(case.name.rpartition("_")[0], **case.facts["constructor"])
    network.load_state_dict(case.weights("w."))
    assert sum(each.numel() for each in network.parameters()) == case.facts["params"]
    found = network.eval()(case["in.x"])
    torch.testing.assert_close(found, case["out.y"], atol=2e-5, rtol=1e-4)
    loss = binary_cross_entropy_with_logits(found, case["in.target"])
    loss.backward()
    assert float(loss.detach()) == pytest.approx(case.facts["bce_with_logits_loss"], abs=1e-5)
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None
        assert float(parameter.grad.norm()) == pytest.approx(case.facts["grad_norms"][name], rel=1e-3), name


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

"""Folds and scores of the micro-expression protocols against the public benchmark and published tables."""

import json
from typing import Any

import numpy as np
import pytest

from faceforge.mer.cells import evenly, units_of
from faceforge.mer.f1 import auc, f1, uf1_uar
from faceforge.mer.protocols import CD6ME, UNITS, cd6me, leave_out, loso, summary
from tests.parity.golden import Case
from tests.parity.mer_cases import MER, named, read

HELPER = "UF1_UAR_ststnet"


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return read(request.param)


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, np.array(expected, float), atol=1e-9, rtol=0)


@named("protocol")
def test_scores_of_units_are_those_of_the_benchmark(case: Case) -> None:
    facts = case.facts
    truth, logits = np.array(facts["labels"]), np.array(facts["logits"])
    assert tuple(facts["action_units"]) == UNITS
    metrics = facts["metrics"]
    for kind in ("binary", "macro", "micro", "weighted"):
        close(f1(truth, logits > 0, kind), metrics[f"MultiLabelF1Score[{kind}]"])
    close(f1(truth, logits > 0, "macro"), metrics["MultiTaskF1"])
    close(f1(truth, logits > 0.5), metrics["MultiLabelF1Score[binary,threshold=0.5]"])
    close(auc(truth, logits), metrics["MultiLabelAUC"])
    without = truth * (np.array(UNITS) != "AU5")
    close(auc(without, logits), metrics["MultiLabelAUC[AU5 has no positives]"])


@named("protocol")
def test_folds_and_summaries_are_those_of_the_benchmark(case: Case) -> None:
    facts = case.facts
    folds = cd6me(facts["datasets"])
    assert [fold.left_out for fold in folds] == facts["cd6me_fold_order"] == list(CD6ME)
    truth, logits = np.array(facts["labels"]), np.array(facts["logits"])
    for fold in folds:
        rows = {"train": list(fold.train), "test": list(fold.test)}
        assert rows == facts["cd6me_splits"][fold.left_out]
        for kind, expected in facts["cd6me_per_fold"][fold.left_out].items():
            close(f1(truth[fold.test], logits[fold.test] > 0, kind), expected)
    for kind, expected in facts["cd6me_summary_percent"].items():
        found = summary(folds, truth, logits, kind)
        close([*found.per_unit, found.unit_average], expected["per_au_then_average"])
        close([*found.per_dataset, found.dataset_average], expected["per_dataset_then_average"])


@named("protocol")
def test_subjects_of_one_name_in_two_datasets_are_two_people(case: Case) -> None:
    facts = case.facts
    found = {
        subject + dataset: list(fold.test)
        for fold in loso(facts["datasets"], facts["subjects"])
        for dataset, subject in [fold.left_out]
    }
    assert found == facts["loso_splits_test"]
    mixed = {fold.left_out: list(fold.test) for fold in leave_out(facts["subjects"])}
    assert mixed == facts["loso_subject_only_collision_folds"]


@named("protocol")
def test_scores_of_classes_are_those_of_the_benchmark(case: Case) -> None:
    facts = case.facts["three_class"]
    truth, found = np.array(facts["labels"]), np.argmax(facts["logits"], 1)
    assert list(found) == facts["predictions"]
    for kind in ("macro", "micro", "weighted"):
        close(f1(truth, found, kind, 3), facts[f"MultiClassF1[{kind}]"])
    close(uf1_uar(truth, found), facts[HELPER])
    for edge in case.facts["three_class_edge"].values():
        close(uf1_uar(edge["labels"], edge["predictions"], absent="published"), edge[HELPER])


@pytest.mark.parametrize("recorded", ["megc2019_ststnet_public", "megc2019"])
def test_published_tables_give_the_published_scores(recorded: str) -> None:
    path = MER / f"{recorded}.json"
    if not path.exists():
        pytest.skip(f"no {path.name} (set FACEFORGE_GOLDEN_DIR)")
    facts = json.loads(path.read_text())
    facts = facts.get("published_htnet_table", facts)
    for dataset, expected in facts["metrics"].items():
        rows = [row for name, row in facts["table"].items() if dataset in ("all", _dataset(name))]
        truth, found = (np.concatenate([row[side] for row in rows]) for side in ("truth", "pred"))
        assert len(truth) == expected["n"]
        close(uf1_uar(truth, found), [expected["UF1"], expected["UAR"]])


def test_cells_and_samples_are_those_of_the_benchmark() -> None:
    path = MER / "au_parsing_sampling.json"
    if not path.exists():
        pytest.skip(f"no {path.name} (set FACEFORGE_GOLDEN_DIR)")
    facts = json.loads(path.read_text())
    for cell, row in zip(facts["strings"], facts["onehot"], strict=True):
        expected = {name for name, held in zip(facts["columns"], row, strict=True) if held}
        assert {f"AU{unit}" for unit in units_of(cell, faithful=True)} == expected, cell
        if " or " not in cell:
            assert units_of(cell) == units_of(cell, faithful=True), cell
    for size, indices in facts["uniform_temporal_subsample_indices"].items():
        frames, wanted = (int(each.partition("=")[2]) for each in size.split(","))
        assert evenly(frames, wanted) == indices, size


def _dataset(subject: str) -> str:
    return "casme2" if subject.startswith("sub") else "smic" if subject.startswith("s") else "samm"

"""Laws of folds and scores: nobody on both sides, answers by row, and classes that are not there."""

import numpy as np
import pytest

from faceforge.errors import BadSpec, Leak
from faceforge.mer.cells import evenly, is_unsure, units_of
from faceforge.mer.f1 import auc, f1, uf1_uar
from faceforge.mer.protocols import CD6ME, Fold, LeakGuard, cd6me, leave_out, loso, people, summary

DATASETS = ["samm", "casme2", "samm", "casme2", "samm", "casme2"]
SUBJECTS = ["01", "01", "02", "02", "01", "01"]


def test_every_row_is_tested_once_and_trained_on_otherwise() -> None:
    for folds in (leave_out(DATASETS), loso(DATASETS, SUBJECTS)):
        assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(6))
        for fold in folds:
            assert sorted([*fold.train, *fold.test]) == list(range(6))


def test_answers_go_to_their_rows_where_those_of_a_subject_lie_apart() -> None:
    folds, guard = loso(DATASETS, SUBJECTS), LeakGuard(people(DATASETS, SUBJECTS))
    answers = [fold.test[:, None] * 10.0 for fold in folds]
    assert list(guard.pooled(folds, answers)[:, 0]) == [0, 10, 20, 30, 40, 50]
    assert list(np.concatenate(answers)[:, 0]) != [0, 10, 20, 30, 40, 50]
    with pytest.raises(Leak, match="exactly once"):
        guard.pooled(folds[1:], answers[1:])
    with pytest.raises(Leak, match="differ"):
        guard.pooled(folds, [answers[0][:1], *answers[1:]])


def test_the_guard_stops_a_run_at_the_first_leak() -> None:
    guard = LeakGuard(people(DATASETS, SUBJECTS))
    first, second = loso(DATASETS, SUBJECTS)[:2]
    network = object()
    guard.check(first, network)
    with pytest.raises(Leak, match="network of another fold"):
        guard.check(second, network)
    guard.check(second, object())
    with pytest.raises(Leak, match=r"trains on and tests .*samm"):
        guard.check(Fold("half", np.array([0, 1]), np.array([4])), object())
    with pytest.raises(Leak, match="0 to 5"):
        guard.check(Fold("shifted", np.array([0, 1]), np.array([6])), object())
    with pytest.raises(Leak, match="0 to 5"):
        guard.check(Fold("empty", np.array([0, 1]), np.array([], int)), object())


def test_one_name_in_two_datasets_is_one_person_only_to_who_forgets_the_dataset() -> None:
    assert len(leave_out(SUBJECTS)) == 2
    assert len(loso(DATASETS, SUBJECTS)) == 4


def test_cd6me_needs_its_six_datasets() -> None:
    assert [fold.left_out for fold in cd6me(CD6ME[::-1])] == list(CD6ME)
    with pytest.raises(BadSpec, match=r"missing \['casme'\], not among them \['smic'\]"):
        cd6me([*CD6ME[1:], "smic"])
    with pytest.raises(BadSpec, match="two groups"):
        leave_out(["casme"] * 3)


def test_kinds_of_f1_differ_and_a_logit_of_zero_is_not_present() -> None:
    truth, found = [0, 0, 0, 1], [0, 0, 1, 1]
    assert float(f1(truth, found)) == pytest.approx(2 / 3)
    assert float(f1(truth, found, "macro")) == pytest.approx((2 / 3 + 0.8) / 2)
    assert float(f1(truth, found, "micro")) == 0.75
    assert float(f1([0, 0], [0, 0])) == 0
    assert float(f1([0, 0], [0, 0], "macro")) == 1
    rows = np.array([[1], [0]])
    found_none = summary(leave_out(["a", "b"]), rows, np.zeros((2, 1)))
    assert (found_none.unit_average, found_none.dataset_average) == (0, 0)
    assert "over units" in str(found_none)
    assert auc(np.eye(2), np.eye(2)) == pytest.approx([1, 1])
    assert auc(np.eye(2), np.zeros((2, 2))) == pytest.approx([0.5, 0.5])


def test_a_class_without_clips_is_not_dropped_in_silence() -> None:
    truth, found = [0, 1, 0], [0, 1, 1]
    with pytest.warns(UserWarning, match=r"No clip has class \[2\]"):
        assert uf1_uar(truth, found) == pytest.approx((4 / 9, 0.5))
    assert uf1_uar(truth, found, absent="published") == pytest.approx((2 / 3, 0.75))
    with pytest.raises(BadSpec, match="Pool the folds"):
        uf1_uar(truth, found, absent="refuse")


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(BadSpec, match="of the same clips"):
        f1([0, 1], [0])
    with pytest.raises(BadSpec, match="truth holds 0 to 2"):
        f1([0, 2], [0, 1])
    with pytest.raises(BadSpec, match="No F1 is called 'makro'"):
        f1([0, 1], [0, 1], "makro")
    with pytest.raises(BadSpec, match="not for 3 classes"):
        f1([0, 1], [0, 1], "binary", 3)


def test_a_cell_of_alternatives_keeps_the_first_and_says_so() -> None:
    assert units_of("R12A or 14") == (12,)
    assert units_of("4B/7 + 9") == (4, 9)
    assert [is_unsure(cell) for cell in ("12A or 14", "4/7", "12+14", "R12A", "n/a")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    with pytest.raises(BadSpec, match="6 of 0 frames"):
        evenly(0, 6)

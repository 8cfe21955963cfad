"""The score: laws of every number in it, and nulls where there is nothing to say."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from faceforge.mer import agreement
from faceforge.mer.calibration import Monotone, Null, as_intensities, within_reach
from faceforge.mer.dose_response import curve
from faceforge.mer.fidelity import (
    Edits,
    collateral,
    consistency,
    curves,
    dominance,
    headline,
    intervals,
    plain,
    response_matrix,
    score,
)

CODES = ("AU1", "AU2", "AU12", "AU26")
DOSES = (1.0, 2.0, 3.0)


def edits(slope: float = 1.0, noise: float = 0.0, people: int = 6, leak: float = 0.0, seeds: int = 1) -> Edits:
    """Sweeps of every unit on every face, seen with a slope, noise and a leak from AU1 into AU2."""
    rng = np.random.default_rng(0)
    rows = [(p, k, d, s) for p in range(people) for k in range(len(CODES)) for d in DOSES for s in range(seeds)]
    requested = np.zeros((len(rows), len(CODES)))
    for row, (_, k, dose, _) in enumerate(rows):
        requested[row, k] = dose
    detected = slope * requested + noise * rng.standard_normal(requested.shape)
    detected[:, 1] += leak * requested[:, 0]
    names = [f"person {row[0]}" for row in rows]
    return Edits(CODES, requested, detected, names, names, [row[3] for row in rows], np.full(len(CODES), 0.5))


def test_a_perfect_editor_scores_perfectly() -> None:
    found = score(edits(), curves(edits()), resampled=20)
    assert found["headline"] == pytest.approx({"icc": 1, "signed_f1": 1, "leakage_ratio": 0, "spearman": 1})
    assert found["mean"] == pytest.approx({"mse": 0, "mae": 0, "bias": 0, "pcc": 1, "icc": 1, "signed_f1": 1})
    assert found["dominance"] == pytest.approx([1.0] * 4)
    assert np.array(found["response_matrix"]) == pytest.approx(np.eye(4))
    assert found["intervals"]["icc"] == pytest.approx((1, 1))


def test_an_editor_that_does_the_opposite_is_worse_than_one_that_does_nothing() -> None:
    wrong, idle = edits(slope=-1), edits(slope=0)
    assert headline(wrong, [])["signed_f1"] == 0
    assert headline(wrong, [])["icc"] < headline(idle, [])["icc"] == pytest.approx(0, abs=1e-12)


def test_half_a_dose_keeps_the_order_and_costs_agreement() -> None:
    half = edits(slope=0.5)
    assert agreement.pcc(half.requested, half.detected) == pytest.approx([1] * 4)
    assert agreement.icc(half.requested, half.detected) == pytest.approx([0.8] * 4)  # 2 s / (1 + s^2)
    assert agreement.bias(half.requested, half.detected) == pytest.approx([-0.25] * 4)
    assert {each.slope for unit in curves(half).values() for each in unit.values()} == {0.5}


def test_a_leak_is_seen_where_it_is_and_forgiven_only_by_anatomy() -> None:
    leaky = edits(leak=0.5)
    matrix = response_matrix(leaky)
    assert matrix[0] == pytest.approx([1, 0.5, 0, 0])
    assert dominance(matrix, CODES)[0] == pytest.approx(1 / 1.5)
    assert dominance(matrix, CODES, soft=True)[0] == 1
    assert collateral(leaky)["leakage_ratio"] > collateral(leaky, soft=True)["leakage_ratio"] == 0


def test_signed_f1_counts_the_wrong_direction_twice() -> None:
    requested, detected = np.array([[2.0], [2.0], [0.0], [0.0]]), np.array([[2.0], [-2.0], [2.0], [0.1]])
    # One hit; one that is both a false alarm and a miss; one false alarm.
    assert agreement.signed_f1(requested, detected, 0.5) == pytest.approx([2 / (2 + 2 + 1)])


def test_undefined_is_null_and_never_zero() -> None:
    still = np.zeros((5, 2))
    moving = np.random.default_rng(0).standard_normal((5, 2))
    for formula in (agreement.pcc, agreement.icc):
        assert np.isnan(formula(still, moving)).all()
    assert np.isnan(agreement.signed_f1(still, still, 0.5)).all()
    assert np.isnan(agreement.mse(still[:0], still[:0])).all()
    found = curve([1, 2, 3], [0.0, 0.0, 0.0])
    assert math.isnan(found.spearman)
    assert found.slope == 0
    assert math.isnan(curve([1, 2], [1, 2]).slope)
    assert plain({"a": [math.nan, 1.0], "b": (np.float64(2), None)}) == {"a": [None, 1.0], "b": [2.0, None]}


def test_what_a_judge_could_not_see_is_left_out() -> None:
    whole, holed = edits(noise=0.3), edits(noise=0.3)
    kept = np.arange(1, len(whole))
    holed.detected[0] = np.nan
    for name in ("mse", "pcc", "icc"):
        formula = getattr(agreement, name)
        expected = formula(whole.requested[kept], whole.detected[kept])
        assert formula(holed.requested, holed.detected) == pytest.approx(expected)


def test_saturation_is_the_last_dose_that_still_did_something() -> None:
    assert curve([0, 1, 2, 3, 4], [0, 1, 2, 2.1, 2.1], tau=0.5).saturation == 2
    assert math.isnan(curve([0, 1, 2, 3, 4], [0, 1, 2, 3, 4], tau=0.5).saturation)
    assert math.isnan(curve([-2, -1, 0, 1, 2], [0, 0, 0, 1, 2], tau=0.5).saturation)  # below 0 nothing is asked of it


def test_intervals_hold_the_score_and_narrow_with_people() -> None:
    def width(people: int) -> float:
        some = edits(noise=0.8, people=people)
        low, high = intervals(some, curves(some), resampled=200)["icc"]
        assert low <= headline(some, [])["icc"] <= high
        return high - low

    assert width(40) < width(5)
    alone = edits(people=1)
    assert all(math.isnan(end) for each in intervals(alone, curves(alone), resampled=5).values() for end in each)


def test_consistency_is_the_spread_over_seeds() -> None:
    assert np.isnan(consistency(edits())).all()
    assert consistency(edits(seeds=3)) == pytest.approx([0] * 4)
    assert consistency(edits(seeds=4, noise=0.5, people=50)) == pytest.approx([0.46] * 4, abs=0.05)


def test_noise_sets_the_threshold_but_never_below_the_least() -> None:
    offsets = np.random.default_rng(0).standard_normal((400, 2)) * (0.1, 1.0)
    assert Null(offsets).tau() == pytest.approx((0.5, 2.0), abs=0.2)
    assert Null(np.full((1, 2), np.nan)).tau() == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize(("wanted", "present", "got"), [(4, 3, 2), (-2, 1, -1), (2, 1, 2), (-1, 0, 0), (9, np.nan, 9)])
def test_requests_stay_within_what_a_face_can_show(wanted: float, present: float, got: float) -> None:
    cut, count = within_reach(np.array([[float(wanted)]]), np.array([[present]]))
    assert cut[0, 0] == got
    assert count == (wanted != got)


def test_a_monotone_map_never_falls_and_undoes_a_monotone_bend() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, 300)
    bent = Monotone.fitted(np.tanh(2 * x), 3 * x)
    assert bent(np.tanh(2 * x)) == pytest.approx(3 * x)
    noisy = Monotone.fitted(x, np.sign(x) + np.random.default_rng(1).standard_normal(300))
    assert (np.diff(noisy(np.linspace(-2, 2, 99))) >= 0).all()
    assert Monotone.fitted(np.array([1.0, 2.0, 3.0]), np.array([3.0, 1.0, 2.0])).y == pytest.approx([2, 2, 2])


def people(*names: str) -> Sequence[str]:
    return names


def test_nobody_teaches_the_map_that_reads_them() -> None:
    requested = np.array([[1.0], [2.0], [10.0], [20.0]])
    mapped = as_intensities(requested, np.array([[0.1], [0.2], [0.1], [0.2]]), people("a", "a", "b", "b"))
    assert mapped == pytest.approx(np.array([[10.0], [20.0], [1.0], [2.0]]))
    assert np.isnan(as_intensities(requested, requested, people("a", "a", "a", "a"))).all()

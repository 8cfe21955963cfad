"""Samplers, co-occurrence and targets do what their numbers say."""

from collections import Counter
from itertools import combinations
from statistics import mean, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceforge.augmentation.cooccurrence import Cooccurrence
from faceforge.augmentation.plan import Bin
from faceforge.augmentation.samplers import Numbers, Odometer
from faceforge.augmentation.targets import Axis, missing
from faceforge.errors import BadSpec
from faceforge.synth.draws import Draws

ROW = {"AU6": {"AU6": 0.3, "AU12": 0.25, "AU4": 0.02}, "AU12": {"AU12": 0.4}, "AU4": {"AU4": 0.2}}


def values(sampler: dict[str, Any], count: int = 2000) -> list[float]:
    return [Numbers.of(sampler).draw(Draws(n, "test"), Odometer(n)) for n in range(count)]


def test_uniform_numbers_fill_their_range() -> None:
    drawn = values({"uniform": [-1, 3]})
    assert -1 <= min(drawn) < -0.98
    assert 2.98 < max(drawn) <= 3
    assert mean(drawn) == pytest.approx(1, abs=0.1)


def test_normal_numbers_have_their_moments_and_stay_within_bounds() -> None:
    free, held = values({"normal": [2, 0.5]}), values({"normal": [0, 1], "within": [0.5, 9]})
    assert (mean(free), stdev(free)) == (pytest.approx(2, abs=0.05), pytest.approx(0.5, abs=0.03))
    assert min(held) >= 0.5
    assert mean(held) == pytest.approx(1.14, abs=0.05)  # of a normal number cut off at half a deviation


def test_choices_follow_their_weights() -> None:
    counts = Counter(values({"choice": [0, 1, 2], "weights": [3, 1, 0]}))
    assert counts[0.0] / 2000 == pytest.approx(0.75, abs=0.03)
    assert counts[2.0] == 0


def test_a_co_occurrence_table_is_what_the_faces_show() -> None:
    table, count, seen = (
        Cooccurrence.of({"table": ROW, "amount": {"uniform": [1, 4]}}),
        3000,
        Counter[tuple[str, ...]](),
    )
    for seed in range(count):
        on = table.draw(Draws(seed, "faces"), Odometer(0))
        assert all(1 <= amount <= 4 for amount in on.values())
        seen.update([(code,) for code in on])
        seen.update(tuple(sorted(pair)) for pair in combinations(on, 2))
    shares = {key: number / count for key, number in seen.items()}
    wanted = {("AU6",): 0.3, ("AU12",): 0.4, ("AU4",): 0.2, ("AU12", "AU6"): 0.25, ("AU4", "AU6"): 0.02}
    assert {key: shares[key] for key in wanted} == {key: pytest.approx(each, abs=0.025) for key, each in wanted.items()}
    assert shares[("AU12", "AU4")] == pytest.approx(0.08, abs=0.025)  # not in the table: independent


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"AU6": {"AU6": 0.3, "AU12": 0.35}, "AU12": {"AU12": 0.4}}, "from 0 to 0.3"),
        ({"AU6": {"AU6": 0.9, "AU12": 0.1}, "AU12": {"AU12": 0.9}}, "from 0.8 to 0.9"),
        ({"AU6": {"AU6": 0.3, "AU12": 0.2}, "AU12": {"AU12": 0.4, "AU6": 0.1}}, "differ"),
        ({"AU6": {"AU12": 0.2}, "AU12": {"AU12": 0.4}}, "how often AU6 is on"),
        ({"AU6": {"AU6": 0.3, "AU12": 0.2}}, "no row of its own"),
    ],
    ids=["too often", "too seldom", "two numbers", "no diagonal", "no row"],
)
def test_tables_that_no_faces_can_have_are_refused(table: dict[str, Any], told: str) -> None:
    with pytest.raises(BadSpec, match=told):
        Cooccurrence.of({"table": table})


@given(
    shares=st.lists(st.floats(0.01, 10), min_size=2, max_size=5),
    present=st.lists(st.integers(0, 50), min_size=5, max_size=5),
    new=st.integers(1, 300),
)
def test_what_is_missing_is_as_many_as_asked_and_as_near_as_it_gets(
    shares: list[float], present: list[int], new: int
) -> None:
    names = [str(number) for number in range(len(shares))]
    wanted, there = dict(zip(names, shares, strict=True)), dict(zip(names, present, strict=False))
    found = missing(wanted, there, new)
    assert sum(found.values()) == new
    assert min(found.values()) >= 0
    # One picture fewer in any bin that gets some, and it is as empty as any bin with one picture more.
    fullest = max((there[name] + found[name] - 1) / wanted[name] for name in names if found[name])
    emptiest = min((there[name] + found[name] + 1) / wanted[name] for name in names)
    assert fullest <= emptiest + 1e-6


def test_bins_are_dealt_out_exactly_and_mixed() -> None:
    bins = {"left": Bin(share=1.0), "right": Bin(share=3.0)}
    axis = Axis.of("pose", bins, 400, [], seed=5)
    dealt = [axis.bin(position) for position in range(400)]
    assert Counter(dealt) == {"left": 100, "right": 300}
    assert 10 <= dealt[:100].count("left") <= 40
    assert dealt != [Axis.of("pose", bins, 400, [], seed=6).bin(position) for position in range(400)]


def test_sources_that_the_output_holds_count_for_their_bins() -> None:
    bins = {"smile": Bin(share=1.0, labels={"smile": "yes"}), "rest": Bin(share=1.0, labels={"smile": "no"})}
    axis = Axis.of("expression", bins, 12, [{"smile": "no"}] * 6, seed=0)
    assert axis.counts == {"smile": 9, "rest": 3}

"""Parameters drawn at random: the same digits everywhere, the promised distributions, and balance."""

import itertools
import statistics
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceforge.errors import BadSpec, ReservedSeed
from faceforge.synth.draws import RESERVED, Draws, balanced, check_seed


def test_draws_are_the_ones_we_published() -> None:
    draws = Draws(7, "portrait", "light")
    drawn = [draws.uniform(), draws.uniform(-2, 3), draws.normal(), draws.log_uniform(1, 100), draws.integer(1, 6)]
    assert drawn == [0.282861, 0.161834, 1.941252, 58.484291, 1]
    assert draws.choice("abc") == "c"
    assert draws.choice("abc", [1, 5, 2]) == "a"
    assert draws.shuffled(range(6)) == [3, 1, 0, 2, 4, 5]
    assert draws.noise_seed() == 1495874963


def test_balance_is_the_one_we_published() -> None:
    assert [tuple(balanced(seed, tone=10, age=6, sex=2).values()) for seed in (0, 1, 119, 120)] == [
        (8, 1, 0),
        (2, 4, 0),
        (7, 2, 1),
        (1, 3, 0),
    ]


def test_a_child_does_not_feel_what_its_parent_draws() -> None:
    parent = Draws(1, "head")
    before = parent.child("nose").uniform()
    parent.uniform()
    assert parent.child("nose").uniform() == before


def test_names_do_not_run_into_each_other() -> None:
    paths = [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ()]
    assert len({Draws(1, *path).uniform() for path in paths}) == len(paths)


def test_uniform_numbers_are_even() -> None:
    draws = Draws(5)
    counts = Counter(int(draws.uniform(0, 10)) for _ in range(20_000))
    assert all(abs(counts[place] - 2000) < 200 for place in range(10))


def test_normal_numbers_have_their_mean_and_deviation() -> None:
    draws = Draws(5)
    values = [draws.normal(2.0, 3.0, clip=9) for _ in range(20_000)]
    assert statistics.mean(values) == pytest.approx(2, abs=0.07)
    assert statistics.stdev(values) == pytest.approx(3, abs=0.06)
    assert sum(abs(value - 2) > 6 for value in values) / len(values) == pytest.approx(0.0455, abs=0.006)


def test_normal_numbers_keep_within_their_clip() -> None:
    draws = Draws(5)
    assert max(abs(draws.normal(0, 1, clip=1.5)) for _ in range(500)) == 1.5


def test_weights_are_respected_and_zero_is_never() -> None:
    draws = Draws(9)
    counts = Counter(draws.choice("abc", [3, 0, 1]) for _ in range(4000))
    assert counts["b"] == 0
    assert counts["a"] == pytest.approx(3000, abs=120)


@given(st.integers(0, 2**63 - 1), st.integers(-50, 50), st.integers(0, 100))
def test_integers_stay_in_their_range(seed: int, low: int, span: int) -> None:
    assert low <= Draws(seed).integer(low, low + span) <= low + span


@given(st.integers(0, 2**63 - 1), st.floats(-1e3, 1e3), st.floats(0, 1e3))
def test_numbers_print_with_six_digits_at_most(seed: int, low: float, span: float) -> None:
    value = Draws(seed).uniform(low, low + span)
    assert value == float(f"{value:.6f}")
    assert low - 1e-6 <= value <= low + span + 1e-6


@given(st.integers(0, 2**63 - 1), st.lists(st.integers(), max_size=12))
def test_shuffling_loses_nothing(seed: int, options: list[int]) -> None:
    assert sorted(Draws(seed).shuffled(options)) == sorted(options)


def test_every_order_is_equally_likely() -> None:
    counts = Counter(tuple(Draws(seed).shuffled("abc")) for seed in range(3000))
    assert len(counts) == 6
    assert all(abs(count - 500) < 100 for count in counts.values())


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))
def test_every_aligned_block_meets_every_stratum_once(block: int, tone: int, age: int, sex: int) -> None:
    size = tone * age * sex
    found = [tuple(balanced(block * size + place, tone=tone, age=age, sex=sex).values()) for place in range(size)]
    assert sorted(found) == sorted(itertools.product(range(tone), range(age), range(sex)))


def test_blocks_are_ordered_differently() -> None:
    orders = {tuple(balanced(block * 20 + place, tone=20)["tone"] for place in range(20)) for block in range(20)}
    assert len(orders) == 20


def test_seeds_kept_for_evaluation_are_refused() -> None:
    for seed in (RESERVED.start, RESERVED.stop - 1):
        with pytest.raises(ReservedSeed, match="allow_reserved"):
            check_seed(seed)
    assert check_seed(RESERVED.start, allow_reserved=True) == RESERVED.start
    assert check_seed(RESERVED.start - 1) == RESERVED.start - 1
    assert check_seed(RESERVED.stop) == RESERVED.stop


@pytest.mark.parametrize("seed", [-1, 1.0, "7", None, True, 2**63])
def test_what_is_no_seed_is_refused(seed: object) -> None:
    for use in (Draws, check_seed, lambda given: balanced(given, sex=2)):
        with pytest.raises(BadSpec, match="whole number"):
            use(seed)


@pytest.mark.parametrize("weights", [[1, 2], [-1, 2, 0], [0, 0, 0]])
def test_impossible_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(BadSpec, match="weights"):
        Draws(1).choice("abc", weights)

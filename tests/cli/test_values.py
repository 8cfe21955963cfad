"""Reading option texts: what is written comes back, and nothing else is let in."""

import math
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceforge import EditSpec
from faceforge.cli import values
from faceforge.errors import BadSpec, FaceForgeError

unhurried = settings(deadline=None)
names = st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True)
levels = st.floats(0, 4)
schedules = st.lists(st.tuples(st.floats(0, 1), levels), min_size=1, max_size=5, unique_by=lambda point: point[0]).map(
    lambda points: tuple(sorted(points))
)


@unhurried
@given(names, st.one_of(levels, schedules))
def test_strengths_come_back_as_written(name: str, strength: values.Strength) -> None:
    if isinstance(strength, tuple):
        text = ",".join(f"{fraction!r}:{level!r}" for fraction, level in strength)
    else:
        text = repr(strength)
    read = values.strength(f"{name}={text}")
    assert read == (name, strength)
    assert EditSpec(strength=dict([read])).strength == {name: strength}


@unhurried
@given(st.text(max_size=30))
def test_any_other_text_is_read_or_refused_in_words(text: str) -> None:
    for read in (values.strength, values.amount, values.setting, values.size, values.intensities, values.preset):
        with suppress(ValueError):
            read(text)


@unhurried
@given(st.text(max_size=20))
def test_a_strange_strength_never_reaches_a_model(text: str) -> None:
    try:
        name, strength = values.strength(f"identity={text}")
        spec = EditSpec(strength={name: strength})
    except (ValueError, FaceForgeError):
        return
    assert all(math.isfinite(spec.strength_at(name, fraction)) for fraction in (0, 0.5, 1))


@given(st.integers(-8, 8), st.integers(0, 12), st.sampled_from([0.25, 0.5, 1.0]))
def test_a_range_holds_both_ends_and_even_steps(first: int, count: int, step: float) -> None:
    found = values.intensities(f"{first}:{first + count * step}:{step}")
    assert found == tuple(first + number * step for number in range(count + 1))


@pytest.mark.parametrize("text", ["1:0:1", "0:1:0", "0:1000:0.1", "0:nan:1", "inf:0:1", "1:2:3:4", "", "a,b"])
def test_a_range_without_values_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        values.intensities(text)


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(BadSpec, match="'a' twice"):
        values.once([("a", 1), ("a", 2)], "--strength")

"""The EditSpec: strict, plain, the same after a round trip, and told in words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceforge import EditSpec, preset
from faceforge.aus import LIMIT, PRESETS, UNITS, added, checked
from faceforge.errors import BadSpec

numbers = st.floats(-LIMIT, LIMIT, allow_nan=False)
fractions = st.floats(0, 1, allow_nan=False)
amounts = st.floats(0, 4, allow_nan=False)
schedules = st.lists(fractions, min_size=1, max_size=4, unique=True).flatmap(
    lambda at: st.tuples(*[st.tuples(st.just(each), amounts) for each in sorted(at)])
)
names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
values = st.booleans() | st.integers() | numbers | st.text(max_size=9)
specs = st.builds(
    EditSpec,
    aus=st.dictionaries(st.sampled_from(sorted(UNITS)), numbers, max_size=6),
    prompt=st.none() | st.text(max_size=40),
    negative_prompt=st.none() | st.text(max_size=40),
    seed=st.integers(0, 2**63 - 1),
    steps=st.none() | st.integers(1, 1000),
    guidance=st.none() | st.floats(0, 50, allow_nan=False),
    size=st.none() | st.integers(1, 8192) | st.tuples(st.integers(1, 8192), st.integers(1, 8192)),
    start=st.none() | names,
    start_at=fractions,
    strength=st.dictionaries(names, amounts | schedules, max_size=3),
    controls=st.dictionaries(
        names,
        st.dictionaries(names, st.booleans() | st.integers() | numbers | st.text(max_size=9), max_size=3),
        max_size=2,
    ),
)


@given(specs)
def test_json_gives_the_same_spec_back(spec: EditSpec) -> None:
    assert EditSpec.from_json(spec.to_json()) == spec


@given(specs)
def test_every_spec_can_be_told_in_words(spec: EditSpec) -> None:
    said = spec.describe()
    assert all(code in said for code, value in spec.aus.items() if value)


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_text_is_a_spec_or_a_refusal(text: str | bytes) -> None:
    said = ""
    try:
        EditSpec.from_json(text)
    except BadSpec as refusal:
        said = str(refusal)
    assert "\n" not in said


@given(st.dictionaries(st.text(max_size=8), st.floats() | st.text(max_size=5) | st.none(), max_size=4))
def test_any_mapping_of_units_is_checked_or_refused(aus: dict[str, object]) -> None:
    try:
        found = EditSpec(aus=aus).aus
    except BadSpec:
        return
    assert all(abs(value) <= LIMIT for value in found.values())


@given(schedules, fractions)
def test_a_schedule_stays_between_its_points(schedule: tuple[tuple[float, float], ...], at: float) -> None:
    strengths = [strength for _, strength in schedule]
    found = EditSpec(strength={"a": schedule}).strength_at("a", at)
    assert min(strengths) - 1e-9 <= found <= max(strengths) + 1e-9


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"aus": {"AU13": 1}}, "'AU13' is not an action unit. Did you mean 'AU1'"),
        ({"aus": {"AU12": float("nan")}}, "AU12=nan is out of range"),
        ({"aus": {"AU12": 50}}, "from -10 to 10"),
        ({"aus": {"AU12": 1, "au12": 2}}, "AU12 is given twice"),
        ({"promt": "x"}, "Did you mean 'prompt'"),
        ({"steps": 0}, "steps=0 does not fit"),
        ({"start_at": 1.5}, "start_at=1.5"),
        ({"strength": {"a": ((0.5, 1), (0.2, 0))}}, "rising fractions"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_a_refusal_names_the_value_and_what_to_do(fields: dict[str, object], words: str) -> None:
    with pytest.raises(BadSpec) as refusal:
        EditSpec(**fields)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_spec_cannot_be_changed_but_replaced() -> None:
    spec = EditSpec(aus={"AU12": 1}, seed=3)
    with pytest.raises((BadSpec, ValueError)):
        spec.seed = 4  # type: ignore[misc]
    assert spec.with_(seed=4) == EditSpec(aus={"AU12": 1}, seed=4)


def test_a_sidecar_holds_only_what_was_set() -> None:
    assert json.loads(EditSpec(aus={"AU12": 2}).to_json()) == {"aus": {"AU12": 2.0}}


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_scale_and_add(name: str) -> None:
    full, half = preset(name), preset(name, 0.5)
    assert added(half, half) == pytest.approx(full)
    assert all(abs(value) <= 5 for value in checked(full).values())


def test_an_unknown_preset_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadSpec, match="Did you mean 'surprise'"):
        preset("suprise")

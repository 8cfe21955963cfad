"""Sittings: what is drawn from a seed, and what a caller may hold."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from faceforge.aus import unsided
from faceforge.errors import BadSpec, ReservedSeed
from faceforge.synth import Sitting, clip, pair, portrait, sample
from faceforge.synth import person as people
from faceforge.synth.draws import RESERVED
from faceforge.synth.person import Person
from faceforge.synth.shots import Camera, Light
from faceforge.synth.stream import Stream
from faceforge.synth.wanted import Wanted

DRAWN: dict[str, Callable[..., Sitting]] = {
    "sample": sample,
    "pair": lambda seed, **held: pair(seed, **held)[1],
    "clip": lambda seed, **held: clip(seed, 2, **held)[1],
    "stream": lambda seed, **held: Stream(seed=seed, count=1, size=8, batch=1, overrides=held).at(0).sittings[0],
    "dataset": lambda seed, **held: Wanted(count=1, seed=seed, overrides=held).sittings(0)[0],
    "shared person": lambda seed, **held: Wanted(count=1, seed=seed, overrides=held, per_person=2).sittings(0)[0],
}


def test_a_seed_means_the_same_numbers_everywhere() -> None:
    drawn = people.sample(3)
    assert (drawn.age, drawn.tone, drawn.hair_style) == (79.97326, 4.023005, "receding")
    assert drawn.traits[:3] == (-0.97355, -1.556902, 0.175156)

    sitting = sample(7)
    assert (sitting.yaw_deg, sitting.camera.distance, sitting.noise) == (-2.470771, 87.858103, 308633187)
    assert dict(sitting.aus) == {"AU26": 1.972, "AU25": 2.282}
    assert sitting.light.directions[0] == (-0.700574862, 0.61445143, 0.362828201)


@pytest.mark.parametrize("seed", range(5, 8))
def test_labels_survive_json(seed: int) -> None:
    labels = portrait(seed, size=8).labels()
    assert json.loads(json.dumps(labels, allow_nan=False)) == listed(labels)


def listed(value: Any) -> Any:
    """Tuples as lists, as JSON gives them back."""
    if isinstance(value, dict):
        return {name: listed(each) for name, each in value.items()}
    return [listed(each) for each in value] if isinstance(value, list | tuple) else value


def test_what_is_held_is_held_and_the_rest_is_as_drawn() -> None:
    free, held = sample(8), sample(8, yaw_deg=20.0, hair_style="afro", aus={"AU12": 3.0})
    assert (held.yaw_deg, held.person.hair_style, dict(held.aus)) == (20.0, "afro", {"AU12": 3.0})
    assert held.camera == free.camera
    assert replace(held.person, hair_style=free.person.hair_style) == free.person


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_somebody_held_young_is_young_and_somebody_held_old_is_old(draw: Callable[..., Sitting]) -> None:
    for seed in (1, 3):
        young, old = draw(seed, age=20.0).person, draw(seed, age=79.0).person
        assert (young.age, old.age, young.group["age"], old.group["age"]) == (20.0, 79.0, "18-29", "56+")
        assert young.wrinkles < 0.4 < 0.8 < old.wrinkles
        jowl = people.TRAITS.index("jowl")
        assert young.traits[jowl] < old.traits[jowl]


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_skin_has_the_tone_that_is_held(draw: Callable[..., Sitting]) -> None:
    light, dark = draw(4, tone=1.0).person, draw(4, tone=10.0).person
    assert (light.group["tone"], dark.group["tone"]) == ("1", "10")
    assert sum(light.skin) > 4 * sum(dark.skin)


def test_a_man_held_as_a_woman_is_drawn_as_one() -> None:
    held = [sample(seed, sex="female").person for seed in range(40)]
    assert all(each.beard == "none" for each in held)
    assert any(each.lipstick > 0 for each in held)


@pytest.mark.parametrize(
    ("held", "follows"),
    [
        ({"age": 30.0}, {"age", "traits", "hair", "brow_colour", "wrinkles", "bags"}),
        ({"tone": 5.0}, {"tone", "skin", "hair", "brow_colour", "iris", "freckles", "hair_style"}),
        ({"sex": "male"}, {"sex", "traits", "hair", "hair_style", "brow", "brow_colour", "beard", "lashes",
                           "lipstick", "eyeliner", "shadow"}),
        ({"hair": (0.5, 0.1, 0.1)}, {"hair", "brow_colour"}),
        ({"beard": "full"}, {"beard"}),
    ],
    ids=lambda each: str(sorted(each)),
)  # fmt: skip
def test_what_does_not_follow_from_a_wish_stays_as_drawn(held: dict[str, Any], follows: set[str]) -> None:
    for seed in range(30):
        free, wished = people.sample(seed), people.sample(seed, **held)
        apart = {each.name for each in fields(Person) if getattr(free, each.name) != getattr(wished, each.name)}
        assert apart <= follows
        assert {**vars(sample(seed, **held)), "person": 0, "occluder": 0} == {
            **vars(sample(seed)), "person": 0, "occluder": 0,
        }  # fmt: skip


def test_holding_what_is_drawn_anyway_changes_nothing() -> None:
    for seed in range(20):
        free = sample(seed)
        kept = {name: getattr(free.person, name) for name in ("age", "tone", "sex", "hair_style", "hair")}
        assert sample(seed, **kept, yaw_deg=free.yaw_deg, aus=free.aus) == free


def test_what_a_clip_holds_is_where_it_comes_to() -> None:
    frames = clip(5, 30, aus={"AU9": 4.0})
    assert max(frame.aus["AU9"] for frame in frames) > 3.5
    assert {code for frame in frames for code in frame.aus} <= {"AU9", "AU43"}


@pytest.mark.parametrize(
    ("held", "said"), [({"yaw": 3.0}, "yaw_deg"), ({"person": people.sample(1), "age": 30.0}, "person and 'age'")]
)
def test_what_cannot_be_held_is_refused(held: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSpec, match=said):
        sample(1, **held)


WRONG: list[dict[str, Any]] = [
    {"hair_style": "spiky"}, {"sex": "robot"}, {"age": "abc"}, {"age": 500.0}, {"age": 17.9}, {"age": 80.1},
    {"tone": 30.0}, {"tone": 0.0}, {"age": True}, {"tone": None}, {"yaw_deg": math.nan}, {"yaw_deg": 91.0},
    {"pitch_deg": math.inf}, {"roll_deg": "left"}, {"gaze_yaw_deg": -90.0}, {"gaze_pitch_deg": math.nan},
    {"light": "dark"}, {"light": None}, {"camera": None}, {"scene": 3}, {"photo": {}}, {"person": "bob"},
    {"traits": 1.0}, {"traits": (0.0,)}, {"occluder": "hand"}, {"aus": None}, {"aus": {"AU12": 6.0}},
    {"aus": {"AU12": -1.0}}, {"aus": {"AU12": math.nan}}, {"aus": {"AU12": 4.0, "AU12L": 3.0}}, {"noise": -1},
    {"skin": (0.5, 0.4, 0.3)}, {"hair": (0.1, math.nan, 0.1)}, {"wrinkles": 2.0}, {"iris": "blue"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=str)
@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_values_that_no_portrait_has_are_refused_by_name(draw: Callable[..., Sitting], wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSpec, match="AU12" if "AU12" in str(wrong) else next(iter(wrong))):
        draw(1, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"distance": 0.0}, {"distance": -3.0}, {"distance": math.nan}, {"half_extent": math.inf}, {"half_extent": 0},
     {"x": math.nan}, {"roll_deg": 1e9}],
    ids=str,
)  # fmt: skip
def test_cameras_that_see_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadSpec, match=next(iter(wrong))):
        Camera(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"directions": ((0.0, 0.0, 2.0),) * 3}, {"directions": ()}, {"colours": ((1.0, 1.0, 1.0),)},
     {"colours": ((-1.0, 0.0, 0.0),) * 3},
     {"sky": ((math.nan, 0.0, 0.0),) * 6}],
    ids=str,
)  # fmt: skip
def test_lights_that_cannot_shine_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSpec, match=next(iter(wrong))):
        replace(sample(1).light, **wrong)


def refusal(draw: Callable[[], Any]) -> str:
    """What is said where something is refused."""
    try:
        draw()
    except BadSpec as told:
        return str(told)
    return ""


NUMBERS = ("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg", "age", "tone", "wrinkles", "brow")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NUMBERS), st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=3)))
@example("tone", 4.5)
@example("age", 29.5)
@example("age", 29.97)
@example("age", 10**400)
def test_a_held_number_is_the_label_or_refused(name: str, value: Any) -> None:
    refused = refusal(lambda: sample(2, **{name: value}))
    if refused:
        assert name in refused
        return
    found = sample(2, **{name: value})
    holder = found.person if name in vars(found.person) else found
    assert getattr(holder, name) == value
    labels = json.loads(json.dumps(found.labels(), allow_nan=False))
    low, high = {"18-29": (18, 30), "30-41": (30, 42), "42-55": (42, 56), "56+": (56, 81)}[labels["age"]]
    assert low <= labels["years"] < high
    assert abs(int(labels["tone"]) - found.person.tone) <= 0.5


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["AU1", "AU12", "AU12L", "AU43", "AU43R", "au26"]), st.floats(), max_size=4))
def test_held_intensities_are_faces_or_refused(aus: dict[str, float]) -> None:
    refused = refusal(lambda: sample(2, aus=aus))
    if refused:
        assert "AU" in refused
        return
    frames = [*pair(2, aus=aus), *clip(2, 12, aus=aus)]
    for frame in frames:
        for code, value in frame.aus.items():
            assert 0 <= value + (frame.aus.get(unsided(code), 0.0) if code != unsided(code) else 0) <= 5.0005


@pytest.mark.parametrize("draw", [sample, pair, portrait, lambda seed: clip(seed, 3)])
@pytest.mark.parametrize("seed", [RESERVED.start, RESERVED.stop - 1])
def test_seeds_kept_for_evaluation_are_refused(draw: Any, seed: int) -> None:
    with pytest.raises(ReservedSeed, match="allow_reserved"):
        draw(seed)


def test_eighty_seeds_in_a_row_meet_every_tone_age_and_sex_once() -> None:
    groups = [people.sample(seed).group for seed in range(160, 240)]
    assert len({tuple(group.values()) for group in groups}) == 80


@pytest.mark.parametrize(
    ("change", "fields"), [("aus", {"aus"}), ("pose", {"yaw_deg", "pitch_deg", "roll_deg"}), ("light", {"light"})]
)
def test_a_pair_changes_only_what_was_asked(change: str, fields: set[str]) -> None:
    first, second = pair(12, (change,))
    apart = {name for name, value in vars(first).items() if value != getattr(second, name)}
    assert apart == fields | {"noise"}


@pytest.mark.parametrize("change", [("person",), "aus", ()])
def test_a_pair_cannot_change_the_person_or_nothing(change: Any) -> None:
    with pytest.raises(BadSpec, match="cannot change"):
        pair(1, change)


def test_a_pair_that_is_asked_to_change_something_changes_it_visibly() -> None:
    for seed in range(400):
        first, second = pair(seed, ("aus", "pose", "light"))
        codes = {unsided(code) for code in (*first.aus, *second.aus)}
        sides = [
            [{side: each.aus.get(code, 0) + each.aus.get(code + side, 0) for side in "LR"} for each in (first, second)]
            for code in codes
        ]
        assert max((abs(one[side] - other[side]) for one, other in sides for side in "LR"), default=0) >= 1
        assert (
            max(abs(getattr(first, name) - getattr(second, name)) for name in ("yaw_deg", "pitch_deg", "roll_deg")) >= 5
        )
        assert brightness_apart(first.light, second.light) >= 0.15


def brightness_apart(one: Light, other: Light) -> float:
    """How differently the two light a face's front and sides."""

    def falling(light: Light, axis: int, sign: int, side: int) -> float:
        lamps = zip(light.directions, light.colours, strict=True)
        return sum(max(0.0, sign * towards[axis]) * sum(rgb) for towards, rgb in lamps) + sum(light.sky[side])

    planes = [(0, 1, 0), (0, -1, 1), (1, 1, 2), (1, -1, 3), (2, 1, 4)]
    found = [(falling(one, *plane), falling(other, *plane)) for plane in planes]
    return max(abs(old - new) / max(old, new) for old, new in found)


@pytest.mark.parametrize("seed", range(20, 30))
def test_a_clip_moves_smoothly_and_keeps_the_person_and_the_place(seed: int) -> None:
    frames = clip(seed, 50)
    assert len({(frame.person, frame.camera, frame.scene, frame.light, frame.photo) for frame in frames}) == 1
    for before, after in pairwise(frames):
        for angle in ("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"):
            assert abs(getattr(after, angle) - getattr(before, angle)) < 1.5
        moved = {code: abs(after.aus.get(code, 0) - before.aus.get(code, 0)) for code in {*after.aus, *before.aus}}
        assert max((step for code, step in moved.items() if code != "AU43"), default=0) < 1.0


@pytest.mark.parametrize(
    ("frames", "fps"), [(0, 25.0), (-1, 25.0), (2.0, 25.0), (True, 25.0), (3, 0.0), (3, math.nan), (3, math.inf)]
)
def test_a_clip_without_frames_or_time_is_refused(frames: int, fps: float) -> None:
    with pytest.raises(BadSpec, match="frames" if fps == 25.0 else "fps"):
        clip(1, frames, fps)


@pytest.mark.slow
def test_eight_thousand_seeds_are_balanced_over_tone_age_and_sex_together() -> None:
    groups = [people.sample(seed).group for seed in range(8000)]
    assert set(Counter(tuple(each.values()) for each in groups).values()) == {100}
    assert len({tuple(each.values()) for each in groups}) == 80


def test_holding_one_of_them_leaves_the_others_balanced() -> None:
    groups = [people.sample(seed, sex="female").group for seed in range(160)]
    assert set(Counter((each["tone"], each["age"], each["sex"]) for each in groups).values()) == {4}


def test_everything_that_the_documentation_calls_a_label_is_one() -> None:
    table = (
        (Path(__file__).parents[2] / "docs/synth.md").read_text().split("| label | what it is |")[1].split("\n\n")[0]
    )
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(json.loads(json.dumps(portrait(3, size=8).labels())))


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"sex": "female", "age": 25.0, "hair_style": "bob", "aus": {"AU12": 4.0}, "yaw_deg": 30.0},
         "a portrait of a young woman with a bob, turned right, smiling"),
        ({"sex": "male", "age": 70.0, "hair_style": "short", "aus": {"AU12": 4.0, "AU6": 3.0}, "yaw_deg": -20.0},
         "a portrait of an old man with short hair, turned left, smiling and raising the cheeks"),
        ({"sex": "male", "age": 40.0, "hair_style": "bald", "aus": {"AU1": 2.0, "AU4": 2.0, "AU25": 2.0}, "yaw_deg": 0},
         "a portrait of a middle-aged, bald man, frowning, raising the inner brows and parting the lips"),
        ({"sex": "female", "age": 60.0, "hair_style": "afro", "aus": {}, "yaw_deg": 0},
         "a portrait of an old woman with an afro"),
    ],
)  # fmt: skip
def test_a_caption_says_what_is_seen(held: dict[str, Any], words: str) -> None:
    assert sample(2, **held).caption() == words


def test_captions_are_grammatical() -> None:
    for seed in range(400):
        words = sample(seed).caption()
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|,,| ,|  |,$|and$|,[^ ]", words), words
        assert re.fullmatch(r"a portrait of an? [a-z, -]+", words), words
        assert words.count(" and ") <= 1

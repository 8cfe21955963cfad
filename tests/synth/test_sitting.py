"""Sittings: what is drawn from a seed, and what a caller may hold."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from faceforge.errors import BadSpec, ReservedSeed
from faceforge.synth import clip, pair, portrait, sample
from faceforge.synth import person as people
from faceforge.synth.draws import RESERVED


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


@pytest.mark.parametrize(
    ("held", "said"), [({"yaw": 3.0}, "yaw_deg"), ({"person": people.sample(1), "age": 30.0}, "person and 'age'")]
)
def test_what_cannot_be_held_is_refused(held: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSpec, match=said):
        sample(1, **held)


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


def test_a_pair_cannot_change_the_person() -> None:
    with pytest.raises(BadSpec, match="'person'"):
        pair(1, ("person",))


@pytest.mark.parametrize("seed", range(20, 30))
def test_a_clip_moves_smoothly_and_keeps_the_person_and_the_place(seed: int) -> None:
    frames = clip(seed, 50)
    assert len({(frame.person, frame.camera, frame.scene, frame.light, frame.photo) for frame in frames}) == 1
    for before, after in pairwise(frames):
        for angle in ("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"):
            assert abs(getattr(after, angle) - getattr(before, angle)) < 1.5
        moved = {code: abs(after.aus.get(code, 0) - before.aus.get(code, 0)) for code in {*after.aus, *before.aus}}
        assert max((step for code, step in moved.items() if code != "AU43"), default=0) < 1.0


@pytest.mark.parametrize(("frames", "fps"), [(0, 25.0), (-1, 25.0), (3, 0.0), (3, float("nan"))])
def test_a_clip_without_frames_or_time_is_refused(frames: int, fps: float) -> None:
    with pytest.raises(BadSpec, match="at least one frame"):
        clip(1, frames, fps)


def test_a_caption_says_what_the_face_does() -> None:
    words = sample(2, aus={"AU12": 4.0}, yaw_deg=30.0, sex="female", age=25.0, hair_style="bob").caption()
    assert words == "a portrait of a young woman with bob hair, turned right, smiling"

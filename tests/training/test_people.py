from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from faceforge.mer.agreement import Numbers
from faceforge.synth.draws import RESERVED
from faceforge_training.album import Album, face_people
from faceforge_training.judged import ALIGNED, DRIFTED, crossing
from faceforge_training.judges import IdentityObjective, onset
from faceforge_training.motions import COUPLES, Motions, face_motions
from faceforge_training.pairs import Pairs, face_pairs
from faceforge_training.people import HELD_OUT, SEEDS, SESSIONS, SHOTS, UNITS, intensities, shots


@pytest.fixture
def drawn(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Shared by the tests of one session: the people are drawn once."""
    folder: Path = tmp_path_factory.getbasetemp() / "drawn"
    return str(folder)


def pairs(folder: str, seed: int = 0) -> Pairs:
    return face_pairs(folder, 2, batch=16, pixels=40, seed=seed)


def test_within_a_session_only_the_face_moves() -> None:
    taken = shots(SEEDS.start)
    for first, count in zip((0, 4, 6), SESSIONS, strict=True):
        for each in taken[first + 1 : first + count]:
            moved = {f.name for f in fields(each) if getattr(each, f.name) != getattr(taken[first], f.name)}
            assert moved <= {"aus", "noise", "gaze_yaw_deg"}, moved


def test_sessions_show_one_person_in_several_poses_and_lights() -> None:
    taken = [shots(SEEDS.start)[number] for number in (0, 4, 6)]
    assert len({each.person for each in taken}) == 1
    assert len({(each.yaw_deg, each.light) for each in taken}) == 3


def test_units_change_in_both_directions_and_by_little_and_much() -> None:
    changes = []
    for person in range(60):
        known = np.array([intensities(each) for each in shots(SEEDS.start + 3 * person)])
        changes += [known[second] - known[first] for first, second in ALIGNED]
    table = np.array(changes)
    assert ((table > 0.1).sum(0) > 10).all()
    assert ((table < -0.1).sum(0) > 10).all()
    assert (np.abs(table).max(0) > 3).all()
    small = (np.abs(table) > 0) & (np.abs(table) < 1)
    assert (small.sum(0) > 5).all()


def test_one_side_of_the_face_counts_half() -> None:
    sitting = replace(shots(SEEDS.start)[0], aus={"AU12L": 3.0, "AU4": 2.0})
    assert dict(zip(UNITS, intensities(sitting), strict=True))["AU12"] == 1.5
    assert dict(zip(UNITS, intensities(sitting), strict=True))["AU4"] == 2.0


def test_those_who_judge_are_neither_those_who_teach_nor_kept_for_others() -> None:
    assert not set(HELD_OUT) & set(SEEDS)
    assert HELD_OUT.stop <= RESERVED.start


@pytest.mark.parametrize("reader", [face_pairs, face_motions, face_people])
def test_a_step_s_batch_is_the_same_whenever_it_is_read(reader: type, drawn: str) -> None:
    one: Pairs | Motions | Album = reader(drawn, 2, batch=6, pixels=40)
    first, again = one.batch(3), one.batch(3)
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not torch.equal(next(iter(first.values())), next(iter(one.batch(4).values())))


def test_pairs_are_of_one_person_and_say_by_how_much_units_differ(drawn: str) -> None:
    reader = pairs(drawn)
    first, second = reader.picked(torch.Generator().manual_seed(1))
    assert torch.equal(first // SHOTS, second // SHOTS)
    assert (first == second).any()
    same = (first == second).nonzero()[0]
    assert not reader.change(first[same], second[same]).any()
    batch = reader.batch(0)
    assert 0 <= batch["before"].min() <= batch["after"].max() <= 1
    assert batch["change"].abs().max() <= 5


def test_motion_is_read_forth_and_back_and_mirrored() -> None:
    held = torch.rand(1, 2, 3, 64, 64).half()
    motions = Motions(torch.zeros(1, 2, 64, 64, dtype=torch.uint8), held, torch.ones(1, 12), 32, 0)
    batch = motions.batch(0)
    for moved, change in zip(batch["channels"], batch["change"], strict=True):
        way = held[0, 0 if change[0] > 0 else 1].float()
        mirrored = way.flip(2) * torch.tensor([-1.0, 1.0, 1.0])[:, None, None]
        assert torch.equal(moved, way) or torch.equal(moved, mirrored)
    assert (batch["change"][:, 0] > 0).any()
    assert (batch["channels"][:, 0] < 0).any()


def test_couples_of_motions_are_of_one_session_and_some_stand_still() -> None:
    assert len(set(COUPLES)) == len(COUPLES)
    assert sum(first == second for first, second in COUPLES) == 2
    assert not set(DRIFTED) & set(COUPLES)


def test_a_unit_sets_in_the_surer_the_more_it_rises_and_never_when_it_falls() -> None:
    likely = onset(torch.tensor([-3.0, 0.0, 0.5, 1.4, 5.0]))
    assert likely[:2].tolist() == [0, 0]
    assert likely[3] == pytest.approx(0.5)
    assert (likely[1:].diff() > 0).all()


def test_people_who_look_alike_to_the_network_cost_more() -> None:
    objective = IdentityObjective(width=8)
    whose = torch.tensor([0, 0, 1, 1])
    alike = torch.rand(2, 3, 64, 64).repeat_interleave(2, 0)
    good = objective({"colours": alike, "person": whose})["same"]
    bad = objective({"colours": alike, "person": torch.tensor([0, 1, 0, 1])})["same"]
    assert good < bad


def test_errors_of_both_kinds_are_equal_where_curves_cross() -> None:
    same: Numbers = np.array([0.9, 0.8, 0.7, 0.2])
    others: Numbers = np.array([0.1, 0.75, 0.05, 0.15])
    assert crossing(same, others) == pytest.approx(0.25)
    assert crossing(same + 1, others) == 0

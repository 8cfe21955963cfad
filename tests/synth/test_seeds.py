"""Seeds kept for evaluation, and what is no seed, on every way to a portrait."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faceforge.errors import BadSpec, ReservedSeed
from faceforge.synth import clip, pair, portrait, sample
from faceforge.synth import person as people
from faceforge.synth.dataset import write
from faceforge.synth.draws import RESERVED
from faceforge.synth.sheets import sheet
from faceforge.synth.stream import Stream
from faceforge.synth.wanted import Wanted
from tests.cli.running import run

WAYS: dict[str, Callable[..., Any]] = {
    "sample": sample,
    "pair": pair,
    "clip": lambda seed, **how: clip(seed, 2, **how),
    "portrait": lambda seed, **how: portrait(seed, size=8, **how),
    "stream": lambda seed, **how: Stream(seed=seed, count=1, size=8, **how).at(0),
    "endless stream": lambda seed, **how: Stream(seed=seed, size=8, batch=1, **how).at(0),
    "pairs": lambda seed, **how: Stream(seed=seed, count=1, size=8, change=("aus",), **how).at(0),
    "dataset": lambda seed, **how: Wanted(count=1, seed=seed, **how).check(),
    "dataset of clips": lambda seed, **how: Wanted(count=1, seed=seed, kind="clips", frames=2, **how).check(),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("seed", [RESERVED.start, RESERVED.stop - 1])
def test_seeds_kept_for_evaluation_are_refused_unless_allowed(way: Callable[..., Any], seed: int) -> None:
    with pytest.raises(ReservedSeed, match="allow_reserved"):
        way(seed)
    way(seed, allow_reserved=True)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("seed", [-1, 2**63, True, 1.0, float("nan"), "7", None], ids=repr)
def test_what_is_no_seed_is_refused(way: Callable[..., Any], seed: Any) -> None:
    with pytest.raises(BadSpec, match="whole number"):
        way(seed)


def test_a_person_kept_for_evaluation_is_refused_in_any_sitting() -> None:
    kept = people.sample(RESERVED.start)
    for name, way in WAYS.items():
        held = {"person": kept} if name in ("sample", "pair", "clip", "portrait") else {"overrides": {"person": kept}}
        with pytest.raises(ReservedSeed):
            way(5, **held)


@pytest.mark.parametrize("kind", ["identities", "lights"])
def test_sheets_refuse_them_too(kind: str) -> None:
    with pytest.raises(ReservedSeed):
        sheet(kind, RESERVED.start - 1, 2, size=8)


def test_people_of_shared_seeds_are_refused_too() -> None:
    for make in (lambda **how: Wanted(**how).check(), lambda **how: Stream(size=8, **how)):
        with pytest.raises(ReservedSeed):
            make(seed=RESERVED.start * 4, count=1, per_person=4)


def test_a_dataset_is_not_continued_without_leave(tmp_path: Path) -> None:
    wanted = {"count": 1, "seed": RESERVED.start, "size": 8}
    write(tmp_path / "set", Wanted(**wanted, allow_reserved=True))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ReservedSeed):
        write(tmp_path / "set", Wanted(**wanted))
    assert sorted(tmp_path.rglob("*")) == before


def test_the_command_needs_leave_and_whole_seeds(tmp_path: Path) -> None:
    for seed in ("900000000", "999999999", "-1", str(2**63), "1.5", "nan"):
        failed = run("synth", str(tmp_path / "set"), "--count", "1", "--size", "8", "--seed", seed)
        assert failed.code != 0
        assert not (tmp_path / "set").exists()
    ran = run("synth", str(tmp_path / "set"), "--count", "1", "--size", "8", "--seed", "900000000", "--allow-reserved")
    assert ran.code == 0

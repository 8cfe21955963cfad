"""Streams: the same batches however the work is divided, and from wherever it goes on."""

from dataclasses import replace

import pytest
import torch
from torch.utils.data import DataLoader

from faceforge.errors import BadSpec, ReservedSeed
from faceforge.synth import pictures
from faceforge.synth.draws import RESERVED
from faceforge.synth.stream import Batch, Stream, shuffled

SMALL = Stream(size=32, batch=4, count=12)


def seeds(batches: list[Batch]) -> list[list[int]]:
    return [[sitting.seed for sitting in batch.sittings] for batch in batches]


def test_a_batch_is_the_pictures_of_its_sittings() -> None:
    batch = next(iter(SMALL))
    assert (batch.pictures.shape, batch.pictures.dtype) == ((4, 3, 32, 32), torch.uint8)
    assert torch.equal(batch.pictures, pictures(batch.sittings, 32))


def test_every_seed_comes_once_also_when_shuffled() -> None:
    for stream in (SMALL, replace(SMALL, shuffle=1), replace(SMALL, count=11, batch=5)):
        drawn = [seed for batch in seeds(list(stream)) for seed in batch]
        assert sorted(drawn) == list(range(stream.count or 0))
    assert seeds(list(replace(SMALL, shuffle=1))) != seeds(list(replace(SMALL, shuffle=2)))


def test_an_endless_stream_goes_on_where_it_is_told() -> None:
    stream = iter(replace(SMALL, count=None))
    first, second = next(stream), next(stream)
    again = next(iter(replace(SMALL, count=None, start=first.step + 1)))
    assert again.sittings == second.sittings
    assert torch.equal(again.pictures, second.pictures)


def test_ranks_share_the_batches_evenly() -> None:
    shares = [seeds(list(replace(SMALL, rank=rank, world=2))) for rank in (0, 1)]
    assert shares == [[[0, 1, 2, 3]], [[4, 5, 6, 7]]]  # the third batch would leave one rank waiting


@pytest.mark.slow
def test_a_loader_s_workers_change_neither_batches_nor_their_order() -> None:
    loader = DataLoader(SMALL, batch_size=None, num_workers=2, multiprocessing_context="spawn")
    for loaded, plain in zip(loader, SMALL, strict=True):
        assert loaded.sittings == plain.sittings
        assert int((loaded.pictures.int() - plain.pictures.int()).abs().max()) <= 1


def test_people_sit_several_times_when_asked() -> None:
    batch = next(iter(replace(SMALL, per_person=2, shuffle=5)))
    people = [sitting.person for sitting in batch.sittings]
    assert people[0] == people[1] != people[2] == people[3]
    assert len({sitting.seed for sitting in batch.sittings}) == 4


def test_pairs_come_side_by_side() -> None:
    batch = next(iter(replace(SMALL, change=("aus",))))
    assert batch.partners is not None
    for first, second in zip(batch.sittings, batch.partners.sittings, strict=True):
        assert (first.person, first.camera, first.yaw_deg) == (second.person, second.camera, second.yaw_deg)
    assert batch.partners.pictures.shape == batch.pictures.shape


@pytest.mark.parametrize("count", [1, 2, 5, 64, 100])
def test_shuffling_moves_every_number_to_a_place_of_its_own(count: int) -> None:
    assert sorted(shuffled(number, count, 7) for number in range(count)) == list(range(count))


def test_seeds_kept_for_evaluation_are_refused_before_and_during_a_stream() -> None:
    with pytest.raises(ReservedSeed):
        Stream(seed=RESERVED.start - 3, count=4)
    with pytest.raises(ReservedSeed):
        list(Stream(seed=RESERVED.start - 1, size=8, batch=2))


@pytest.mark.parametrize(
    "wrong", [{"batch": 0}, {"rank": 2, "world": 2}, {"start": -1}, {"count": 0}, {"count": None, "shuffle": 1}]
)
def test_streams_without_batches_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadSpec, match=next(iter(wrong))):
        replace(SMALL, **wrong)  # type: ignore[arg-type]

"""Windows cover a clip, share what was asked for, and refuse what cannot be."""

from itertools import pairwise

import pytest
from pydantic import ValidationError

from faceforge.windows import RELEASED, Windows

CLIPS = [(1, 12, 4), (12, 12, 4), (13, 12, 4), (24, 12, 1), (50, 12, 4), (100, 12, 0), (31, 16, 8), (7, 4, 3)]


@pytest.mark.parametrize(("frames", "length", "overlap"), CLIPS)
def test_open_windows_run_from_the_first_frame_to_the_last_without_a_gap(
    frames: int, length: int, overlap: int
) -> None:
    cut = [window.items for window in Windows(length=length, overlap=overlap).over(frames)]
    assert {len(items) for items in cut} == {min(length, frames)}
    assert all(list(items) == list(range(items[0], items[0] + len(items))) for items in cut)
    assert (cut[0][0], cut[-1][-1]) == (0, frames - 1)
    for earlier, later in pairwise(cut):
        assert len(set(earlier) & set(later)) >= overlap
        assert later[0] > earlier[0]


def test_no_more_windows_are_cut_than_the_overlap_needs() -> None:
    assert [len(Windows(length=12, overlap=1).over(n)) for n in (12, 13, 23, 24, 100, 300)] == [1, 2, 2, 3, 9, 28]
    assert [len(RELEASED.over(n)) for n in (24, 100, 300)] == [3, 10, 28]


def test_a_loop_goes_on_with_the_first_frames() -> None:
    assert Windows(length=4, overlap=1, loop=True).over(7)[-1].items == (6, 0, 1, 2)


def test_a_ramp_counts_the_middle_most_and_both_ends_alike() -> None:
    assert Windows(length=5, overlap=1).over(9)[0].weights == (1, 2, 3, 2, 1)
    assert Windows(length=4, overlap=1, blend="flat").over(9)[0].weights == (1, 1, 1, 1)


@pytest.mark.parametrize("fields", [{"length": 0}, {"overlap": -1}, {"overlap": 12}, {"blend": "sharp"}, {"step": 2}])
def test_windows_that_cannot_be_are_refused(fields: dict) -> None:
    with pytest.raises(ValidationError):
        Windows(**fields)

"""Work shared among processes."""

import os
from math import sqrt

import pytest

from faceforge.errors import CannotWrite
from faceforge.synth.workers import in_order


def test_one_worker_needs_no_other_process() -> None:
    assert list(in_order(lambda number: number + os.getpid(), [1, 2], 1)) == [os.getpid() + 1, os.getpid() + 2]


@pytest.mark.slow
def test_results_come_in_the_order_of_the_jobs() -> None:
    assert list(in_order(sqrt, range(20), 2)) == [sqrt(number) for number in range(20)]


@pytest.mark.slow
def test_a_worker_that_is_killed_is_one_clear_refusal() -> None:
    with pytest.raises(CannotWrite, match="ask for fewer workers"):
        list(in_order(os._exit, [1, 2, 3], 2))

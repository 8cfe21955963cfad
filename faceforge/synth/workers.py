"""Work shared among processes: results in order, never far ahead, and no process outlives the one that started it."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import TypeVar

import torch

from faceforge.errors import CannotWrite

_AHEAD = 2  # jobs per worker that may wait
_Job = TypeVar("_Job")
_Done = TypeVar("_Done")


def in_order(work: Callable[[_Job], _Done], jobs: Sequence[_Job], workers: int) -> Iterator[_Done]:
    """What `work` makes of every job, in the jobs' order; one worker is this very process.

    Each works with a single thread, so that results do not depend on how many there are.
    """
    if workers == 1 or len(jobs) < 2:
        with one_thread():
            yield from map(work, jobs)
        return
    # Fresh processes: a copy of this one could inherit a lock that a thread of it holds.
    fresh = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=fresh, initializer=_settle)
    waiting: deque[Future[_Done]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) > _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as reason:
        raise CannotWrite(
            f"One of {workers} workers was ended from outside, often for lack of memory. "
            f"The same command continues; ask for fewer workers."
        ) from reason
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """Results in here do not depend on how many threads there were before."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _settle() -> None:
    """A worker's first act."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started it decides what an interrupt means
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    """End with the process that started this one, even if it was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)

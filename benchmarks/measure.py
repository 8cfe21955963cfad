"""Operations counted, and two sides timed in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count


@contextmanager
def counted() -> Iterator[FlopCounterMode]:
    """Counts the FLOPs (two per multiply-add) of matrix products, convolutions and attention."""
    without_numbers: Any = _WithoutNumbers
    uncounted = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention}
    with without_numbers(), FlopCounterMode(display=False, custom_mapping=uncounted) as counter:
        yield counter


def _attention(query: torch.Size, key: torch.Size, value: torch.Size, *_: Any, **__: Any) -> int:
    """What torch counts for every other form of attention; the fused one on a CPU it leaves out."""
    flops: int = sdpa_flop_count(query, key, value)  # type: ignore[no-untyped-call]
    return flops


class _WithoutNumbers(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Shapes alone cannot be compared for equality; here two of them count as different."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.equal.default and args[0].is_meta:
            return False
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True)
class Timed:
    """Seconds on the clock, and seconds of processor time over all threads."""

    clock: float
    processor: float


@dataclass(frozen=True)
class Compared:
    """Times of both sides, pair by pair, and the largest difference as a share of the release's largest value."""

    release: Sequence[Timed]
    faceforge: Sequence[Timed]
    difference: float

    @property
    def ratios(self) -> list[float]:
        """How many times as long the release takes, by the clock."""
        return [theirs.clock / ours.clock for theirs, ours in zip(self.release, self.faceforge, strict=True)]

    @property
    def processor_ratio(self) -> float:
        """The same in processor time, which other work on the machine does not lengthen: the median."""
        pairs = zip(self.release, self.faceforge, strict=True)
        return median(theirs.processor / ours.processor for theirs, ours in pairs)


def compared(release: Callable[[], Tensor], faceforge: Callable[[], Tensor], repeats: int) -> Compared:
    """Both sides in turns, so that whatever else the machine does falls on both."""
    theirs, ours = [], []
    for _ in range(repeats):
        theirs.append(timed(release))
        ours.append(timed(faceforge))
    apart = difference(theirs[-1][1], ours[-1][1])
    return Compared([each for each, _ in theirs], [each for each, _ in ours], apart)


def timed(run: Callable[[], Tensor]) -> tuple[Timed, Tensor]:
    _finish()
    clock, processor = time.perf_counter(), time.process_time()
    found = run()
    _finish()
    return Timed(time.perf_counter() - clock, time.process_time() - processor), found


def difference(release: Tensor, faceforge: Tensor) -> float:
    return float((release.double() - faceforge.double()).abs().max() / release.double().abs().max())


def _finish() -> None:
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()

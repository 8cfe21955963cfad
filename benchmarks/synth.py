"""Synthetic portraits per second, where their time goes, and the memory they take."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from itertools import product
from math import nan
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import torch
from torch import Tensor

from benchmarks.measure import timed
from faceforge.core.device import HOST, best_device, peak_memory
from faceforge.synth import backdrop, occluders, photo
from faceforge.synth.stream import Stream

SIZES = (128, 256)
PER_PERSON = (1, 4)
BATCH = 16
_PORTRAITS = import_module("faceforge.synth.portrait")  # the package's own `portrait` is the function
STAGES: dict[str, tuple[Any, str]] = {
    "cast": (_PORTRAITS, "cast"),
    "render": (_PORTRAITS, "render"),
    "backdrop": (backdrop, "paint"),
    "occluder": (occluders, "draw"),
    "photo": (photo, "apply"),
}

EXAMPLES = """
what it prints
  portraits per second, the median of --repeats rounds of --portraits pictures, no maps and no files; textures are
  painted once per person, so several sittings of each cost less. Then the milliseconds that one portrait spends in
  each stage: drawing numbers, painting people (cast), rendering, backdrop, occluder, lens and sensor (photo); the
  rest is geometry and copies. Every process has one thread. The rate by processor time is what a core of its own would
  give, which other work on the machine does not lower. Memory is the most that the process has held so far.

examples
  python benchmarks/synth.py
  python benchmarks/synth.py --sizes 128 --processes 1 --portraits 16 --repeats 1 --json synth.json
"""


@dataclass(frozen=True)
class Row:
    """One setting: portraits per second by the clock and by the processor, milliseconds per portrait, and MiB."""

    size: int
    per_person: int
    processes: int
    per_second: float
    per_processor_second: float  # nan where several processes share the work
    stages: dict[str, float]
    memory: float

    def __str__(self) -> str:
        parts = " | ".join(f"{self.stages[name]:.1f}" if self.stages else "" for name in COLUMNS)
        memory = f"{self.memory:.0f}" if self.memory else ""
        return (
            f"| {self.size} | {self.per_person} | {self.processes} | **{self.per_second:.1f}** "
            f"| {self.per_processor_second:.1f} | {parts} | {memory} |"
        )


COLUMNS = ("numbers", *STAGES, "rest")


def draw(stream: Stream) -> Tensor:
    """All pictures of a finite stream; the last batch stands for the rest."""
    last = torch.empty(0)
    for batch in stream:
        last = batch.pictures
    return last


def alone(stream: Stream, repeats: int, device: torch.device) -> Row:
    """One process: portraits per second, and in a round of its own the stages."""
    draw(stream)  # the first call of a kind builds and allocates
    times = [timed(partial(draw, stream))[0] for _ in range(repeats)]
    with stages() as spent:
        whole = timed(partial(draw, stream))[0].clock
    number = stream.count or 1
    each = {name: 1e3 * spent[name] / number for name in COLUMNS[:-1]}
    each["rest"] = 1e3 * whole / number - sum(each.values())
    rates = [number / median(seconds) for seconds in zip(*((one.clock, one.processor) for one in times), strict=True)]
    return Row(stream.size, stream.per_person, 1, rates[0], rates[1], each, peak_memory(device) / 2**20)


@contextmanager
def stages() -> Iterator[dict[str, float]]:
    """Seconds spent in each stage meanwhile."""
    spent: defaultdict[str, float] = defaultdict(float)
    places: dict[str, tuple[Any, str]] = {"numbers": (Stream, "_sittings"), **STAGES}
    with ExitStack() as stack:
        for name, (module, function) in places.items():
            stack.enter_context(patch.object(module, function, _watched(getattr(module, function), spent, name)))
        yield spent


def _watched(function: Callable[..., Any], spent: dict[str, float], name: str) -> Callable[..., Any]:
    def run(*arguments: Any, **named: Any) -> Any:
        taken, found = timed(partial(function, *arguments, **named))
        spent[name] += taken.clock
        return found

    return run


def together(stream: Stream, repeats: int, processes: int) -> Row:
    """Several processes side by side, each with other seeds; they start every round at once."""
    context = get_context("spawn")
    gate = context.Barrier(processes)
    shares = [Stream(**{**vars(stream), "rank": rank, "world": processes}) for rank in range(processes)]
    with ProcessPoolExecutor(processes, context, initializer=_open, initargs=(gate,)) as pool:
        list(pool.map(_share, shares))
        rounds = [list(pool.map(_share, shares)) for _ in range(repeats)]
    seconds = [max(end for _, end in each) - min(start for start, _ in each) for each in rounds]
    return Row(stream.size, stream.per_person, processes, (stream.count or 1) / median(seconds), nan, {}, 0.0)


def _open(gate: Any) -> None:
    torch.set_num_threads(1)
    globals()["_gate"] = gate


def _share(stream: Stream) -> tuple[float, float]:
    """When this process began and ended its share; the gate also sees to it that every process gets one."""
    globals()["_gate"].wait()
    start = time.time()
    draw(stream)
    return start, time.time()


def rows(wanted: argparse.Namespace, device: torch.device) -> Iterator[Row]:
    for size, per_person in product(wanted.sizes, wanted.per_person):
        count = -(-wanted.portraits // (BATCH * max(wanted.processes))) * BATCH * max(wanted.processes)
        stream = Stream(size=size, batch=BATCH, count=count, per_person=per_person, device=device)
        for processes in wanted.processes if device == HOST else (1,):
            if processes == 1:
                yield alone(stream, wanted.repeats, device)
            else:
                yield together(stream, wanted.repeats, processes)


def main() -> int:
    wanted = arguments()
    torch.set_num_threads(1)
    report: dict[str, object] = {"asked": vars(wanted), "torch": torch.__version__}
    for device in dict.fromkeys([HOST, best_device()]):
        load = f", load before {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
        print(f"\n{device}, torch {torch.__version__}{load}; ms per portrait, MiB\n")
        print(f"| pixels | per person | processes | portraits/s | by processor | {' | '.join(COLUMNS)} | memory |")
        print("|" + "---|" * (6 + len(COLUMNS)))
        found: list[Row] = []
        for row in rows(wanted, device):
            print(row, flush=True)
            found.append(row)
        report[str(device)] = [asdict(row) for row in found]
    if wanted.json:
        wanted.json.write_text(json.dumps(report, indent=1, default=str))
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="sides of the pictures (128 256)")
    parser.add_argument("--per-person", type=int, nargs="+", default=PER_PERSON, help="sittings of each person (1 4)")
    parser.add_argument("--processes", type=int, nargs="+", default=(1, 2), help="processes side by side (1 2)")
    parser.add_argument("--portraits", type=int, default=64, help="pictures of a round, at least (64)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds of which the median is taken (3)")
    parser.add_argument("--json", type=Path, help="write all figures to this file too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

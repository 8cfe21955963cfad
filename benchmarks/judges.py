"""How many pairs judges get through in a second, alone and in a row from one source, and what flow costs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import numpy as np
import torch
from PIL import Image

from faceforge.errors import HubError, MissingPackage
from faceforge.evaluation.subjects import portraits
from faceforge.face.finding import Finder
from faceforge.mer import looking
from faceforge.mer.flow import BUILT_IN, backend, flow_between
from faceforge.mer.framing import frame
from faceforge.mer.judges import Judge, judge, judges

EXAMPLES = """
All times are of the processor, medians over repetitions, so that a busy machine does not change them.

  pairs/s   two new pictures each
  in a row  several edits of one source: its face is found once
  finding   share of a new pair's time that finds the two faces
  flow      share that computes flow, forth and back

examples
  python benchmarks/judges.py
  python benchmarks/judges.py --judges flow --edits 16 --json judges.json
"""


@dataclass(frozen=True)
class Timed:
    """One judge; rates per second of processor time."""

    judge: str
    pairs: float
    in_a_row: dict[int, float]
    finding: float
    flow: float


def timed(by: Judge, source: Image.Image, edits: Sequence[Image.Image], repeat: int) -> Timed:
    """Rates of one judge; `edits` are of one source."""
    finder = looking.looker(by.facts.finder or "embedded").finder
    alone = median(_seconds(lambda edit=edit: _fresh(by, source, edit)) for edit in edits for _ in range(repeat))
    rates = {}
    for count in [each for each in (1, 2, 4, 8, 16, 32) if each <= len(edits)]:
        spent = median(_seconds(lambda count=count: _row(by, source, edits[:count])) for _ in range(repeat))
        rates[count] = count / spent
    finding = median(_seconds(lambda: _find(finder, source, edits[0])) for _ in range(repeat))
    flow = median(_seconds(lambda: _flow(by, source, edits[0])) for _ in range(repeat)) if by.facts.flow else 0.0
    return Timed(by.facts.name, 1 / alone, rates, finding / alone, flow / alone)


def _fresh(by: Judge, source: Image.Image, edited: Image.Image) -> None:
    _forget(by)
    by.delta(source, edited)


def _row(by: Judge, source: Image.Image, edits: Sequence[Image.Image]) -> None:
    _forget(by)
    for edit in edits:
        by.delta(source, edit)


def _forget(by: Judge) -> None:
    looking.looker(by.facts.finder or "embedded").forget()


def _find(finder: Finder, *images: Image.Image) -> None:
    for image in images:
        finder.find(np.asarray(image))


def _flow(by: Judge, source: Image.Image, edited: Image.Image) -> None:
    """Both flows of a pair in the judges' frame; what cuts it out is not counted."""
    seen = looking.looker().look(source)
    before, after = (np.asarray(frame(seen.face).cut(each)) for each in (source, edited))
    if by.facts.flow in BUILT_IN:
        flow_between(before, after, backend(by.facts.flow))
        flow_between(after, before, backend(by.facts.flow))


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def pictures(edits: int) -> tuple[Image.Image, list[Image.Image]]:
    """A portrait, and versions of it that differ in a few levels: to a judge they are all new."""
    (subject,) = portraits(1)
    source = subject.picture.image
    return source, [source.point(lambda level, by=by: min(255, level + by)) for by in range(1, edits + 1)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--judges", nargs="*", default=sorted(judges()), metavar="NAME")
    parser.add_argument("--edits", type=int, default=8, help="edits of one source (default: 8)")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of every measurement (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    source, edits = pictures(given.edits)
    found = []
    print("judge         pairs/s   in a row            finding   flow")
    for name in given.judges:
        try:
            by = judge(name)
        except (MissingPackage, HubError) as missing:
            print(f"{name:12}  left out: {missing}")
            continue
        by.delta(source, edits[0])
        each = timed(by, source, edits, given.repeat)
        row = ", ".join(f"{count}: {rate:.0f}" for count, rate in each.in_a_row.items())
        print(f"{name:12} {each.pairs:8.1f}   {row:24} {each.finding:6.0%} {each.flow:6.0%}", flush=True)
        found.append(asdict(each))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The plan from Python: pictures with their labels, one after the other, and nothing is written."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from faceforge.augmentation.blocks import Agenda, Block
from faceforge.augmentation.making import Made, Maker
from faceforge.augmentation.plan import Plan
from faceforge.augmentation.report import Report
from faceforge.augmentation.running import maker
from faceforge.spec import EditSpec
from faceforge.synth.workers import one_thread


@dataclass(frozen=True, eq=False)
class Record:
    """One picture of an augmented dataset: what it shows, what was asked for, and its whole label row."""

    image: Image.Image
    spec: EditSpec
    labels: Mapping[str, Any]
    provenance: Mapping[str, Any] | None  # None of an unedited source

    @classmethod
    def of(cls, made: Made) -> Record:
        assert made.picture.image is not None, "an editor without pictures is refused"
        return cls(made.picture.image, made.trial.wish.spec, made.row, made.provenance)


def augment(
    plan: Plan | Mapping[str, Any] | str | Path, *, device: str = "", report: Report | None = None
) -> Iterator[Record]:
    """The pictures that `faceforge augment` would write, in its order and to the last bit.

    What is given up or put aside goes into the report; where none is passed, a warning tells of it at the end.
    """
    read = as_plan(plan)
    agenda, told = Agenda.of(read), Report() if report is None else report
    own = maker(read, device)
    for number in range(len(agenda)):
        block = Report()
        yield from made(own, agenda.block(number), block)
        told.add(block)
    if report is None and (told.rejected or told.quarantined):
        warnings.warn(told.describe(), stacklevel=2)


def as_plan(plan: Plan | Mapping[str, Any] | str | Path) -> Plan:
    """A plan as it is, from a mapping, or from a file."""
    if isinstance(plan, Plan):
        return plan
    return Plan.of(plan) if isinstance(plan, Mapping) else Plan.read(plan)


def made(own: Maker, block: Block, report: Report) -> list[Record]:
    """All pictures of a block; how many threads the caller uses does not matter."""
    with one_thread():
        return [Record.of(each) for each in own.make(block, report)]

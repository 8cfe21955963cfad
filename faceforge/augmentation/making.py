"""Making the variants of a block: edited in batches across sources, looked at, drawn anew where a gate stays shut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from faceforge.augmentation.blocks import Block, Source, Try
from faceforge.augmentation.edit import Wish
from faceforge.augmentation.gates import Gatekeeper, Seen
from faceforge.augmentation.plan import Place, Plan
from faceforge.augmentation.report import Report
from faceforge.augmentation.rows import row
from faceforge.editor import Editor
from faceforge.errors import BadPicture
from faceforge.io.depth import Pixels
from faceforge.io.pictures import Picture
from faceforge.jobs import Job
from faceforge.result import Result
from faceforge.spec import EditSpec

_TOGETHER = 4  # sources at a time: as many photographs as a reader remembers, so that no attempt reads one again


@dataclass(frozen=True, eq=False)
class Made:
    """One picture of the output: its pixels, its labels, and where it came from; an unedited one has no provenance."""

    trial: Try
    picture: Picture | Result
    row: dict[str, Any]
    provenance: dict[str, Any] | None

    @property
    def own(self) -> Pixels | None:
        return self.picture.own


class Maker:
    """One editor and one gatekeeper; what they make of a block depends on the block alone."""

    def __init__(self, plan: Plan, editor: Editor) -> None:
        self.plan, self.editor = plan, editor
        self.keeper = Gatekeeper(plan.gates)

    def make(self, block: Block, report: Report) -> Iterator[Made]:
        """The pictures of a block by source and variant; the report hears of everything else."""
        report.block, report.sources = block.number, len(block.sources)
        self.editor.clear()  # what earlier blocks left behind would let rounding depend on their order
        for first in range(0, len(block.sources), _TOGETHER):
            made = self._group(block.sources[first : first + _TOGETHER], report)
            for each in sorted(made, key=lambda each: each.trial.stem):
                report.count(each.row)
                yield each

    def _group(self, sources: Sequence[Source], report: Report) -> Iterator[Made]:
        opened = [(source, picture) for source in sources if (picture := _opened(source, report))]
        if self.plan.output.sources:
            yield from (self._unedited(source, picture) for source, picture in opened)
        trials = [
            self._try(source, picture, Place(source.number, variant))
            for source, picture in opened
            for variant in range(self.plan.variants)
        ]
        while trials:
            failed = []
            for trial, result in self._results(trials, report):
                seen = self.keeper.look(trial.picture.image, _image(result), trial.wish.spec.aus)
                if not seen.reasons:
                    yield self._made(trial, result, seen)
                    continue
                report.failed.update(seen.reasons)
                failed.append((trial, seen))
            trials = [again for trial, seen in failed if (again := self._again(trial, seen, report))]

    def _results(self, trials: Sequence[Try], report: Report) -> Iterator[tuple[Try, Result]]:
        """Every edit; where one source spoils the run, what is left of it is made source by source."""
        done = 0
        try:
            for trial, result in self._edited(trials):
                yield trial, result
                done += 1
            return
        except BadPicture:
            pass
        for source, own in groupby(trials[done:], key=lambda trial: trial.source):
            try:
                yield from self._edited(list(own))
            except BadPicture as reason:
                report.put_aside(source.item, reason)

    def _edited(self, trials: Sequence[Try]) -> Iterator[tuple[Try, Result]]:
        jobs = [Job(trial.picture, trial.wish.spec) for trial in trials]
        yield from zip(trials, self.editor.edit_many(jobs, batch_size=self.plan.batch), strict=True)

    def _try(self, source: Source, picture: Picture, place: Place) -> Try:
        item = source.item
        wish = self.plan.wish(item.key, item.labels, source.bins[place.variant], place)
        return Try(source, picture, wish, place)

    def _again(self, trial: Try, seen: Seen, report: Report) -> Try | None:
        """The next attempt, or none where there were enough."""
        assert trial.place is not None, "only variants are tried"
        place = replace(trial.place, attempt=trial.place.attempt + 1)
        if place.attempt < self.plan.gates.attempts:
            return self._try(trial.source, trial.picture, place)
        told = {"source": trial.source.item.key, "variant": place.variant, "reasons": list(seen.reasons)}
        report.rejected.append({**told, "spec": trial.wish.spec.to_json()})
        return None

    def _made(self, trial: Try, result: Result, seen: Seen) -> Made:
        labels = row(self.plan, trial, seen=seen, provenance=result.provenance, notes=result.notes)
        told = {name: labels[name] for name in ("source", "variant", "attempt", "measured", "identity")}
        return Made(trial, result, labels, {**result.provenance, "augmentation": told})

    def _unedited(self, source: Source, picture: Picture) -> Made:
        trial = Try(source, picture, Wish(EditSpec()))
        codes = self.keeper.judge.codes
        seen = (
            Seen(dict.fromkeys(codes, 0.0), identity=1.0, leakage=0.0)
            if self.plan.gates.measure
            else Seen(dict.fromkeys(codes))
        )
        return Made(trial, picture, row(self.plan, trial, seen=seen, provenance={}), None)


def _opened(source: Source, report: Report) -> Picture | None:
    try:
        return source.item.read()
    except BadPicture as reason:
        report.put_aside(source.item, reason)
        return None


def _image(result: Result) -> Any:
    assert result.image is not None, "an editor without pictures is refused"
    return result.image

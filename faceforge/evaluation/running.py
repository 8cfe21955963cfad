"""Making and judging every edit of a plan; what was seen is kept line by line, so that a killed run can go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from faceforge.editor import Editor
from faceforge.errors import NoFace
from faceforge.evaluation.observing import Observation, Observer
from faceforge.evaluation.subjects import Subject
from faceforge.evaluation.trials import Plan, Trial
from faceforge.io.journal import Journal
from faceforge.io.pictures import fit, write_picture
from faceforge.jobs import Job
from faceforge.mer.fidelity import plain
from faceforge.spec import EditSpec

OBSERVED = "observed.jsonl"
_EDITS = "pictures"


class Record:
    """The lines of a run in a folder: first what the run is, then one observation each."""

    def __init__(self, folder: Path, run: dict[str, Any]) -> None:
        self.folder = folder
        (folder / _EDITS).mkdir(parents=True, exist_ok=True)
        self._journal = Journal(folder / OBSERVED, run)
        self.seen = [Observation(**line) for line in self._journal.lines]

    def add(self, observation: Observation) -> None:
        self._journal.add(plain(asdict(observation)))
        self.seen.append(observation)


def run(
    editor: Editor,
    subjects: Sequence[Subject],
    plan: Plan,
    observer: Observer,
    record: Record,
    done: Callable[[int], None] = lambda _: None,
) -> None:
    """Every edit that is not in the record yet; `done` hears how many are."""
    known = {(each.face, Path(each.picture).stem) for each in record.seen}
    count = 0
    for subject in subjects:
        trials = list(plan.trials(subject))
        refused = (subject.name, subject.name) in known
        missing = [trial for trial in trials if not refused and (subject.name, _stem(subject, trial)) not in known]
        count += len(trials) - len(missing)
        done(count)
        if not missing:
            continue
        try:
            for observation in _observed(editor, subject, missing, plan, observer, record.folder):
                record.add(observation)
                count += 1
                done(count)
        except NoFace as error:
            record.add(_refused(subject, str(error)))


def _refused(subject: Subject, why: str) -> Observation:
    """What is recorded of a face that the editor itself does not find."""
    source = f"{_EDITS}/{subject.name}.png"
    return Observation(subject.name, subject.identity, {}, 0, source, source, dict(subject.groups), trouble=why)


def _observed(
    editor: Editor, subject: Subject, trials: list[Trial], plan: Plan, observer: Observer, folder: Path
) -> Iterator[Observation]:
    source = f"{_EDITS}/{subject.name}.png"
    write_picture(subject.picture.image, folder / source)
    jobs = [Job(subject.picture, EditSpec(aus=trial.requested, seed=trial.seed)) for trial in trials]
    strongest = max(map(abs, plan.doses))
    for trial, result in zip(trials, editor.edit_many(jobs), strict=True):
        assert result.image is not None, "an editor without pictures is refused"
        name = f"{_EDITS}/{_stem(subject, trial)}.png"
        write_picture(result.image, folder / name, result.provenance)
        closely = trial.seed == plan.seeds[0] and abs(trial.dose) == strongest
        yield Observation(
            face=subject.name,
            identity=subject.identity,
            requested=trial.requested,
            seed=trial.seed,
            picture=name,
            source=source,
            groups=dict(subject.groups),
            **observer.observe(fit(subject.picture.image, *result.image.size), result.image, closely=closely),
        )


def _stem(subject: Subject, trial: Trial) -> str:
    return f"{subject.name}_{trial.key}"


def about(editor: Editor, plan: Plan, subjects: Sequence[Subject], observer: Observer) -> dict[str, Any]:
    """What a run is, for its record and its report: two runs that agree in this are the same run."""
    from faceforge import __version__

    return {
        "faceforge": __version__,
        "editor": editor.name,
        "plan": {name: list(each) for name, each in asdict(plan).items()},
        "cut": plan.out_of_reach(subjects),
        "faces": [[each.name, each.picture.sha256] for each in subjects],
        **observer.about(),
    }

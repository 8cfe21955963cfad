"""A protocol run over clips by somebody who is not trained for it: answers clip by clip, then one score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import BadPicture, BadSpec
from faceforge.io.journal import Journal
from faceforge.mer.answering import Answerer
from faceforge.mer.corpora.clips import Clip
from faceforge.mer.corpora.emotions import CLASSES, COUNTS, class_of
from faceforge.mer.f1 import uf1_uar
from faceforge.mer.protocols import CD6ME, UNITS, Fold, LeakGuard, Rows, cd6me, loso, people, summary

Answers = Sequence[Sequence[float] | None]
Following = Callable[[Iterable[Clip]], Iterable[Clip]]


def folds_of(protocol: str, clips: Sequence[Clip], tested: Sequence[str] = ()) -> list[Fold]:
    """The folds of a protocol, with nobody on both sides; `tested` are the corpora that `holdout` keeps out."""
    corpora, subjects = [clip.corpus for clip in clips], [clip.subject for clip in clips]
    if protocol == "megc2019" and (strange := sorted(set(corpora) - set(COUNTS))):
        raise BadSpec(f"MEGC2019 is {', '.join(COUNTS)}; {', '.join(strange)} is not in it. Use loso.")
    if protocol == "holdout":
        folds = _held_out(corpora, tested)
    else:
        folds = cd6me(corpora) if protocol == "cd6me" else loso(corpora, subjects)
    guard = LeakGuard(people(corpora, subjects))
    for fold in folds:
        guard.check(fold, object())  # who answers was not trained on any of these rows
    return folds


def answers_of(clips: Sequence[Clip], answerer: Answerer, journal: Journal, following: Following = iter) -> Answers:
    """An answer to every clip, None where its pictures cannot be judged; those in the journal are not asked again."""
    known = {line["clip"]: line["answer"] for line in journal.lines}
    for clip in following(clips):
        if (name := key(clip)) not in known:
            line = {"clip": name} | _asked(answerer, clip)
            journal.add(line)
            known[name] = line["answer"]
    return [known[key(clip)] for clip in clips]


def key(clip: Clip) -> str:
    onset, apex = clip.pair
    return f"{clip.corpus}/{clip.subject}/{clip.name}/{onset.stem}-{apex.stem}"


def unit_score(clips: Sequence[Clip], folds: Sequence[Fold], answers: Answers) -> dict[str, Any]:
    """Binary F1 of the units of CD6ME, over all tested clips and by corpus, in percent."""
    truth = np.array([[unit in (clip.units or ()) for unit in UNITS] for clip in clips], int)
    logits = np.array([[-1.0] * len(UNITS) if each is None else each for each in answers])
    tested = np.sort(np.concatenate([fold.test for fold in folds]))
    by_corpus = _by_corpus(clips, tested)
    found = summary([Fold(name, tested[:0], rows) for name, rows in by_corpus.items()], truth, logits)
    return {
        "f1": found.kind,
        "units": dict(zip(UNITS, map(float, found.per_unit), strict=True)),
        "positives": dict(zip(UNITS, map(int, truth[tested].sum(0)), strict=True)),
        "corpora": dict(zip(by_corpus, map(float, found.per_dataset), strict=True)),
        "unit_average": found.unit_average,
        "corpus_average": found.dataset_average,
    }


def class_score(clips: Sequence[Clip], answers: Answers) -> dict[str, Any]:
    """UF1 and UAR of negative, positive and surprise, pooled over all clips and within each corpus."""
    truth = np.array([class_of(clip) for clip in clips])
    found = np.array([-1 if each is None else int(np.argmax(each)) for each in answers])
    if (found < 0).any():
        raise BadPicture(f"{int((found < 0).sum())} clips have no answer; UF1 and UAR are of all of them.")
    rows = {"all": np.arange(len(clips)), **_by_corpus(clips, np.arange(len(clips)))}
    scores = {name: uf1_uar(truth[each], found[each]) for name, each in rows.items()}
    return {
        "classes": list(CLASSES),
        "confusion": [[int(((truth == is_) & (found == says)).sum()) for says in range(3)] for is_ in range(3)],
        "scores": {name: {"uf1": uf1, "uar": uar, "clips": len(rows[name])} for name, (uf1, uar) in scores.items()},
    }


def table(score: Mapping[str, Any]) -> str:
    """A score as Markdown."""
    if "scores" in score:
        lines = ["| | clips | UF1 | UAR |", "|---|---|---|---|"]
        lines += [f"| {name} | {s['clips']} | {s['uf1']:.4f} | {s['uar']:.4f} |" for name, s in score["scores"].items()]
        return "\n".join(lines)
    lines = ["| unit | clips with it | F1 |", "|---|---|---|"]
    lines += [f"| {unit} | {score['positives'][unit]} | {value:.1f} |" for unit, value in score["units"].items()]
    lines += [f"| **average over units** | | **{score['unit_average']:.1f}** |", "", "| corpus | F1 |", "|---|---|"]
    lines += [f"| {name} | {value:.1f} |" for name, value in score["corpora"].items()]
    return "\n".join([*lines, f"| **average over corpora** | **{score['corpus_average']:.1f}** |"])


def _asked(answerer: Answerer, clip: Clip) -> dict[str, Any]:
    try:
        return {"answer": answerer.answer(clip)}
    except BadPicture as reason:
        return {"answer": None, "trouble": str(reason)}


def _held_out(corpora: Sequence[str], tested: Sequence[str]) -> list[Fold]:
    there = list(dict.fromkeys(corpora))
    if not tested or not set(tested) < set(there):
        raise BadSpec(f"holdout tests some of {', '.join(there)} and keeps others; name those to test with --test.")
    train = np.flatnonzero([corpus not in tested for corpus in corpora])
    return [Fold(name, train, np.flatnonzero([corpus == name for corpus in corpora])) for name in tested]


def _by_corpus(clips: Sequence[Clip], rows: Rows) -> dict[str, NDArray[np.intp]]:
    """Rows of each corpus, in the order of CD6ME where they are in it."""
    there = dict.fromkeys(clips[row].corpus for row in rows)
    names = [name for name in CD6ME if name in there] + [name for name in there if name not in CD6ME]
    return {name: np.array([row for row in rows if clips[row].corpus == name], np.intp) for name in names}


def score_of(
    protocol: str, clips: Sequence[Clip], answerer: Answerer, folder: Path, run: Mapping[str, Any], following: Following
) -> dict[str, Any]:
    """Everything about one examination; answers are kept in the folder as they come."""
    folds = folds_of(protocol, clips, run.get("tested", ()))
    answers = answers_of(clips, answerer, Journal(folder / "answers.jsonl", run), following)
    by_class = answerer.codes == CLASSES
    return {
        **run,
        "clips": len(clips),
        "folds": len(folds),
        "without_answer": [key(clip) for clip, each in zip(clips, answers, strict=True) if each is None],
        **(class_score(clips, answers) if by_class else unit_score(clips, folds, answers)),
    }

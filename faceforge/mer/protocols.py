"""Who is trained on and who is tested: folds, the guard against leaks, and the two summaries of CD6ME."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceforge.errors import BadSpec, Leak
from faceforge.mer.f1 import Numbers, f1

CD6ME = ("casme", "casme2", "samm", "fourd", "mmew", "casme3a")  # in the order of the benchmark
UNITS = tuple(f"AU{unit}" for unit in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17))
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """What is left out, the rows to train on and the rows to test."""

    left_out: Hashable
    train: Rows
    test: Rows


def leave_out(groups: Sequence[Hashable]) -> list[Fold]:
    """One fold for every group, in the order in which they occur; `groups` names that of every row."""
    names = list(dict.fromkeys(groups))
    if len(names) < 2:
        raise BadSpec(f"Leaving one out needs two groups or more; there is only {names}.")
    inside = {name: np.array([group == name for group in groups]) for name in names}
    return [Fold(name, np.flatnonzero(~inside[name]), np.flatnonzero(inside[name])) for name in names]


def cd6me(datasets: Sequence[str]) -> list[Fold]:
    """Leave one dataset out; all six have to be there, since the summaries are over six."""
    if set(datasets) != set(CD6ME):
        absent, unknown = sorted(set(CD6ME) - set(datasets)), sorted(set(datasets) - set(CD6ME))
        raise BadSpec(f"CD6ME is {', '.join(CD6ME)}: missing {absent}, not among them {unknown}.")
    return sorted(leave_out(datasets), key=lambda fold: CD6ME.index(str(fold.left_out)))


def loso(datasets: Sequence[str], subjects: Sequence[str]) -> list[Fold]:
    """Leave one subject out. A subject is a dataset and a name: the same names occur in several datasets."""
    return leave_out(people(datasets, subjects))


def people(datasets: Sequence[str], subjects: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(datasets, subjects, strict=True))


@dataclass
class LeakGuard:
    """Watches a run of folds over rows of these people, and stops it at the first leak."""

    people: Sequence[Hashable]
    _networks: list[Any] = field(default_factory=list)

    def check(self, fold: Fold, network: Any) -> None:
        """Before a fold is trained: no row and nobody on both sides, and a network no other fold has had."""
        for rows in (fold.train, fold.test):
            if not len(rows) or rows.min() < 0 or rows.max() >= len(self.people) or len(set(rows)) < len(rows):
                raise Leak(f"Rows of fold {fold.left_out!r} must be some of 0 to {len(self.people) - 1}, each once.")
        both = {self.people[row] for row in fold.train} & {self.people[row] for row in fold.test}
        if both:
            raise Leak(f"Fold {fold.left_out!r} trains on and tests {sorted(map(str, both))}. Split by person.")
        if any(network is other for other in self._networks):
            raise Leak(f"Fold {fold.left_out!r} goes on with the network of another fold. Make a new one.")
        self._networks.append(network)

    def pooled(self, folds: Sequence[Fold], answers: Sequence[ArrayLike]) -> Numbers:
        """Answers of all folds in the order of the rows, whatever the order of the folds: (N, ...)."""
        tested = np.concatenate([fold.test for fold in folds])
        if sorted(tested) != list(range(len(self.people))):
            raise Leak(f"{len(tested)} tested rows for {len(self.people)} rows: each must be tested exactly once.")
        stacked = np.concatenate([np.asarray(each, float) for each in answers])
        sizes = [(len(fold.test), len(np.asarray(each))) for fold, each in zip(folds, answers, strict=True)]
        if any(rows != given for rows, given in sizes):
            raise Leak(f"Tested rows and answers per fold differ: {sizes}.")
        in_order = np.empty_like(stacked)
        in_order[tested] = stacked
        return in_order


@dataclass(frozen=True)
class Summary:
    """Both summaries of one run in percent, of one kind of F1; never compare kinds."""

    kind: str
    per_unit: Numbers  # over all clips, (K,)
    per_dataset: Numbers  # mean over units within each fold, (folds,)

    @property
    def unit_average(self) -> float:
        return float(self.per_unit.mean())

    @property
    def dataset_average(self) -> float:
        return float(self.per_dataset.mean())

    def __str__(self) -> str:
        return f"{self.kind} F1: {self.unit_average:.1f} over units, {self.dataset_average:.1f} over datasets"


def summary(folds: Sequence[Fold], truth: ArrayLike, logits: ArrayLike, kind: str = "binary") -> Summary:
    """Scores of logits (N, K) of tested rows against 0/1 truth: present is what has a logit above 0, not at 0."""
    truth, present = np.asarray(truth), np.asarray(logits) > 0
    within = [f1(truth[fold.test], present[fold.test], kind).mean() for fold in folds]
    tested = np.concatenate([fold.test for fold in folds])
    return Summary(kind, 100 * f1(truth[tested], present[tested], kind), 100 * np.array(within))

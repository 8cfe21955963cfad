"""Scores of classes, with the kinds of F1 kept apart: the same predictions differ by 30 points between kinds."""

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceforge.errors import BadSpec, nearest

Numbers = NDArray[np.float64]

KINDS: dict[str, Callable[[Numbers, Numbers, Numbers], Any]] = {
    "binary": lambda each, support, right: np.nan_to_num(each[..., -1]),  # of what is present; undefined is 0
    "macro": lambda each, support, right: np.nanmean(each, -1),  # of the classes that occur on either side
    "weighted": lambda each, support, right: (np.nan_to_num(each) * support).sum(-1) / support.sum(-1),
    "micro": lambda each, support, right: right.sum(-1) / support.sum(-1),  # the share that is right
}


def f1(truth: ArrayLike, found: ArrayLike, kind: str = "binary", classes: int = 2) -> Numbers:
    """F1 of classes 0, 1, ... (N,) or, column by column, (N, K); `found` of an action unit is `logits > 0`."""
    if kind not in KINDS:
        raise BadSpec(f"No F1 is called {kind!r}. {nearest(kind, KINDS)}")
    if kind == "binary" and classes != 2:
        raise BadSpec(f"Binary F1 is for what is present or absent, not for {classes} classes. Ask for 'macro'.")
    right, support, named = _counts(truth, found, classes)
    return np.asarray(KINDS[kind](_share(2 * right, support + named), support, right))


def uf1_uar(
    truth: ArrayLike, found: ArrayLike, classes: int = 3, absent: Literal["zero", "refuse", "published"] = "zero"
) -> tuple[float, float]:
    """Unweighted F1 and unweighted recall of predictions (N,) pooled over all folds.

    A class without a single clip counts 0 in both, with a warning, or is refused. The published helper leaves it out
    of F1 and of recall where nobody named it either, and else has no recall at all (NaN).
    """
    right, support, named = _counts(truth, found, classes)
    fscore, recall = _share(2 * right, support + named), _share(right, support)
    missing = [int(each) for each in np.flatnonzero(support == 0)]
    if absent == "published":
        occurs = support + named > 0
        return float(fscore[occurs].mean()), float(recall[occurs].mean())
    if missing and absent == "refuse":
        raise BadSpec(f"No clip has class {missing}: F1 and recall over {classes} classes say nothing. Pool the folds.")
    if missing:
        warnings.warn(f"No clip has class {missing}; it counts as 0.", stacklevel=2)
    return float(np.nan_to_num(fscore).mean()), float(np.nan_to_num(recall).mean())


def auc(truth: ArrayLike, logits: ArrayLike) -> Numbers:
    """How often a clip with the unit scores above one without, ties half: (N, K) to (K,), 0.5 without a pair."""
    columns = zip(np.asarray(truth).T, np.asarray(logits).T, strict=True)
    return np.array([_auc(each, scores) for each, scores in columns])


def _auc(truth: NDArray[Any], scores: NDArray[Any]) -> float:
    apart = scores[truth == 1][:, None] - scores[truth == 0][None]
    return float((np.sign(apart).mean() + 1) / 2) if apart.size else 0.5


def _counts(truth: ArrayLike, found: ArrayLike, classes: int) -> tuple[Numbers, Numbers, Numbers]:
    """Clips that are right, that are, and that are named, of every class: (..., classes)."""
    truth, found = np.asarray(truth, int), np.asarray(found, int)
    if truth.shape != found.shape or not len(truth):
        raise BadSpec(f"Truth {truth.shape} and predictions {found.shape} must be of the same clips, one at least.")
    for name, values in (("truth", truth), ("predictions", found)):
        if values.min() < 0 or values.max() >= classes:
            raise BadSpec(f"Classes are 0 to {classes - 1}; {name} holds {values.min()} to {values.max()}.")
    is_, says = (values[..., None] == np.arange(classes) for values in (truth, found))
    right, support, named = ((is_ & says).sum(0), is_.sum(0), says.sum(0))
    return right.astype(float), support.astype(float), named.astype(float)


def _share(part: Numbers, whole: Numbers) -> Numbers:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)

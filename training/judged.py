"""How trained judges do on people they never saw: the figures that their files carry and the documentation shows.

Pictures are as they were drawn, landmarks off by what the embedded finder is off by.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceforge.mer.identity import IdentityBackend
from faceforge_training.people import HELD_OUT, SESSIONS, SHOTS, SIZE, People, people

Table = NDArray[np.float64]
Couple = tuple[int, int]
Delta = Callable[[NDArray[np.uint8], NDArray[np.uint8], Table, Table], Table]

_STARTS = [sum(SESSIONS[:number]) for number in range(len(SESSIONS))]
_SHOTS = [range(start, start + count) for start, count in zip(_STARTS, SESSIONS, strict=True)]
ALIGNED: Sequence[Couple] = [pair for shots in _SHOTS for pair in combinations(shots, 2)]
DRIFTED: Sequence[Couple] = [pair for one, other in combinations(_SHOTS, 2) for pair in product(one[:2], other[:1])]
_TOGETHER, _EACH = 0.02, 0.03  # eye distances: how far landmarks are off as a whole, and on their own


@dataclass(frozen=True)
class Figures:
    """Agreement of what was read with what was true, for each unit (K,)."""

    pcc: Table
    icc: Table
    mae: Table


def held_out(folder: Path, count: int, *, size: int = SIZE) -> People:
    """People whom no judge has seen."""
    return people(folder, count, HELD_OUT.start, size=size)


def read(delta: Delta, known: People, couples: Sequence[Couple]) -> tuple[Table, Table]:
    """What a judge says of couples of everybody's shots, and what is true, both (N, K)."""
    random = np.random.default_rng(0)
    found, true = [], []
    for start in range(0, len(known) * SHOTS, SHOTS):
        for one, other in couples:
            first, second = start + one, start + other
            off = _off(random)
            points = marked(known, first, off, random)
            aligned = any(one in shots and other in shots for shots in _SHOTS)
            found.append(
                delta(
                    picture(known, first),
                    picture(known, second),
                    points,
                    points if aligned else marked(known, second, off, random),
                )
            )
            true.append((known.aus[second] - known.aus[first]).numpy().astype(np.float64))
    return np.array(found, np.float64), np.array(true)


def picture(known: People, index: int) -> NDArray[np.uint8]:
    """A shot's colours (H, W, 3)."""
    return known.portraits.pictures[index].permute(1, 2, 0).numpy()


def marked(known: People, index: int, off: Table, random: np.random.Generator) -> Table:
    """A shot's 68 landmarks as a finder would mark them."""
    points = known.portraits.points[index, :68].double().numpy()
    eye = np.hypot(*(points[42:48].mean(0) - points[36:42].mean(0)))
    moved: Table = points + eye * (off + _EACH * random.standard_normal((68, 2)))
    return moved


def _off(random: np.random.Generator) -> Table:
    return _TOGETHER * random.standard_normal(2)


def agreement(found: Table, true: Table) -> Figures:
    """Of changes (N, K)."""
    units = list(zip(found.T, true.T, strict=True))
    return Figures(
        pcc=np.array([np.corrcoef(one, other)[0, 1] for one, other in units]),
        icc=np.array([consistency(one, other) for one, other in units]),
        mae=np.abs(found - true).mean(0),
    )


def consistency(one: Table, other: Table) -> float:
    """ICC(3,1) of two raters (N,)."""
    both = np.stack([one, other], 1)
    rows, raters = both.mean(1, keepdims=True), both.mean(0, keepdims=True)
    between = 2 * ((rows - both.mean()) ** 2).sum()
    within = ((both - rows - raters + both.mean()) ** 2).sum()
    return float((between - within) / (between + within))


def equal_error(backend: IdentityBackend, known: People) -> float:
    """The share of pairs that is wrong where both kinds of error are equal; nobody meets the session they are from."""
    random = np.random.default_rng(0)
    total = len(known) * SHOTS
    vectors = np.stack([backend.embed(picture(known, n), marked(known, n, _off(random), random)) for n in range(total)])
    whose, session = np.arange(total) // SHOTS, np.repeat(np.arange(len(SESSIONS)), SESSIONS)[np.arange(total) % SHOTS]
    cosines = vectors @ vectors.T
    same = cosines[(whose[:, None] == whose) & (session[:, None] < session)]
    others = cosines[whose[:, None] < whose]
    return crossing(same, others)


def crossing(same: Table, others: Table) -> float:
    """Where as many of the same are below a threshold as others are above it, as a share of each."""
    thresholds = np.sort(same)
    missed = np.arange(len(same)) / len(same)
    taken = 1 - np.searchsorted(np.sort(others), thresholds) / len(others)
    place = int(np.argmin(np.abs(missed - taken)))
    return float((missed[place] + taken[place]) / 2)

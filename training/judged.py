"""How trained judges do on people they never saw: the figures that their files carry and the documentation shows.

Pictures are as they were drawn, and the embedded finder finds the faces in them, as it does for users.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np
from PIL import Image

from faceforge.errors import NoFace
from faceforge.mer.agreement import Numbers, icc, mae, pcc
from faceforge.mer.judges import Judge
from faceforge.mer.looking import looker
from faceforge.mer.preservation import Embedding
from faceforge_training.people import HELD_OUT, SESSIONS, SHOTS, SIZE, UNITS, People, people

Couple = tuple[int, int]

_STARTS = [sum(SESSIONS[:number]) for number in range(len(SESSIONS))]
_SHOTS = [range(start, start + count) for start, count in zip(_STARTS, SESSIONS, strict=True)]
ALIGNED: Sequence[Couple] = [pair for shots in _SHOTS for pair in combinations(shots, 2)]
DRIFTED: Sequence[Couple] = [pair for one, other in combinations(_SHOTS, 2) for pair in product(one[:2], other[:1])]


@dataclass(frozen=True)
class Agreement:
    """What a judge said of N couples, and what is true, (N, K) each."""

    found: Numbers
    true: Numbers

    @classmethod
    def joined(cls, some: Sequence["Agreement"]) -> "Agreement":
        return cls(np.concatenate([each.found for each in some]), np.concatenate([each.true for each in some]))

    @property
    def icc(self) -> Numbers:
        return icc(self.true, self.found)

    @property
    def pcc(self) -> Numbers:
        return pcc(self.true, self.found)

    @property
    def mae(self) -> Numbers:
        return mae(self.true, self.found)


def held_out(folder: Path, count: int, *, size: int = SIZE) -> People:
    """People whom no judge has seen."""
    return people(folder, count, HELD_OUT.start, size=size)


def agreement(judge: Judge, known: People, couples: Sequence[Couple]) -> Agreement:
    """What a judge says of couples of everybody's shots; those with a face that nobody finds are left out."""
    found, true = [], []
    for person in known:
        for first, second in couples:
            try:
                found.append(list(judge.delta(photograph(person, first), photograph(person, second))))
            except NoFace:
                continue
            true.append((person.aus[second] - person.aus[first]).tolist())
    return Agreement(np.array(found).reshape(-1, len(UNITS)), np.array(true).reshape(-1, len(UNITS)))


def photograph(known: People, index: int) -> Image.Image:
    """A shot as a picture."""
    return Image.fromarray(known.portraits.pictures[index].permute(1, 2, 0).numpy())


def directions(by: Embedding, known: People) -> Numbers:
    """Where an embedding sees everybody, (P, SHOTS, D); NaN where nobody finds a face."""

    def direction(person: People, shot: int) -> Numbers:
        try:
            seen = looker().look(photograph(person, shot))
        except NoFace:
            return np.array([np.nan])
        return by.embed(seen.pixels, seen.face).astype(np.float64)

    rows = [[direction(person, shot) for shot in range(SHOTS)] for person in known]
    longest = max(len(each) for row in rows for each in row)
    return np.array([[np.broadcast_to(each, longest) for each in row] for row in rows])


def equal_error(vectors: Numbers) -> float:
    """The share of pairs that is taken wrongly where both kinds of error are equal, of directions (P, SHOTS, D).

    People meet themselves in other sessions only, and others in any.
    """
    whose, shot = np.divmod(np.arange(len(vectors) * SHOTS), SHOTS)
    session = np.repeat(np.arange(len(SESSIONS)), SESSIONS)[shot]
    flat = vectors.reshape(len(whose), -1)
    cosines = flat @ flat.T
    known, alike = ~np.isnan(cosines), whose[:, None] == whose
    same = cosines[known & alike & (session[:, None] < session)]
    return crossing(same, cosines[known & (whose[:, None] < whose)])


def crossing(same: Numbers, others: Numbers) -> float:
    """Where as many of the same are below a threshold as others are above it, as a share of each."""
    thresholds = np.sort(same)
    missed = np.arange(len(same)) / len(same)
    taken = 1 - np.searchsorted(np.sort(others), thresholds) / len(others)
    place = int(np.argmin(np.abs(missed - taken)))
    return float((missed[place] + taken[place]) / 2)

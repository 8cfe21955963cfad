"""Judged edits as plain arrays."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceforge.mer.agreement import Numbers


@dataclass(frozen=True, eq=False)
class Edits:
    """N judged edits of K units: what was asked and what was seen; NaN where a judge could not see."""

    codes: tuple[str, ...]
    requested: Numbers  # (N, K)
    detected: Numbers  # (N, K)
    identities: Sequence[str]  # (N,) whose face
    faces: Sequence[Hashable]  # (N,) which picture of it
    seeds: Sequence[int]  # (N,)
    tau: Numbers  # (K,) the change from which a unit counts as moved
    comparable: Numbers | None = None  # (N, K) detections in the units of requests, where a judge has units of its own

    @property
    def asked(self) -> NDArray[np.bool_]:
        """(K,): the units that some edit asks for; means over units are means over these."""
        return np.asarray((self.requested != 0).any(0))

    def take(self, rows: NDArray[np.intp]) -> Edits:
        """Some of the edits, in this order, repeats included."""
        return replace(
            self,
            requested=self.requested[rows],
            detected=self.detected[rows],
            comparable=None if self.comparable is None else self.comparable[rows],
            identities=[self.identities[row] for row in rows],
            faces=[self.faces[row] for row in rows],
            seeds=[self.seeds[row] for row in rows],
        )

    def __len__(self) -> int:
        return len(self.requested)

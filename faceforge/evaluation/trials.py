"""What is asked of an editor: every face, unit, dose and seed, as far as a face can show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from faceforge import aus
from faceforge.errors import BadSpec
from faceforge.evaluation.subjects import Subject
from faceforge.mer.calibration import within_reach


@dataclass(frozen=True)
class Trial:
    """One edit to make: a dose of one unit, or nothing at all."""

    au: str  # empty for an edit of nothing
    dose: float
    seed: int

    @property
    def requested(self) -> dict[str, float]:
        return {self.au: self.dose} if self.au else {}

    @property
    def key(self) -> str:
        """What tells trials of one face apart."""
        return f"{self.au or 'nothing'}_{self.dose:+g}_{self.seed}"


@dataclass(frozen=True)
class Plan:
    """Units x doses x seeds, for every face."""

    units: tuple[str, ...] = aus.ORDERS["disfa12"]
    doses: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0)
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        codes = [aus.parse(code) for code in self.units]
        if not codes or len(set(codes)) < len(codes) or any(aus.unsided(code) != code for code in codes):
            raise BadSpec(f"Units {', '.join(self.units)!r} cannot be evaluated. Name each once, without a side.")
        if not any(self.doses) or not self.seeds or min(self.seeds) < 0:
            raise BadSpec("An evaluation needs a dose that is not 0 and seeds from 0 on. Give --doses 1:4:1 --seeds 1.")
        aus.checked({"AU1": max(self.doses, key=abs)})
        object.__setattr__(self, "units", tuple(codes))

    def trials(self, subject: Subject) -> Iterator[Trial]:
        """The edit of nothing first, then every dose within reach of the face, each once."""
        for seed in self.seeds:
            yield Trial("", 0.0, seed)
            for code in self.units:
                seen: set[float] = {0.0}
                for dose in sorted(self.doses):
                    wanted = self._reached(subject, code, dose)
                    if wanted not in seen:
                        seen.add(wanted)
                        yield Trial(code, wanted, seed)

    def out_of_reach(self, subjects: Iterable[Subject]) -> int:
        """How many doses some face cannot show in full."""
        return sum(
            self._reached(subject, code, dose) != dose
            for subject in subjects
            for code in self.units
            for dose in self.doses
        ) * len(self.seeds)

    def _reached(self, subject: Subject, code: str, dose: float) -> float:
        present = np.nan if subject.present is None else subject.present.get(code, 0.0)
        return float(within_reach(np.array([[dose]]), np.array([[present]]))[0][0, 0])

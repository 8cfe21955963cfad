"""What a reader finds in a corpus: clips that can be used, rows that were repaired, and everything that is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Clip:
    """One expression of one person, from onset to offset."""

    corpus: str
    subject: str
    name: str
    frames: tuple[Path, ...]  # in order; of a flow corpus the one picture of u, v and strain
    apex: int = 0  # index of the frame where the expression is strongest
    units: tuple[str, ...] | None = None  # action units that occur; None where nobody coded them
    emotion: str = ""  # as `emotions.emotion_of` calls it
    objective: str = ""  # the class by action units alone, where the owners give it
    intensities: Mapping[str, float] = field(
        default_factory=dict, hash=False
    )  # by how much units grow until the apex, FACS 0..5

    @property
    def pair(self) -> tuple[Path, Path]:
        """The pictures of onset and apex."""
        return self.frames[0], self.frames[self.apex]


@dataclass(frozen=True)
class Repair:
    """One cell of the owners' table that was not taken as it stands."""

    row: int  # of the table, the first below its header is 0
    clip: str
    column: str
    was: str
    now: str
    why: str


@dataclass(frozen=True)
class Finding:
    """Something that is missing or inconsistent; an error: a clip is lost, or is where it must not be."""

    kind: str
    where: str
    what: str
    error: bool = True


@dataclass(frozen=True)
class Reading:
    """Everything that was found in one corpus."""

    corpus: str
    clips: tuple[Clip, ...]
    labels: Path | None = None  # the table
    root: Path | None = None  # the folder that the clips lie in
    rows: int = 0  # of the table
    repairs: tuple[Repair, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.error)

    def kinds(self) -> Iterator[tuple[str, list[Finding]]]:
        """Findings by kind, in the order in which kinds first occur."""
        for kind in dict.fromkeys(each.kind for each in self.findings):
            yield kind, [each for each in self.findings if each.kind == kind]

    def without(self, clips: set[Clip], findings: tuple[Finding, ...]) -> Reading:
        """The same with some clips left out, and the reasons."""
        kept = tuple(each for each in self.clips if each not in clips)
        return replace(self, clips=kept, findings=self.findings + findings)

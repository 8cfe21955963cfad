"""One edit as judges saw it, and what it kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from PIL import Image

from faceforge.errors import NoFace
from faceforge.face3d.fitted import HeadFit
from faceforge.face3d.fitting import fit
from faceforge.mer.judges import Judge
from faceforge.mer.looking import Looker, Seen, looker
from faceforge.mer.preservation import Embedding, drifted, identity, pose_and_light, surroundings


@dataclass(frozen=True)
class Observation:
    """One edit, as plain numbers; `detected` and `kept` are empty where no face was found."""

    face: str
    identity: str
    requested: Mapping[str, float]
    seed: int
    picture: str  # file of the edit, in the folder of the report
    source: str  # and of the picture it was made from
    groups: Mapping[str, str] = field(default_factory=dict)
    detected: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)  # by judge
    kept: Mapping[str, float | None] = field(default_factory=dict)
    drift: bool = False
    trouble: str = ""  # why there is nothing to see


@dataclass
class Observer:
    """Judges and measures that look at one pair after the other; what is read in a source is read once."""

    judges: Sequence[Judge]
    embedding: Embedding | None = None
    looker: Looker = field(default_factory=looker)
    _last: tuple[Image.Image, HeadFit] | None = None

    def about(self) -> dict[str, Any]:
        """Who looks, as a report says it."""
        who, names = self.embedding, ("name", "weights", "equal_error_rate")
        return {
            "judges": [asdict(judge.facts) for judge in self.judges],
            "embedding": None if who is None else {name: getattr(who, name) for name in names},
        }

    def observe(self, source: Image.Image, edited: Image.Image, *, closely: bool) -> dict[str, Any]:
        """The fields of an Observation that looking fills; `closely` fits a head to both, for pose and light."""
        try:
            before, after = self.looker.pair(source, edited)
            drift = drifted(before.face, after.face)
            detected = {
                judge.facts.name: dict(zip(judge.codes, map(float, judge.delta(source, edited)), strict=True))
                for judge in self.judges
                if not (drift and judge.facts.flow)
            }
        except NoFace as error:
            return {"trouble": str(error)}
        kept = surroundings(before, after)
        if self.embedding is not None:
            kept["identity"] = identity(before, after, self.embedding)
        if closely:
            kept |= pose_and_light(self._fitted(before), fit(after.pixels, after.face))
        return {"detected": detected, "kept": kept, "drift": drift}

    def _fitted(self, source: Seen) -> HeadFit:
        if self._last is None or self._last[0] is not source.image:
            self._last = (source.image, fit(source.pixels, source.face))
        return self._last[1]

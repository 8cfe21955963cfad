"""What is seen of a variant, and whether that is good enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from faceforge import aus
from faceforge.augmentation.plan import Gates
from faceforge.errors import NoFace
from faceforge.io.pictures import fit
from faceforge.mer.collateral import collateral
from faceforge.mer.edits import Edits
from faceforge.mer.judges import judge
from faceforge.mer.looking import looker
from faceforge.mer.preservation import embedding, identity

POSE = ("yaw_deg", "pitch_deg", "roll_deg")


@dataclass(frozen=True)
class Seen:
    """One variant as the judge and the embedding see it; None where nobody looked or nothing can be said."""

    measured: Mapping[str, float | None] = field(default_factory=dict)  # change of every unit that the judge reads
    identity: float | None = None  # cosine with the source
    fidelity: float | None = None  # 1 less the error over the units asked for, as a share of what was asked
    leakage: float | None = None  # mean change of units that nobody asked for and anatomy does not move along
    pose: Mapping[str, float | None] = field(default_factory=lambda: dict.fromkeys(POSE))  # of the edited face
    reasons: tuple[str, ...] = ()  # why it does not pass, by the name of the gate


class Gatekeeper:
    """Looks at variants with one judge and one embedding, and compares them with the plan's gates."""

    def __init__(self, gates: Gates) -> None:
        self.gates = gates
        self.judge = judge(gates.judge)
        self.embedding = embedding(gates.embedding)

    def look(self, source: Image.Image, edited: Image.Image, requested: Mapping[str, float]) -> Seen:
        """What is seen of an edit; nothing where the plan measures nothing."""
        unseen = dict.fromkeys(self.judge.codes)
        if not self.gates.measure:
            return Seen(unseen)
        fitted = fit(source, *edited.size)
        try:
            before, after = looker().pair(fitted, edited)
            found = np.array(self.judge.delta(fitted, edited), dtype=float)
        except NoFace:
            return Seen(unseen, reasons=("face",))
        asked = np.array([whole_units(requested).get(code, 0.0) for code in self.judge.codes])
        seen = Seen(
            measured=dict(zip(self.judge.codes, map(_rounded, found.tolist()), strict=True)),
            identity=_rounded(identity(before, after, self.embedding)),
            fidelity=_fidelity(asked, found),
            leakage=self._leakage(asked, found),
            pose={name: _rounded(float(getattr(after.face, name))) for name in POSE},
        )
        return Seen(**{**vars(seen), "reasons": tuple(self._reasons(seen))})

    def _reasons(self, seen: Seen) -> list[str]:
        """The gates that stay shut; where nothing can be said, nothing is held against a variant."""
        gates = self.gates
        too_low = {
            "identity": _below(seen.identity, gates.identity),
            "fidelity": _below(seen.fidelity, gates.fidelity),
            "leakage": _below(gates.leakage, seen.leakage),
        }
        return [name for name, shut in too_low.items() if shut]

    def _leakage(self, asked: np.ndarray, found: np.ndarray) -> float | None:
        edits = Edits(
            codes=tuple(self.judge.codes),
            requested=asked[None],
            detected=found[None],
            identities=[""],
            faces=[0],
            seeds=[0],
            tau=np.full(len(asked), self.judge.facts.least),
        )
        return _rounded(collateral(edits, soft=True)["abs_change_off"])


def _below(value: float | None, least: float | None) -> bool:
    return value is not None and least is not None and value < least


def whole_units(requested: Mapping[str, float]) -> dict[str, float]:
    """A request by unit: what only one half of the face is asked for counts half.

    >>> whole_units({"AU12L": 2.0, "AU4": 1.0})
    {'AU12': 1.0, 'AU4': 1.0}
    """
    found: dict[str, float] = {}
    for code, value in requested.items():
        unit = aus.unsided(code)
        found[unit] = found.get(unit, 0.0) + (value if unit == code else value / 2)
    return found


def _fidelity(asked: np.ndarray, found: np.ndarray) -> float | None:
    on = asked != 0
    amount = float(np.abs(asked).sum())
    return _rounded(1 - float(np.abs(asked - found)[on].sum()) / amount) if amount else None


def _rounded(value: float) -> float | None:
    """Four digits, so that a label does not tell one machine from another; None for what is undefined."""
    return None if np.isnan(value) else round(value, 4)

"""People at rest, and what each unit does to their skin: computed once, posed often. Centimetres."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from faceforge.aus import unsided
from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.expression import CORRECTIVES, FIELDS, Face, side_weights
from faceforge.face3d.embedded.form import Form, Landmarks
from faceforge.face3d.embedded.grid import COLUMN, HALF, ROW, ROWS
from faceforge.face3d.embedded.places import TMJ
from faceforge.face3d.embedded.traits import Traits


@dataclass(frozen=True)
class Person:
    """Identities at rest: what is worth computing once and posing often."""

    traits: Traits
    form: Form

    @cached_property
    def fields(self) -> dict[str, Tensor]:
        """Displacements (B, ROWS, COLUMNS, 3) by sided unit, and by pair for correctives."""
        return {}

    def chosen(self, index: Tensor) -> "Person":
        """The people at an index (N,), repeats allowed."""
        at = Landmarks(*(each[index] for each in vars(self.form.at).values()))
        return Person(Traits(self.traits.values[index]), Form(self.form.skin[index], at))

    def field(self, code: str) -> Tensor:
        """The displacement of one sided unit at full intensity, kept once computed."""
        if code not in self.fields:
            whole = FIELDS[unsided(code)](Face(self.form.skin, self.form.at))
            left, right = side_weights(self.form)
            self.fields[unsided(code) + "L"], self.fields[unsided(code) + "R"] = whole * left, whole * right
        return self.fields[code]

    def corrective(self, pair: tuple[str, str]) -> Tensor:
        name = "+".join(pair)
        if name not in self.fields:
            self.fields[name] = CORRECTIVES[pair](Face(self.form.skin, self.form.at))
        return self.fields[name]

    @cached_property
    def lids(self) -> tuple[Tensor, Tensor]:
        """Closing the left and the right eye."""
        left, right = side_weights(self.form)
        whole = Face(self.form.skin, self.form.at).closing(0.93, 0.07)
        return whole * left, whole * right

    @cached_property
    def jaw_weight(self) -> Tensor:
        """How much the jaw carries each vertex of the skin, (B, ROWS, COLUMNS, 1)."""
        skin, at = self.form.skin, self.form.at
        x, y, z = skin[..., 0].abs(), skin[..., 1], skin[..., 2]
        below = torch.atan2(TMJ[1] - y, (z - TMJ[2]).clamp(min=0.05))
        corner = skin[:, ROW["seam_up"], HALF + COLUMN["mouth"]][:, None, None]
        line = torch.atan2(TMJ[1] - corner[..., 1], corner[..., 2] - TMJ[2])
        soft = math.radians(5) + math.radians(25) * smoothstep(at.mouth_half - 0.3, 5.6, x)
        by_angle = smoothstep(line - soft, line + soft, below)
        row = torch.arange(ROWS, dtype=x.dtype, device=skin.device)[None, :, None]
        lip = smoothstep(ROW["subnasal"] - 1.0, ROW["lip_up"] + 1.0, row)
        along = (x / at.mouth_half).clamp(max=1.0) ** 4
        edge = smoothstep(ROW["sulcus"] + 1.0, ROW["seam_low"], row)
        by_lip = torch.where(row >= ROW["seam_low"], 1 - 0.5 * along * edge, (0.04 + 0.46 * along) * lip)
        inside = smoothstep(at.mouth_half + 1.3, at.mouth_half - 0.1, x)
        weight = by_angle + (by_lip - by_angle) * inside * smoothstep(at.menton + 1.0, at.mouth_y - 2.5, y)
        fading = smoothstep(-0.5, 4.5, z) * smoothstep(ROW["throat"] + 3.0, ROW["menton"] + 0.5, row)
        return (weight * fading)[..., None]

"""How units add up: sums, what pairs do beyond them, and muscles that share one reach."""

import torch
from torch import Tensor

from faceforge.face3d.embedded.expression import CORRECTIVES, EXPRESSIONS
from faceforge.face3d.embedded.person import Person
from faceforge.face3d.head import HeadParams

# A mouth corner is in one place, however many units pull it, and so is the middle of each lip: how much of such a
# reach each unit takes at full intensity.
_REACHES = (
    {"AU12": 1.0, "AU14": 0.9, "AU15": 0.8, "AU18": 0.7, "AU20": 0.9, "AU22": 0.5, "AU23": 0.4, "AU24": 0.3,
     "AU28": 0.4, "AU33": 0.5},
    {"AU9": 0.8, "AU10": 1.0, "AU17": 0.7, "AU22": 0.6, "AU25": 0.2},
    {"AU16": 1.0, "AU22": 0.6, "AU25": 0.9, "AU18": 0.2},
)  # fmt: skip
_JAW = 0.45 / 0.38  # the share that an open jaw takes of each, per radian
_BEYOND = 0.25  # how far efforts together may reach beyond one alone


def moves(person: Person, params: HeadParams) -> list[tuple[Tensor, Tensor]]:
    """Coefficients (B,) and the displacements they scale, those at rest left out."""
    found = []
    if params.expression is not None:
        given = dict(zip(EXPRESSIONS, params.expression.double().unbind(-1), strict=True))
        given = _shared(given, params.jaw)
        used = {code for code, value in given.items() if bool((value != 0).any())}
        found += [(given[code], person.field(code)) for code in EXPRESSIONS if code in used]
        for pair in CORRECTIVES:
            a, b = (0.5 * (given[code + "L"] + given[code + "R"]) for code in pair)
            both = a.clamp(min=0) * b.clamp(min=0)
            if bool((both != 0).any()):
                found.append((both, person.corrective(pair)))
    lids = torch.zeros(1, 2, dtype=torch.float64, device=person.form.skin.device)
    lids = lids if params.eyelids is None else params.eyelids.double()
    if params.eyes is not None:  # the upper lid follows the gaze up and down
        lids = lids + (0.9 * params.eyes[..., 0].double()).clamp(-0.22, 0.6) * (1 - lids.clamp(0, 1))
    if bool((lids != 0).any()):
        found += list(zip(lids.unbind(-1), person.lids, strict=True))
    return found


def _shared(given: dict[str, Tensor], jaw: Tensor | None) -> dict[str, Tensor]:
    """Coefficients of units that pull at the same place, lessened where their sum would exceed its reach."""
    opened = torch.zeros(1) if jaw is None else _JAW * jaw[:, 0].clamp(min=0)
    shared = dict(given)
    for side in "LR":
        for reach in _REACHES:
            pulls = [share * given[unit + side].clamp(min=0) for unit, share in reach.items()]
            effort = opened.to(pulls[0]) + torch.stack(pulls).sum(0)
            over = (effort - 1).clamp(min=0)
            factor = (1 + _BEYOND * (1 - torch.exp(-over / _BEYOND))) / (1 + over)
            shared |= {unit + side: shared[unit + side] * factor for unit in reach}
    return shared

"""Spectacles: two rims with lenses, a bridge and temples, fitted to the nose and the ears."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from faceforge.face3d.embedded.grid import HALF, ROW, strip
from faceforge.face3d.embedded.model import Person as Bones
from faceforge.face3d.embedded.parts import ears
from faceforge.synth.person import Person

_AROUND = 28
_POINTS = 2 * 2 * _AROUND + 2 + 4 + 12  # rims, lens centres, bridge, temples

# Half width and height of a lens, thickness of the rim (cm), squareness, opacity of the lens
SHAPES = {
    "none": (2.3, 1.8, 0.10, 2.2, 0.0),
    "thin": (2.35, 1.65, 0.10, 2.6, 0.05),
    "thick": (2.50, 1.85, 0.30, 2.8, 0.05),
    "round": (2.15, 2.10, 0.14, 2.0, 0.05),
    "dark": (2.70, 2.10, 0.22, 2.4, 0.88),
}


@cache
def faces() -> Tensor:
    """Triangles of the frame and lenses (F, 3)."""
    found = []
    for eye in range(2):
        first = eye * 2 * _AROUND
        outer, inner = np.arange(_AROUND) + first, np.arange(_AROUND) + first + _AROUND
        outer, inner = np.append(outer, outer[0]), np.append(inner, inner[0])
        found.append(strip(outer, inner))
        centre = np.full(_AROUND + 1, 4 * _AROUND + eye)
        found.append(np.stack([inner[:-1], centre[:-1], inner[1:]], 1))
    rest = 4 * _AROUND + 2
    found.append(np.array([[rest, rest + 1, rest + 2], [rest, rest + 2, rest + 3]]))
    for temple in (rest + 4, rest + 10):
        found += [strip(np.array([at, at + 2]), np.array([at + 1, at + 3])) for at in (temple, temple + 2)]
    return torch.from_numpy(np.concatenate(found).astype(np.int64))


def solid() -> Tensor:
    """1 on the frame, 0 on the middle of the lenses, per point (N,)."""
    values = torch.ones(_POINTS)
    values[4 * _AROUND : 4 * _AROUND + 2] = 0
    return values


def points(people: Sequence[Person], bones: Bones) -> Tensor:
    """Where the glasses of each person sit at rest (B, N, 3), centimetres."""
    form = bones.form
    like, at = form.skin, form.at
    shapes = like.new_tensor([SHAPES[person.glasses] for person in people])
    wide, high, rim, square = (shapes[:, None, None, each] for each in range(4))
    turn = torch.arange(_AROUND, dtype=like.dtype, device=like.device)[None, None] * (2 * torch.pi / _AROUND)
    cosine, sine = torch.cos(turn), torch.sin(turn)
    bend = 2 / square
    ring_x, ring_y = cosine.sign() * cosine.abs() ** bend, sine.sign() * sine.abs() ** bend
    front = form.skin[:, ROW["orbit"], HALF, 2][:, None, None] + 0.25
    pieces = []
    for sign in (-1, 1):
        for grown in (0.0, 1.0):
            x = at.eye_x + (wide - grown * rim) * ring_x
            y = at.eye_y - 0.25 + (high - grown * rim) * ring_y
            pieces.append(torch.stack([sign * x, y, front - 0.055 * (x - 0.6) ** 2 + 0 * y], -1)[:, 0])
    centres = torch.stack(
        [torch.cat([s * at.eye_x, at.eye_y - 0.25, front - 0.055 * (at.eye_x - 0.6) ** 2], -1)[:, 0] for s in (-1, 1)],
        1,
    )
    gap = (at.eye_x - wide)[:, :, 0]
    base = (at.eye_y + 0.35)[:, :, 0]
    z = front[:, :, 0]
    bridge = torch.stack(
        [torch.cat([x, base + up, z], 1) for x, up in ((-gap, 0.16), (-gap, -0.1), (gap, -0.1), (gap, 0.16))], 1
    )
    ear = ears(bones.traits, form.skin)["ear_left"]
    root, behind = ear[:, -4, 5], ear[:, -1, 10]  # where it grows from the head in front, and its back
    temples = []
    for sign in (-1, 1):
        hinge = (at.eye_x + wide)[:, :, 0]
        depth = z - 0.055 * (hinge - 0.6) ** 2
        for x, y, far in (
            (hinge, base + 0.2, depth),
            (hinge, base - 0.15, depth),
            (root[:, :1] + 0.3, root[:, 1:2] + 0.45, root[:, 2:]),
            (root[:, :1] + 0.3, root[:, 1:2] + 0.1, root[:, 2:]),
            (behind[:, :1], root[:, 1:2] + 0.1, behind[:, 2:]),
            (behind[:, :1], root[:, 1:2] - 0.4, behind[:, 2:]),
        ):
            temples.append(torch.cat([sign * x, y, far], 1))
    return torch.cat([*pieces, centres, bridge, torch.stack(temples, 1)], 1)

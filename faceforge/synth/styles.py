"""Styles of hair as numbers: where it ends, how it swells, which way it is combed, how it parts into locks."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep, through
from faceforge.synth.person import Person

ANGLES = (0.0, 20.0, 40.0, 55.0, 68.0, 80.0, 92.0, 105.0, 125.0, 150.0, 180.0)  # degrees from the front
_ROOTS = (10.6, 10.8, 10.4, 8.6, 5.8, 3.6, 3.4, 1.4, -1.6, -4.4, -5.2)  # where hair grows down to, of most people
_SHAVEN = (0.0,) * len(ANGLES)


@dataclass(frozen=True)
class Style:
    """Heights are centimetres over ANGLES; shares count from the crown (0) to the ends (1)."""

    ends: tuple[float, ...]  # how far down it hangs
    crown: float  # thickness above
    sides: float  # thickness at the sides
    longer: tuple[float, ...] = _SHAVEN  # how much lower it ends at full length
    flow: str = "fall"  # from the crown down; "part" to both sides of a parting, "back" to a knot behind
    swirl: float = 0.0  # degrees by which falling hair is combed aside over the face
    parting: float = 0.0  # how far from the middle partings lie, as a share of the disc
    density: float = 1.0  # how much of the skin it hides
    curl: float = 0.0
    quiff: float = 0.0  # how much higher it stands above the forehead
    front: float = 0.06  # the share of its thickness left at its edge over the face
    rim: float = 0.66  # the share of the way at which it begins to thin out
    ragged: float = 0.0  # centimetres by which its ends vary
    lock: float = 0.9  # width of a lock; 0 is none
    span: float = 0.6  # share that a lock runs over
    loose: float = 0.25  # how far locks stand off
    over: float = 0.05  # how far locks hang beyond the ends
    roots: tuple[float, ...] = _ROOTS


_LOW = (0.0, 0.0, 0.0, 0.0, 0.3, 1.0, 1.5, 2.0, 2.5, 2.5, 2.5)
_FALL = (0.0, 0.0, 0.0, 0.5, 3.0, 6.0, 8.0, 8.0, 8.0, 8.0, 8.0)
_BACK = (10.7, 10.9, 10.5, 8.6, 5.8, 3.6, 3.4, 1.4, -1.6, -4.4, -5.2)
_BALDING = (13.4, 13.0, 12.2, 9.8, 6.4, 4.0, 3.6, 1.4, -1.6, -4.4, -5.2)
STYLES = {
    "bald": Style(_ROOTS, 0.02, 0.02, density=0.0, lock=0.0),
    "buzz": Style(_ROOTS, 0.22, 0.12, density=0.80, lock=0.0),
    "short": Style((10.4, 10.6, 10.3, 8.7, 5.6, 3.4, 3.2, 1.2, -1.8, -4.4, -5.0), 1.9, 0.6, _LOW,
                   swirl=55.0, curl=0.12, quiff=0.9, rim=0.45, lock=0.8, span=0.36, loose=0.5, ragged=0.9),
    "side": Style((10.5, 10.6, 10.3, 8.6, 5.6, 3.4, 3.2, 1.2, -1.8, -4.4, -5.0), 2.1, 0.65, _LOW,
                  flow="part", parting=0.45, quiff=1.0, rim=0.45, lock=1.1, span=0.7, loose=0.3, ragged=0.6),
    "fringe": Style((7.0, 7.0, 7.0, 6.0, 2.6, 0.4, -0.6, -1.6, -3.4, -5.4, -6.2), 1.7, 1.2, _FALL,
                    swirl=16.0, front=0.28, lock=0.85, span=0.5, loose=0.35, over=0.07, ragged=1.2),
    "receding": Style(_BALDING, 0.55, 0.5, swirl=20.0, density=0.88, lock=0.7, span=0.35, loose=0.25, roots=_BALDING),
    "curly": Style((9.6, 9.8, 9.4, 7.6, 4.8, 2.6, 1.4, 0.2, -2.2, -4.6, -5.2), 2.8, 1.9, _LOW,
                   curl=1.0, quiff=0.5, front=0.05, rim=0.72, lock=0.75, span=0.30, loose=0.9, over=0.08, ragged=1.2),
    "bob": Style((10.6, 10.3, 8.6, 4.2, -2.6, -5.4, -6.6, -7.0, -7.2, -7.4, -7.4), 1.5, 1.7,
                 flow="part", parting=0.35, lock=1.3, span=0.8, loose=0.25, over=0.03, ragged=0.4),
    "long": Style((10.6, 10.5, 9.4, 5.0, -4.5, -11.0, -14.0, -15.0, -15.5, -15.5, -15.5), 1.6, 1.8, _FALL,
                  flow="part", parting=0.5, curl=0.4, lock=1.4, span=0.7, loose=0.5, over=0.05, ragged=1.0),
    "parted": Style((11.0, 10.4, 8.8, 4.2, -4.5, -11.0, -14.0, -15.0, -15.0, -15.0, -15.0), 1.2, 1.5, _FALL,
                    flow="part", curl=0.05, lock=1.3, span=0.8, loose=0.25, over=0.05, ragged=0.6),
    "back": Style(_BACK, 1.0, 0.5, flow="back", rim=0.45, lock=1.1, span=0.8, loose=0.14),
    "afro": Style((10.2, 10.2, 9.7, 7.8, 5.0, 2.6, 1.4, -0.2, -2.2, -4.4, -5.0), 4.4, 3.8,
                  curl=1.6, quiff=0.3, front=0.05, rim=0.74, lock=0.62, span=0.14, loose=1.0, over=0.04, ragged=0.8),
}  # fmt: skip


def hangs(style: Style) -> bool:
    """Whether it falls freely below the ears."""
    return style.ends[-1] < -6


def styles(people: Sequence[Person]) -> list[Style]:
    return [STYLES[person.hair_style] for person in people]


def numbers(people: Sequence[Person], name: str, like: Tensor) -> Tensor:
    """One number of every person's style, (P,)."""
    return like.new_tensor([getattr(style, name) for style in styles(people)])


def ends(people: Sequence[Person], angle: Tensor, sign: Tensor) -> Tensor:
    """Heights at which hair ends (P, N), at angles (P, N) of degrees from the front to the side of a sign (N,)."""
    rows = [
        [end - person.hair_length * more for end, more in zip(style.ends, style.longer, strict=True)]
        for person, style in zip(people, styles(people), strict=True)
    ]
    part = angle.new_tensor([person.part_side for person in people])[:, None]
    slant = 0.35 * part * torch.tanh(sign * 8) * smoothstep(60.0, 20.0, angle)
    return through(angle.new_tensor(ANGLES), angle.new_tensor(rows), angle) + slant


def roots(people: Sequence[Person], angle: Tensor) -> Tensor:
    """Heights down to which hair grows out of the skin, (P, N)."""
    return through(angle.new_tensor(ANGLES), angle.new_tensor([style.roots for style in styles(people)]), angle)

"""What tables of clips say in one cell, and which frames of a clip are looked at."""

import re

import numpy as np

from faceforge.errors import BadSpec


def units_of(cell: str, faithful: bool = False) -> tuple[int, ...]:
    """Action units of a cell such as 'R12A + 15' in its order, sides and letters of intensity left out.

    Where a coder was not sure ('12A or 14') it is the first; the published reader makes a unit 1214 of that.

    >>> units_of("L2+R2+25"), units_of("12A or 14"), units_of("12A or 14", faithful=True)
    ((2, 25), (12,), (1214,))
    """
    pieces = re.split(r"[+,，]", cell)
    digits = ["".join(re.findall(r"\d", piece if faithful else re.split(r"\bor\b|/", piece)[0])) for piece in pieces]
    return tuple(dict.fromkeys(int(each) for each in digits if each))


def held(cell: str) -> tuple[int, ...]:
    """Action units that a cell marks with (k): held from the first frame to the last, so that nothing moves.

    >>> held("AU4(k)+L7")
    (4,)
    """
    return units_of("+".join(piece for piece in re.split(r"[+,，]", cell) if "(k)" in piece.lower()))


def is_unsure(cell: str) -> bool:
    """Whether a cell names alternatives, of which `units_of` keeps the first."""
    return bool(re.search(r"\d\D*(\bor\b|/)\D*\d", cell))


def evenly(frames: int, wanted: int) -> list[int]:
    """Indices of so many of a clip's frames, the first and the last among them, rounded down."""
    if frames < 1 or wanted < 1:
        raise BadSpec(f"{wanted} of {frames} frames cannot be taken; both must be at least 1.")
    return [int(each) for each in np.linspace(0, frames - 1, wanted)]

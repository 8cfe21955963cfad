"""Label fixes: the one place where a cell of an owners' table is overruled.

Rows are counted from 0 below the header. The values are those of the public CD6ME benchmark. Rows are all that it goes
by, so they are applied to a table of the very length that they were made for, and to no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Cells = Mapping[int, int | str]

FROM_FOLDERS = "as the frames on disk say"
FROM_FLOW = "missing or impossible; where optical flow is strongest"
BETWEEN = "missing or impossible; the middle of the corrected frames"
RESOLVED = "'or' in the cell, resolved by optical flow"


@dataclass(frozen=True)
class Fixes:
    """Cells of one corpus, by what they hold."""

    rows: int  # of the table that they are for
    cells: Mapping[str, tuple[Cells, str]] = field(default_factory=dict)  # by column: values and why
    exchanged: tuple[int, int] | None = None  # two rows whose units change places


FIXES: Mapping[str, Fixes] = {
    "casme": Fixes(
        189,
        {
            "onset": ({40: 100, 42: 101, 43: 57}, FROM_FOLDERS),
            "apex": ({40: 120, 42: 110, 43: 65}, BETWEEN),
            "offset": ({40: 149, 42: 119, 43: 74, 54: 40, 140: 142}, FROM_FOLDERS),
        },
    ),
    "casme2": Fixes(
        256,
        {
            "apex": (
                {29: 279, 35: 68, 43: 77, 45: 81, 51: 166, 53: 100, 60: 78, 117: 187, 118: 89, 126: 80, 136: 88}
                | {147: 134, 155: 231, 168: 53, 170: 329, 177: 111, 202: 91, 203: 103, 234: 98, 237: 153, 238: 98},
                FROM_FLOW,
            ),
            "offset": ({60: 91}, FROM_FOLDERS),
        },
    ),
    "samm": Fixes(
        159,
        {
            "apex": ({125: 1105, 132: 4945, 133: 5130}, FROM_FLOW),
            "offset": ({56: 5739}, FROM_FOLDERS),
            "units": ({15: "R12 + R15", 18: "R12 + R15", 41: "L14", 64: "R14", 154: "R14A"}, RESOLVED),
        },
    ),
    "fourd": Fixes(267, exchanged=(144, 145)),
    "mmew": Fixes(
        300,
        {
            "apex": (
                {33: 40, 35: 15, 36: 46, 37: 20, 38: 25, 39: 20, 40: 23, 41: 28, 42: 32}
                | {142: 56, 143: 32, 145: 27, 146: 22, 148: 29, 154: 31, 156: 38},
                FROM_FLOW,
            ),
            "offset": (
                {33: 75, 35: 54, 36: 59, 37: 98, 38: 80, 39: 93, 40: 58, 41: 61, 42: 68}
                | {142: 88, 143: 80, 145: 85, 146: 61, 148: 108, 154: 72, 156: 106},
                FROM_FOLDERS,
            ),
        },
    ),
    "casme3a": Fixes(
        860,
        {
            "onset": ({749: 2647, 750: 1}, FROM_FOLDERS),
            "apex": ({128: 160, 750: 1}, FROM_FOLDERS),
            "offset": ({708: 34, 796: 1845, 798: 2403}, FROM_FOLDERS),
        },
    ),
}

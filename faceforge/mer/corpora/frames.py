"""Frames of a clip on disk: pictures in the order of the numbers in their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def frames_in(folder: Path) -> list[tuple[int, Path]]:
    """Pictures of a folder with the last number in their names, in that order; -1 where there is none."""
    with os.scandir(folder) as entries:
        files = [Path(each.path) for each in entries if Path(each.name).suffix.lower() in PICTURES]
    return sorted((number_of(file), file) for file in files if not file.name.startswith("."))


def number_of(file: Path) -> int:
    """The last number in a file's name; -1 where there is none.

    >>> number_of(Path("006_05562.jpg"))
    5562
    """
    found = re.findall(r"\d+", file.stem)
    return int(found[-1]) if found else -1


def wrong_with(frames: list[tuple[int, Path]], needed: Mapping[str, int]) -> str:
    """Why a clip cannot be used with these frames, '' where it can; `needed` are its onset, apex and offset."""
    numbers = [number for number, _ in frames]
    twice = next((number for number, after in pairwise(numbers) if number == after), None)
    if not frames:
        return "Its folder holds no pictures."
    if twice == -1 or numbers[0] == -1:
        return f"{frames[0][1].name!r} has no number, so that the order of its frames is not known."
    if twice is not None:
        names = [file.name for number, file in frames if number == twice]
        return f"Two pictures are frame {twice}: {names[0]!r} and {names[1]!r}. Keep one of them."
    absent = [f"{holds} {number}" for holds, number in needed.items() if number not in set(numbers)]
    if absent:
        return f"{', '.join(absent)} is not among its frames, which are {span(numbers)}."
    return ""


def gaps(numbers: Iterable[int], first: int, last: int) -> str:
    """Which frames from the first to the last are not there, in words; '' where all are."""
    missing = sorted(set(range(first, last + 1)) - set(numbers))
    return span(missing) if missing else ""


def span(numbers: list[int]) -> str:
    """Whole numbers in order, runs shortened.

    >>> span([1, 2, 3, 7])
    '1 to 3, 7'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    told = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return ", ".join(told[:4]) + (f" and {len(told) - 4} more" if len(told) > 4 else "")

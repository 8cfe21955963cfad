"""The composite of MEGC2019 as public detector code holds it: one 28x28 picture of flow per clip, sorted into folds.

`SUBJECT/u_test/CLASS/*.png` are the clips of the subject that a fold leaves out, `SUBJECT/u_train` all the others.
Clips are read from `u_test` alone; that `u_train` agrees is checked. Red, green and blue are horizontal flow, vertical
flow and strain.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import BadPicture
from faceforge.io.files import sha256
from faceforge.io.pictures import read_picture
from faceforge.mer.corpora.clips import Clip, Finding, Reading
from faceforge.mer.corpora.emotions import CLASSES
from faceforge.mer.corpora.frames import PICTURES
from faceforge.mer.corpora.places import existing_folder, folders_in, only_root

_CORPORA = {r"sub(\d+)": "casme2", r"(s\d+)": "smic", r"(\d+)": "samm"}  # by how subjects are called

_NUMBERS = ("0", "1", "2")


def read_flow(corpus: str, path: Path, labels: Path | None = None, root: Path | None = None) -> Reading:
    """The clips of every subject's test folder, each under the corpus that its subject is of."""
    root = root or only_root(existing_folder(path), _subjects, "'SUBJECT/u_test/0' to '/2'")
    folders = folders_in(existing_folder(root))
    clips = [clip for folder in folders for clip in _clips(folder)]
    findings = [*_strange(folders), *_folds(folders), *_repeated(clips)]
    return Reading(corpus, tuple(clips), labels, root, len(clips), findings=tuple(findings))


def channels(clip: Clip) -> NDArray[np.floating[Any]]:
    """Horizontal flow, vertical flow and strain of a clip, (3, side, side) from 0 to 1."""
    pixels = np.asarray(read_picture(clip.frames[0]).image)
    if pixels.shape[0] != pixels.shape[1]:
        raise BadPicture(f"{str(clip.frames[0])!r} has {pixels.shape[1]}x{pixels.shape[0]} pixels; flow is square.")
    return np.moveaxis(pixels, -1, 0) / 255.0


def _subjects(root: Path) -> int:
    return sum(1 for each in root.glob("*/u_test") if each.is_dir())


def _clips(folder: Path) -> Iterator[Clip]:
    corpus, subject = _subject(folder.name) or ("flow", folder.name)
    for number, emotion in enumerate(CLASSES):
        for file in _pictures(folder / "u_test" / str(number)):
            yield Clip(corpus, subject, file.stem, (file,), emotion=emotion)


def _subject(name: str) -> tuple[str, str] | None:
    """Corpus and subject of a folder, as the reader of that corpus calls them."""
    found = ((corpus, re.fullmatch(pattern, name)) for pattern, corpus in _CORPORA.items())
    return next(((corpus, said[1]) for corpus, said in found if said), None)


def _pictures(folder: Path) -> list[Path]:
    return sorted(each for each in folder.glob("*") if each.suffix.lower() in PICTURES)


def _strange(folders: list[Path]) -> Iterator[Finding]:
    for folder in folders:
        if _subject(folder.name) is None:
            told = "Subjects are sub01 (CASME II), s01 (SMIC) or 006 (SAMM)."
            yield Finding("subject of no known corpus", repr(folder.name), told, error=False)
        for side in ("u_train", "u_test"):
            names = [each.name for each in folders_in(folder / side)] if (folder / side).is_dir() else []
            if not any(_pictures(folder / side / each) for each in names):
                yield Finding("empty subject", repr(f"{folder.name}/{side}"), "No picture lies in it.", error=False)
            for name in sorted(set(names) - {*_NUMBERS}):
                told = "Classes are 0 (negative), 1 (positive) and 2 (surprise)."
                yield Finding("unknown class", repr(f"{folder.name}/{side}/{name}"), told, error=False)


def _folds(folders: list[Path]) -> Iterator[Finding]:
    """Folds whose training folder is not everybody else: a clip on both sides is a leak."""
    tested = {folder.name: _held(folder / "u_test") for folder in folders}
    everybody = sum(tested.values(), Counter[tuple[str, str]]())
    for folder in folders:
        trained, own = _held(folder / "u_train"), tested[folder.name]
        if both := trained & own:
            told = f"{both.total()} of its {own.total()} clips are trained on and tested."
            yield Finding("clip on both sides", repr(folder.name), told)
        elif trained and trained != everybody - own:
            absent, foreign = everybody - own - trained, trained - (everybody - own)
            told = f"{absent.total()} clips of other subjects are not in u_train, {foreign.total()} are nobody's."
            yield Finding("fold without everybody else", repr(folder.name), told, error=False)


def _repeated(clips: list[Clip]) -> Iterator[Finding]:
    """Clips that are in two classes."""
    seen: dict[tuple[str, str, str], str] = {}
    for clip in clips:
        other = seen.setdefault((clip.corpus, clip.subject, clip.name), clip.emotion)
        if other != clip.emotion:
            told = f"It is in the classes {other} and {clip.emotion}."
            yield Finding("clip in two classes", f"{clip.corpus} {clip.subject}/{clip.name}", told)


def _held(folder: Path) -> Counter[tuple[str, str]]:
    """Pictures of one side of a fold by class and content: names may repeat between subjects."""
    return Counter((each, sha256(file)) for each in _NUMBERS for file in _pictures(folder / each))

"""Corpora whose every frame is coded by intensity (DISFA, BP4D): frames, and pairs of a calm one and a strong one."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from faceforge.errors import BadCorpus
from faceforge.mer.corpora.clips import Clip, Finding, Reading
from faceforge.mer.corpora.frames import frames_in, number_of
from faceforge.mer.corpora.places import existing_folder

MOST = 5.0  # FACS
_UNSEEN = 9.0  # how BP4D codes what nobody could see
_LEAST = 2.0  # B: from here on two people see the same


@dataclass(frozen=True)
class Take:
    """One recording: by frame the intensity of every unit that was seen, and the frames that are on disk."""

    subject: str
    name: str
    aus: Mapping[int, Mapping[str, float]]
    pictures: Mapping[int, Path]
    folder: Path  # where its frames lie, or should


def read_coded(corpus: str, path: Path, labels: Path | None = None, root: Path | None = None) -> Reading:
    """One clip for every unit that becomes strong in a take: its calmest frame, and the first of its strongest."""
    takes = list(TAKES[corpus](existing_folder(path), labels, root))
    clips = [clip for take in takes for clip in pairs(corpus, take)]
    findings = [finding for take in takes for finding in _wrong(take)]
    frames = sum(len(take.aus) for take in takes)
    notes = (f"{frames} coded frames in {len(takes)} takes.",)
    return Reading(corpus, tuple(clips), labels, root or path, len(takes), findings=tuple(findings), notes=notes)


def disfa(path: Path, labels: Path | None = None, root: Path | None = None) -> Iterator[Take]:
    """`ActionUnit_Labels/SN001/SN001_au1.txt`, a line for each frame, and pictures in `SN001`."""
    labels = labels or path / "ActionUnit_Labels"
    people = sorted(labels.glob("SN*"))
    if not people:
        raise BadCorpus(f"{str(path)!r} has no ActionUnit_Labels/SN001 and so on. Give DISFA's own folder.")
    for person in people:
        files = {f"AU{number_of(file)}": file for file in sorted(person.glob("*_au*.txt"))}
        yield _take(person.name, person.name, files, (root or path) / person.name)


def bp4d(path: Path, labels: Path | None = None, root: Path | None = None) -> Iterator[Take]:
    """`AU_INT/AU06/F001_T1_AU06.csv`, a line for each frame, and pictures in `F001/T1`; 9 is 'not seen'."""
    labels = labels or next((each for below in ("AU_INT", "*/AU_INT") for each in sorted(path.glob(below))), path)
    takes: dict[str, dict[str, Path]] = {}
    for file in sorted(labels.glob("AU*/*_AU*.csv")):
        take, _, unit = file.stem.rpartition("_AU")
        takes.setdefault(take, {})[f"AU{int(unit)}"] = file
    if not takes:
        raise BadCorpus(f"{str(path)!r} has no AU_INT/AU06/F001_T1_AU06.csv and so on. Give BP4D's own folder.")
    for take, files in takes.items():
        subject, _, task = take.partition("_")
        places = [each for below in (".", "*") for each in sorted((root or path).glob(f"{below}/{subject}/{task}"))]
        yield _take(subject, task, files, next(iter(places), (root or path) / subject / task))


TAKES: Mapping[str, Callable[[Path, Path | None, Path | None], Iterator[Take]]] = {"disfa": disfa, "bp4d": bp4d}


def pairs(corpus: str, take: Take) -> Iterator[Clip]:
    """A clip of two frames for every unit that reaches B, with what the take's calmest frame and that one differ by."""
    shown = {number: aus for number, aus in take.aus.items() if number in take.pictures}
    if not shown:
        return
    calm = min(shown, key=lambda number: (sum(shown[number].values()), number))
    for unit in dict.fromkeys(unit for aus in shown.values() for unit in aus):
        strong = max(shown, key=lambda number: (shown[number].get(unit, 0.0), -number))
        if shown[strong].get(unit, 0.0) < _LEAST:
            continue
        more = {each: value - shown[calm].get(each, 0.0) for each, value in shown[strong].items()}
        occur = tuple(each for each, value in more.items() if value > 0)
        files = (take.pictures[calm], take.pictures[strong])
        yield Clip(corpus, take.subject, f"{take.name}/{unit}", files, 1, occur, intensities=more)


def _take(subject: str, name: str, files: Mapping[str, Path], folder: Path) -> Take:
    aus: dict[int, dict[str, float]] = {}
    for unit, file in files.items():
        for number, intensity in _lines(file):
            seen = aus.setdefault(number, {})
            if intensity != _UNSEEN:
                seen[unit] = intensity
    pictures = dict(frames_in(folder)) if folder.is_dir() else {}
    return Take(subject, name, aus, pictures, folder)


def _lines(file: Path) -> Iterator[tuple[int, float]]:
    """Frames and intensities of a file, which must be from 0 to 5, or 9."""
    with file.open(newline="", encoding="utf-8-sig") as opened:
        for line, row in enumerate(csv.reader(opened), start=1):
            if not row:
                continue
            try:
                number, intensity = int(row[0]), float(row[1])
            except (ValueError, IndexError) as reason:
                raise BadCorpus(f"{str(file)!r}, line {line}: {row} is not a frame and an intensity.") from reason
            if not (0 <= intensity <= MOST or intensity == _UNSEEN):
                raise BadCorpus(f"{str(file)!r}, line {line}: {intensity:g} is no intensity; these are 0 to 5, or 9.")
            yield number, intensity


def _wrong(take: Take) -> Iterator[Finding]:
    place, coded = f"{take.subject}/{take.name}", len(take.aus)
    if not take.pictures:
        told = f"No pictures in {str(take.folder)!r}. Cut the video into frames there, numbered as its labels are."
        yield Finding("no frames", place, told)
    elif missing := sorted(take.aus.keys() - take.pictures.keys()):
        told = (
            f"{len(missing)} of {coded} coded frames are not among {len(take.pictures)} pictures, first {missing[0]}."
        )
        yield Finding("frames missing", place, told, error=False)
    units = {unit for aus in take.aus.values() for unit in aus}
    if uneven := [unit for unit in sorted(units) if sum(unit in aus for aus in take.aus.values()) < coded]:
        told = f"{', '.join(uneven)} not coded in every frame."
        yield Finding("units not coded throughout", place, told, error=False)

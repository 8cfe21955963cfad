"""The reader of corpora whose owners' table says what each clip shows, and of SMIC, whose folders do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from faceforge.mer.corpora.clips import Clip, Finding, Reading
from faceforge.mer.corpora.emotions import emotion_of
from faceforge.mer.corpora.frames import frames_in, gaps, span, wrong_with
from faceforge.mer.corpora.layouts import LAYOUTS, Layout
from faceforge.mer.corpora.places import existing_folder, folders_in, only_root, only_table
from faceforge.mer.corpora.rows import Repairs, Row, fix, rows_of, settle_units, subject_of, unread, where
from faceforge.mer.corpora.tables import Table, read_table

_HALFWAY = "No apex is coded: the frame halfway from onset to offset is taken."


def read_tabled(corpus: str, path: Path, labels: Path | None = None, root: Path | None = None) -> Reading:
    """A corpus in a folder, with its table and the folder of its clips where those are not to be searched for."""
    layout = LAYOUTS[corpus]
    table = _table(layout, existing_folder(path), labels)
    repairs = Repairs(rows_of(layout, table))
    findings = [*unread(layout, table), *fix(corpus, layout, repairs, len(table.rows)), *settle_units(repairs)]
    root = root or only_root(path, partial(_held, layout, repairs.rows), _wanted(layout, repairs.rows))
    return _reading(corpus, repairs, findings, existing_folder(root), table.path)


def read_foldered(corpus: str, path: Path, labels: Path | None = None, root: Path | None = None) -> Reading:
    """A corpus without a table: the names of folders say of whom a clip is and what it shows."""
    layout = LAYOUTS[corpus]
    root = root or only_root(existing_folder(path), partial(_there, layout), repr(layout.folder))
    return _reading(corpus, Repairs(list(_rows_on_disk(layout, existing_folder(root)))), [], root, None)


def _reading(corpus: str, repairs: Repairs, findings: list[Finding], root: Path, labels: Path | None) -> Reading:
    layout, clips, used = LAYOUTS[corpus], [], set[Path]()
    for row in repairs.rows:
        folder = _folder(layout, row, root)
        used.add(folder)
        clip, found = _Clipping(corpus, layout, row, folder).clip()
        clips += [clip] if clip else []
        findings += found
    findings += _strangers(layout, root, used)
    notes = (_HALFWAY,) if layout.middle else ()
    return Reading(corpus, tuple(clips), labels, root, len(repairs.rows), tuple(repairs.done), tuple(findings), notes)


@dataclass(frozen=True)
class _Clipping:
    """One row becoming a clip, or the reason why it does not."""

    corpus: str
    layout: Layout
    row: Row
    folder: Path

    def clip(self) -> tuple[Clip | None, list[Finding]]:
        row = self.row
        onset, offset = _frame(row.onset), _frame(row.offset)
        if onset is None or offset is None:
            return self._lost("missing onset or offset", f"Onset {row.onset!r}, offset {row.offset!r}.")
        apex = onset + (offset - onset) // 2 if self.layout.middle else _frame(row.apex)
        if apex is None:
            return self._lost("missing apex", f"The apex is {row.apex!r}.")
        if not onset <= apex <= offset:
            return self._lost("impossible order", f"Onset {onset}, apex {apex}, offset {offset}.")
        if not self.folder.is_dir():
            return self._lost("missing clip", f"There is no folder {str(self.folder)!r}.")
        frames = frames_in(self.folder)
        if wrong := wrong_with(frames, {"onset": onset, "apex": apex, "offset": offset}):
            return self._lost("unusable frames" if frames else "empty clip", wrong)
        inside = [(number, file) for number, file in frames if onset <= number <= offset]
        return self._made(inside, apex), list(self._doubts(frames, onset, apex, offset))

    def _made(self, frames: list[tuple[int, Path]], apex: int) -> Clip:
        row = self.row
        units = tuple(f"AU{unit}" for unit in row.coded) if row.coded is not None else None
        files, index = tuple(file for _, file in frames), [number for number, _ in frames].index(apex)
        return Clip(self.corpus, row.subject, row.clip, files, index, units, emotion_of(row.emotion), row.objective)

    def _doubts(self, frames: list[tuple[int, Path]], onset: int, apex: int, offset: int) -> Iterator[Finding]:
        numbers = [number for number, _ in frames]
        place = where(self.row)
        if missing := gaps(numbers, onset, offset):
            told = f"Frames {missing} are missing between onset {onset} and offset {offset}."
            yield Finding("frames not contiguous", place, told, error=False)
        if numbers[0] < onset or numbers[-1] > offset:
            told = f"Its folder holds frames {span(numbers)}; only {onset} to {offset} are used."
            yield Finding("more frames than the table says", place, told, error=False)
        if apex == onset:
            yield Finding("apex is the onset", place, f"Both are frame {onset}: nothing moves.", error=False)

    def _lost(self, kind: str, what: str) -> tuple[None, list[Finding]]:
        return None, [Finding(kind, where(self.row), what)]


def _table(layout: Layout, path: Path, labels: Path | None) -> Table:
    wanted = tuple(layout.columns.values())
    return read_table(labels, wanted) if labels else only_table(path, wanted)


def _folder(layout: Layout, row: Row, root: Path) -> Path:
    """Where a row's clip lies, under the name that the folder has for its emotion."""
    emotion = row.emotion.strip().lower()
    named = [emotion, *([layout.again[emotion]] if emotion in layout.again else [])]
    places = [
        root / layout.folder.format(id=row.id, subject=row.subject, emotion=each, clip=row.clip) for each in named
    ]
    return next((place for place in places if place.is_dir()), places[0])


def _held(layout: Layout, rows: list[Row], root: Path) -> int:
    return sum(_folder(layout, row, root).is_dir() for row in rows)


def _there(layout: Layout, root: Path) -> int:
    return sum(1 for _ in root.glob(_pattern(layout)))


def _wanted(layout: Layout, rows: list[Row]) -> str:
    first = _folder(layout, rows[0], Path()).as_posix() if rows else layout.folder
    return f"the {len(rows)} clips of the table would, such as {first!r}"


def _rows_on_disk(layout: Layout, root: Path) -> Iterator[Row]:
    """One row per clip; its onset is its first frame, its offset the last one."""
    holds = re.findall(r"\{(\w+)\}", layout.folder)
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", layout.folder))
    for number, folder in enumerate(sorted(root.glob(_pattern(layout)))):
        said = pattern.fullmatch(folder.relative_to(root).as_posix())
        if said is None or not folder.is_dir():
            continue
        numbers = [each for each, _ in frames_in(folder)] or [0]
        values = {name: said[name] for name in holds}
        subject = subject_of(layout, values["id"])
        yield Row(number, onset=str(numbers[0]), offset=str(numbers[-1]), subject=subject, **values)


def _strangers(layout: Layout, root: Path, used: set[Path]) -> Iterator[Finding]:
    """Folders of subjects (or of emotions, where clips are kept by these) without clips, and clips without a row."""
    there = {folder for folder in root.glob(_pattern(layout)) if folder.is_dir()}
    for top in folders_in(root):
        if not any(folder.is_relative_to(top) for folder in there | used):
            yield Finding("empty subject", repr(top.name), "No clip lies in it.", error=False)
    for folder in sorted(there - used):
        yield Finding(
            "clip not in the table", repr(folder.relative_to(root).as_posix()), "It is not read.", error=False
        )


def _pattern(layout: Layout) -> str:
    return re.sub(r"\{\w+\}", "*", layout.folder)


def _frame(cell: str) -> int | None:
    return int(cell) if re.fullmatch(r"\d+", cell) else None

"""Small corpora in the layouts of their owners: a table of labels, and frames that are all one grey square."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from faceforge.mer.corpora.layouts import LAYOUTS

NAMES = {
    "casme": "reg_{subject}_1-{n}.jpg",
    "casme2": "img{n}.jpg",
    "samm": "{id}_{n:05d}.jpg",
    "smic": "image{n:06d}.bmp",
    "fourd": "{n}.jpg",
    "mmew": "{n}.jpg",
    "casme3a": "{n}.jpg",
    "casme3c": "{n}.jpg",
}


@dataclass
class Shot:
    """One row to be: its numbers and labels, and the frames that lie on disk (all of it unless told)."""

    id: str = "1"
    clip: str = "EP01"
    onset: object = 1
    apex: object = 3
    offset: object = 5
    units: str = "1+2"
    emotion: str = "surprise"
    objective: str = "II"
    more: Mapping[str, object] = field(default_factory=dict)
    frames: Sequence[int] | None = None
    folder: str = ""  # where it differs from the clip's name


def picture(side: int = 16, suffix: str = ".png") -> bytes:
    written = io.BytesIO()
    Image.new("L", (side, side), 128).save(written, {".jpg": "JPEG", ".bmp": "BMP"}.get(suffix, "PNG"))
    return written.getvalue()


def frames(folder: Path, names: Sequence[str], side: int = 16) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(picture(side, Path(name).suffix))


def tree(corpus: str, root: Path, shots: Sequence[Shot], labels: str = "labels.csv", clips: str = "clips") -> Path:
    """A corpus in a folder; the table stands beside the clips."""
    layout = LAYOUTS[corpus]
    (root / clips).mkdir(parents=True, exist_ok=True)
    for shot in shots:
        number = int("".join(filter(str.isdigit, shot.id)) or 0)
        subject = f"{layout.prefix}{number:0{layout.digits}d}" if layout.digits else shot.id
        place = layout.folder.format(id=shot.id, subject=subject, emotion=shot.emotion, clip=shot.folder or shot.clip)
        numbers = shot.frames if shot.frames is not None else range(_int(shot.onset), _int(shot.offset) + 1)
        frames(root / clips / place, [NAMES[corpus].format(id=shot.id, subject=subject, n=n) for n in numbers])
    if layout.columns:
        table(root / labels, rows(corpus, shots))
    return root


def rows(corpus: str, shots: Sequence[Shot]) -> list[list[object]]:
    layout = LAYOUTS[corpus]
    holds = {**layout.columns, **layout.optional}
    extra = list(dict.fromkeys(name for shot in shots for name in shot.more))
    header = [*holds.values(), *extra]
    values = [
        [shot.id if each == "subject" else getattr(shot, each) for each in holds]
        + [shot.more.get(name, "") for name in extra]
        for shot in shots
    ]
    above = [["Micro-movements, coded by three coders"], *[[""]] * 12] if corpus == "samm" else []
    return [*above, header, *values]


def table(path: Path, cells: Sequence[Sequence[object]]) -> None:
    if path.suffix == ".xlsx":
        from openpyxl import Workbook

        book = Workbook()
        for row in cells:
            book.active.append(list(row))
        book.save(path)
    else:
        with path.open("w", newline="", encoding="utf-8") as opened:
            csv.writer(opened).writerows(cells)


def _int(value: object) -> int:
    return int(str(value)) if str(value).isdigit() else 1

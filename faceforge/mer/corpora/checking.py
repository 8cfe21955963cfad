"""Whether a corpus is what it should be: its pictures looked at one by one, and its labels counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from faceforge.mer.corpora.clips import Clip, Finding, Reading
from faceforge.mer.corpora.emotions import CLASSES, COUNTS, class_of
from faceforge.mer.corpora.layouts import LAYOUTS

Following = Callable[[Iterable[Clip]], Iterable[Clip]]


def looked_at(reading: Reading, following: Following = iter) -> Reading:
    """A reading without clips whose frames are no pictures, or of several sizes; only their headers are read."""
    wrong = {clip: told for clip in following(reading.clips) if (told := _wrong(clip))}
    findings = (Finding(kind, f"{clip.subject}/{clip.name}", what) for clip, (kind, what) in wrong.items())
    return reading.without(set(wrong), tuple(findings))


def told(reading: Reading) -> dict[str, Any]:
    """What was found, as plain data; `published` beside counts is what the whole corpus has."""
    clips, layout = reading.clips, LAYOUTS.get(reading.corpus)
    classes = Counter(CLASSES[found] for clip in clips if (found := class_of(clip)) is not None)
    units = Counter(unit for clip in clips for unit in clip.units or ())
    in_megc = COUNTS.get(reading.corpus)
    return {
        "corpus": reading.corpus,
        "title": layout.title if layout else reading.corpus,
        "licence": layout.licence if layout else "",
        "labels": _text(reading.labels),
        "frames": _text(reading.root),
        "rows": reading.rows,
        "clips": len(clips),
        "clips_published": (layout.clips or None) if layout else None,
        "subjects": len({(clip.corpus, clip.subject) for clip in clips}),
        "classes": {name: classes[name] for name in CLASSES},
        "classes_published": dict(zip(CLASSES, in_megc, strict=True)) if in_megc else None,
        "units": {unit: units[unit] for unit in sorted(units, key=lambda unit: int(unit[2:]))},
        "units_published": (layout.published or None) if layout else None,
        "notes": list(reading.notes),
        "repairs": [asdict(each) for each in reading.repairs],
        "findings": [asdict(each) for each in reading.findings],
    }


def _wrong(clip: Clip) -> tuple[str, str] | None:
    sizes: dict[tuple[int, int], Path] = {}
    for file in clip.frames:
        try:
            with Image.open(file) as image:
                sizes.setdefault(image.size, file)
        except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError):
            return "no picture", f"{str(file)!r} cannot be read. Copy it again from the corpus."
    if len(sizes) > 1:
        (one, first), (other, second) = list(sizes.items())[:2]
        told = f"{first.name!r} has {one[0]}x{one[1]} pixels, {second.name!r} has {other[0]}x{other[1]}."
        return "frames of mixed sizes", told
    return None


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)

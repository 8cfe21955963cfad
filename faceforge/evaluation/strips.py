"""The edits that came out worst, as strips of pictures: source, edit, and what changed, four times as strong."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops

from faceforge.errors import BadPicture
from faceforge.evaluation.observing import Observation
from faceforge.io.pictures import read_picture
from faceforge.mer.judges import Judge

WORST = 8
_SIDE = 160
_STRONGER = 4


def worst(seen: Sequence[Observation], judge: Judge, count: int = WORST) -> list[tuple[Observation, str, float]]:
    """The edits whose asked unit came out most wrong by a judge: the edit, the unit, detected less requested."""
    found = [
        (each, code, value - dose)
        for each in seen
        for code, dose in each.requested.items()
        if dose and (value := each.detected.get(judge.facts.name, {}).get(code)) is not None
    ]
    return sorted(found, key=lambda each: -abs(each[2]))[:count]


def strip(each: Observation, folder: Path) -> str:
    """Three pictures side by side as a data address; empty where the files are gone."""
    try:
        source, edited = (read_picture(folder / name).image for name in (each.source, each.picture))
    except BadPicture:
        return ""
    source, edited = (image.copy() for image in (source, edited))
    for image in (source, edited):
        image.thumbnail((_SIDE, _SIDE))
    change = ImageChops.difference(source, edited.resize(source.size)).point(lambda level: min(255, level * _STRONGER))
    side = Image.new("RGB", (3 * _SIDE + 8, _SIDE), "white")
    for place, image in enumerate((source, edited, change)):
        side.paste(image, (place * (_SIDE + 4), 0))
    written = io.BytesIO()
    side.save(written, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(written.getvalue()).decode("ascii")

"""What one unit of an action unit really does in a loaded model: its sign and slope, measured by a judge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from faceforge import aus
from faceforge.errors import BadPlugin, BadWeights
from faceforge.forge import Forge
from faceforge.io.files import replacing
from faceforge.jobs import PictureLike
from faceforge.mer.judges import Judge

LEAST_SLOPE = 0.05  # below this a model does not react to the unit, and dividing by its slope would amplify noise


def measure(
    forge: Forge, plugin: str, image: PictureLike, by: Judge, *, doses: Iterable[float] = (-2.0, -1.0, 1.0, 2.0)
) -> dict[str, float]:
    """Judged change per asked unit for every AU of the plugin, by least squares through zero.

    Slopes already stored with the plugin are set aside, so that measuring twice gives the same answer.
    """
    able = forge.plugins[plugin].manifest.aus if plugin in forge.plugins else None
    if able is None:
        raise BadPlugin(f"{plugin!r} is not loaded or has no action units. Load a model whose plugin has some.")
    asked = list(doses)
    stored, forge.plugins[plugin].dose = forge.plugins[plugin].dose, {}
    try:
        neutral = next(forge.sweep(image, au=able.codes[0], values=[0.0])).image
        assert neutral is not None, "a dose is measured on pictures"
        slopes = {}
        for code in [code for code in able.codes if code in by.codes]:
            edits = forge.sweep(image, au=code, values=asked)
            slopes[code] = _slope(asked, [_judged(by, code, neutral, edit.image) for edit in edits])
        return slopes
    finally:
        forge.plugins[plugin].dose = stored


def store(folder: Path, plugin: str, slopes: Mapping[str, float]) -> list[str]:
    """Keep measured slopes with a saved plugin; gives back the units left alone because the model ignores them."""
    path = folder / "plugins" / plugin / "manifest.json"
    if not path.is_file():
        raise BadWeights(f"{folder.name} has no saved plugin {plugin!r}. Save the model first, then measure it there.")
    saved = json.loads(path.read_text(encoding="utf-8"))
    saved["dose"] = {aus.parse(code): slope for code, slope in slopes.items() if abs(slope) >= LEAST_SLOPE}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(saved, indent=2), encoding="utf-8")
    return [code for code in slopes if code not in saved["dose"]]


def _judged(by: Judge, code: str, neutral: Image.Image, edited: Image.Image | None) -> float:
    assert edited is not None, "a dose is measured on pictures"
    return float(by.delta(neutral, edited)[list(by.codes).index(code)])


def _slope(asked: Sequence[float], found: Sequence[float]) -> float:
    return sum(a * f for a, f in zip(asked, found, strict=True)) / sum(a * a for a in asked)

"""The page that goes with a published model: what it is, what it learned from, what it may be used for, how it does."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from faceforge.aus import UNITS
from faceforge.errors import BadWeights
from faceforge_training.journal import FIGURES, lines

LICENCE = "apache-2.0"
_HEAD = ("---", "library_name: faceforge", "pipeline_tag: image-to-image", "tags: [face-editing, action-units]")


def card(run: Path, name: str, *, licence: str = LICENCE, data: str = "") -> str:
    """The README.md of a run's model, to be published under a name."""
    model = _described(run / "model" / "model.json")
    plugins = [_described(run / "model" / "plugins" / each / "manifest.json") for each in model["plugins"]]
    parts = [
        "\n".join([*_HEAD, f"license: {licence}", "---", "", f"# {name.rpartition('/')[2]}", ""]),
        _used(name, plugins),
        "## Plugins\n\n| plugin | what | action units | licence of the code |\n|---|---|---|---|\n"
        + "\n".join(_row(each["manifest"]) for each in plugins),
        f"## Training\n\n{data or 'Not said by its trainer.'}\n\n{_trained(run)}",
        f"## Measured\n\n{_measured(run)}",
        "## Limits\n\nPictures made with this model carry a mark that says so. Do not use it to deceive, or on people "
        "who have not agreed. It knows faces as its training data shows them, and may fail on others.",
    ]
    return "\n\n".join(parts) + "\n"


def _described(file: Path) -> Any:
    if not file.is_file():
        raise BadWeights(f"{str(file)!r} is missing. Give the folder of a training that has made a model.")
    return json.loads(file.read_text(encoding="utf-8"))


def _used(name: str, plugins: list[Any]) -> str:
    """How to open it, with a wish that it knows."""
    codes = [code for each in plugins for code in _codes(each["manifest"])]
    wish = f'aus={{"{codes[-1]}": 2.0}}' if codes else 'prompt="a portrait"'
    call = "edit" if any("pictures.source" in each["manifest"]["needs"] for each in plugins) else "generate"
    given = '"photo.jpg", ' if call == "edit" else ""
    return f'```python\nimport faceforge as ff\n\nff.load("{name}").{call}({given}{wish}).image.save("made.png")\n```'


def _row(manifest: Mapping[str, Any]) -> str:
    said = ", ".join(f"{code} ({UNITS[code].name})" for code in _codes(manifest)) or "none"
    return f"| {manifest['name']} | {manifest['summary']} | {said} | {manifest['licence']} |"


def _codes(manifest: Mapping[str, Any]) -> list[str]:
    from faceforge.core.manifest import Aus

    return list(Aus(**manifest["aus"]).codes) if manifest.get("aus") else []


def _trained(run: Path) -> str:
    told = lines(run / "losses.jsonl")
    if not told:
        return ""
    last = told[-1]
    return f"{last['step']} of {last['steps']} steps in {last['seconds'] / 3600:.1f} hours."


def _measured(run: Path) -> str:
    figures = lines(run / FIGURES)
    if not figures:
        return "Nothing was measured."
    names = [name for name in figures[-1] if name != "step"]
    rows = "\n".join(f"| {name} | {figures[-1][name]:.4g} |" for name in names)
    return f"On people who were not trained on, at step {figures[-1]['step']}.\n\n| figure | value |\n|---|---|\n{rows}"

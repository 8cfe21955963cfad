"""Two evaluations side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from faceforge.errors import BadSpec
from faceforge.mer.fidelity import HEADLINE


def read_report(folder: Path) -> dict[str, Any]:
    """The report in a folder."""
    path = folder / "report.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadSpec(f"{str(path)!r} is no report ({error}). Give the folder of a finished evaluation.") from None
    if not isinstance(found, dict) or "scores" not in found:
        raise BadSpec(f"{str(path)!r} is no report. Give the folder of a finished evaluation.")
    return found


def against(now: Mapping[str, Any], before: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What changed in the headlines of the judges that both asked, and what makes them hard to compare."""
    return {
        "folder": folder.name,
        "editor": before["editor"],
        "changes": list(_changes(now, before)),
        "notes": list(_differences(now, before)),
    }


def _changes(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for judge in now["scores"]:
        for name in HEADLINE:
            old, new = (each["scores"].get(judge, {}).get("headline", {}).get(name) for each in (before, now))
            change = None if old is None or new is None else new - old
            yield {"judge": judge, "name": name, "before": old, "now": new, "change": change}


def _differences(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    for what in ("faces", "plan", "judges", "faceforge"):
        if now[what] != before[what]:
            yield f"The two differ in {what}, so part of the change may be due to that."

"""What `check` does, line by line on stdout; every function gives back the number of failures."""

from __future__ import annotations

import json
from pathlib import Path

import click

from faceforge.cli.repeat import SAMPLE
from faceforge.core.device import best_device
from faceforge.core.plugin import Plugin
from faceforge.dose import measure, store
from faceforge.errors import BadWeights, FaceForgeError
from faceforge.mer.judges import judge
from faceforge.models import load_forge
from faceforge.store.checkpoint import damaged
from faceforge.store.registry import plugin_class
from faceforge.testing import contract

MOST = 100  # exit codes from 126 on have meanings of their own


def check_class(kind: type[Plugin]) -> int:
    """Every law, for one class."""
    report = contract(kind)
    for outcome in report.results:
        _tell(f"{kind.manifest.name}: {outcome.name}", "" if outcome.passed else outcome.detail or "broken")
    return min(report.failures, MOST)


def check_saved(folder: Path) -> int:
    """A saved model loads, its plugins' tensors are those that were saved, and their classes keep the laws."""
    saved = sorted(path.parent for path in folder.glob("plugins/*/manifest.json"))
    failures: int = _tell(f"{folder.name}: loads", _why_not_loaded(folder))
    failures += sum(_tell(f"{plugin.name}: holds what was saved", _why_damaged(plugin)) for plugin in saved)
    for kind in sorted({_kind(plugin) for plugin in saved}):
        failures += check_class(plugin_class(kind))
    return min(failures, MOST)


def measure_dose(plugin: str, image: Path | None, model: Path | None, by: str) -> int:
    """Ask a judge what one unit of each AU does in a saved model, and keep the answer with the plugin."""
    if model is None:
        raise click.UsageError("--dose measures a saved model: name its folder with --model.")
    seen = judge(by)
    forge = load_forge(model).to(device=best_device())
    slopes = measure(forge, plugin, image or SAMPLE, seen)
    ignored = store(model, plugin, slopes)
    for code, slope in slopes.items():
        remark = ", too little to correct for" if code in ignored else ", the wrong way round" if slope < 0 else ""
        click.echo(f"{code}: {slope:+.2f} units for each unit asked{remark}")
    click.echo(f"stored in {model / 'plugins' / plugin / 'manifest.json'}; AU numbers are corrected by it from now on")
    return 0


def _tell(name: str, fault: str) -> bool:
    """One line; true if there is a fault."""
    click.echo(f"FAILED  {name}: {' '.join(fault.split())}" if fault else f"ok      {name}")
    return bool(fault)


def _why_not_loaded(folder: Path) -> str:
    try:
        load_forge(folder)
    except FaceForgeError as error:
        return str(error)
    return ""


def _why_damaged(folder: Path) -> str:
    try:
        changed = damaged(folder)
    except FaceForgeError as error:
        return str(error)
    return f"changed since: {', '.join(changed[:3])}" if changed else ""


def _kind(folder: Path) -> str:
    path = folder / "manifest.json"
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["kind"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadWeights(f"{str(path)!r} cannot be used: {error!r}. Convert or save the model again.") from None

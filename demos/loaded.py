"""What is loaded and what could be, as a table: where each plugin attaches, what it reads, who allows what."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from faceforge.core.manifest import Manifest
from faceforge.store.registry import listings
from faceforge.store.shipped import shipped

if TYPE_CHECKING:
    from faceforge.forge import Forge

_HEADS = ("plugin", "attaches at", "action units", "strength by default", "code", "weights")
_ALLOWED = {True: "commercial use allowed", False: "no commercial use", None: "commercial use not verified"}


def tables(forge: Forge | None) -> str:
    """HTML: the plugins of the loaded model, then those that are installed besides."""
    names = set() if forge is None else set(forge.plugins)
    others = [each for each in listings() if each.name not in names]
    rest = _table(each.manifest for each in others if each.manifest)
    broken = "".join(f"<p>{escape(each.name)} is broken: {escape(each.broken)}</p>" for each in others if each.broken)
    return f"<h3>Loaded</h3>{_own(forge)}<h3>Installed, and not loaded</h3>{rest}{broken}{_how()}"


def known_models() -> list[str]:
    """Generators that `faceforge demo --model` knows by name."""
    return ["tiny", *shipped(), *(name for each in listings() if each.manifest for name in each.manifest.releases)]


def _own(forge: Forge | None) -> str:
    if forge is None:
        return "<p>None: the warp moves a photograph's own pixels and has no network that a plugin could attach to.</p>"
    return _table(each.manifest for each in forge.plugins.values())


def _how() -> str:
    """What to type for the others."""
    known = ", ".join(f"<code>{escape(name)}</code>" for name in known_models())
    return (
        f"<p>Another model: <code>faceforge demo --model NAME</code>, with one of {known}, a saved folder or a hub id. "
        "A plugin of your own: <code>faceforge new my-plugin</code>; its controls appear in the Edit tab.</p>"
    )


def _table(manifests: Iterable[Manifest]) -> str:
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(each))}</tr>" for each in manifests)
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cells(own: Manifest) -> list[str]:
    """A row: text of manifests is anybody's, so it is escaped."""
    points = "<br>".join(f"{point.value} <small>{point.law.value}</small>" for point in own.points) or "-"
    wish = {"change": "changes", "absolute": "intensities"}
    units = f"{len(own.aus.codes)} <small>{wish[own.aus.kind]}</small>" if own.aus else "-"
    weights = own.weights
    licence = escape(weights.licence)
    if weights.source:
        licence += f"<small>{escape(weights.source)}; {_ALLOWED[weights.commercial]}</small>"
    if weights.training_data:
        licence += f"<small>trained on {escape(weights.training_data)}</small>"
    strength = "-" if own.name == "text" else "1"
    if own.controls:
        strength += f"<small>controls: {escape(', '.join(own.controls))}</small>"
    name = f"<b>{escape(own.name)}</b> {escape(own.version)}<small>{escape(own.summary)}</small>"
    return [name, points, units, strength, escape(own.licence), licence]

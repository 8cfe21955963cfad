"""Asked against measured, as bars around 'no change', and whether it is still the same person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from faceforge import aus
from faceforge.mer import judges
from faceforge_demos.edits import Edit
from faceforge_demos.measuring import Measured

LEAST = 0.5  # a unit nobody asked for is worth a row from here on, in FACS units
END = 5.0


def chart(edit: Edit) -> str:
    """HTML: a row for every unit that was asked for, or that a judge saw move, and the identity."""
    if edit.is_source:
        return _plain("Move a slider and let it go: here stands what was asked, and what a judge sees of it.")
    if edit.measured is None:
        return _plain("The judge found no face in the edited picture, so nothing is measured.")
    return f'<div class="chart">{_units(edit, edit.measured)}{_identity(edit.measured)}</div>'


def notes(lines: Iterable[str]) -> str:
    """HTML: what the user should know of an edit."""
    return "".join(f'<p class="note">{escape(each)}</p>' for each in lines)


def _units(edit: Edit, measured: Measured) -> str:
    asked = _unsided(edit.spec.aus)
    moved = [code for code, value in measured.aus.items() if abs(value) >= LEAST]
    codes = [code for code in aus.UNITS if code in asked or code in moved]
    if not codes:
        return "<p>No action unit was asked for, and the judge saw none move.</p>"
    rows = "".join(_row(code, asked.get(code, 0.0), measured.aus.get(code)) for code in codes)
    judge = f"Judge: {judges.DEFAULT}, a small network of FaceForge; it compares the face before and after."
    legend = '<span class="asked key"></span> asked <span class="measured key"></span> measured'
    return f'<p>{legend}, in FACS units</p><table id="units">{rows}</table><p>{judge}</p>'


def _identity(measured: Measured) -> str:
    """The likeness as one bar, beside how far such a number can be trusted."""
    share = 100 * min(max(measured.identity, 0.0), 1.0)
    trust = "" if measured.confusion is None else f" It confuses {100 * measured.confusion:.0f} % of people."
    said = f"Identity: 1 is the very same face, to a small network of FaceForge.{trust}"
    bar = f'<td class="share"><span class="measured" style="width:{share:.1f}%"></span></td>'
    row = f"<tr><th>identity <small>likeness</small></th>{bar}<td>{measured.identity:.2f} of 1</td></tr>"
    return f'<table id="identity">{row}</table><p>{said}</p>'


def _unsided(asked: Mapping[str, float]) -> dict[str, float]:
    return {aus.unsided(code): value for code, value in asked.items()}


def _row(code: str, asked: float, measured: float | None) -> str:
    said = "unread" if measured is None else f"{measured:+.1f}"
    bars = _bar("asked", asked) + _bar("measured", measured or 0.0)
    name = escape(aus.UNITS[code].name)
    return f'<tr><th>{code} <small>{name}</small></th><td class="bars">{bars}</td><td>{asked:+.1f} → {said}</td></tr>'


def _bar(kind: str, value: float) -> str:
    width = 50 * min(abs(value) / END, 1.0)
    left = 50 - width if value < 0 else 50
    return f'<span class="{kind}" style="left:{left:.1f}%;width:{width:.1f}%"></span>'


def _plain(text: str) -> str:
    return f'<p class="empty">{text}</p>'

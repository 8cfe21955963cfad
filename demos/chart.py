"""Asked against measured, as bars around 'no change'."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from faceforge import aus
from faceforge.mer import judges
from faceforge_demos.session import Edit

LEAST = 0.5  # a unit nobody asked for is worth a row from here on, in FACS units
END = 5.0


def chart(edit: Edit) -> str:
    """HTML: a row for every unit that was asked for, or that a judge saw move."""
    asked = _unsided(edit.spec.aus)
    if edit.measured is None:
        return _plain("The judge found no face in the edited picture, so nothing is measured.")
    moved = [code for code, value in edit.measured.items() if abs(value) >= LEAST]
    codes = [code for code in aus.UNITS if code in asked or code in moved]
    if not codes:
        return _plain("Move a slider and let it go: here stands what was asked, and what a judge sees of it.")
    rows = "".join(_row(code, asked.get(code, 0.0), edit.measured.get(code)) for code in codes)
    judge = f"Judge: {judges.DEFAULT}, a small network of FaceForge; it compares the face before and after."
    legend = '<span class="asked key"></span> asked <span class="measured key"></span> measured'
    return f'<div class="chart"><p>{legend}, in FACS units</p><table>{rows}</table><p>{judge}</p></div>'


def notes(edit: Edit) -> str:
    """HTML: what the user should know of an edit."""
    return "".join(f'<p class="note">{escape(each)}</p>' for each in edit.notes)


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

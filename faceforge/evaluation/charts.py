"""Tables and drawings of a report as HTML and SVG text; nothing is fetched, nothing runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_WIDTH, _HEIGHT, _EDGE = 190, 130, 26


def number(value: Any, digits: int = 2) -> str:
    """A number as text; what is undefined is a dash.

    >>> number(0.756), number(None), number(3)
    ('0.76', '–', '3')
    """
    if value is None:
        return "–"
    return f"{value:.{digits}f}" if isinstance(value, float) else escape(str(value))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are HTML already."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def heat(matrix: Sequence[Sequence[float | None]], codes: Sequence[str], asked: Sequence[str]) -> str:
    """The response matrix: what one unit of each row does to each column; blue more, red less."""
    head = "".join(f"<th>{escape(code.removeprefix('AU'))}</th>" for code in codes)
    rows = ""
    for code, row in zip(codes, matrix, strict=True):
        if code in asked:
            cells = "".join(_heat_cell(value, code == other) for other, value in zip(codes, row, strict=True))
            rows += f"<tr><th>{escape(code)}</th>{cells}</tr>"
    return f'<table class="heat"><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _heat_cell(value: float | None, own: bool) -> str:
    if value is None:
        return "<td>–</td>"
    strength = min(1.0, abs(value))
    colour = f"rgba({'30,90,200' if value > 0 else '200,50,40'},{strength:.2f})"
    dark = ";color:#fff" if strength > 0.6 else ""
    return f'<td class="{"own" if own else ""}" style="background:{colour}{dark}">{value:.2f}</td>'


def curve(title: str, points: Sequence[Sequence[float]], tau: float | None) -> str:
    """Response over dose: the median, its quartiles as bars, the diagonal dashed, the threshold dotted."""
    doses = [each[0] for each in points]
    low, high = min([0.0, *doses]), max([0.0, *doses])
    least = min([low, *(each[2] for each in points)])
    most = max([high, *(each[3] for each in points)])

    def at(dose: float, response: float) -> tuple[float, float]:
        x = _EDGE + (dose - low) / max(high - low, 1e-9) * (_WIDTH - _EDGE - 8)
        return x, _HEIGHT - 20 - (response - least) / max(most - least, 1e-9) * (_HEIGHT - 38)

    drawn = _line(at(low, low), at(high, high), "diagonal") + _line(at(low, 0), at(high, 0), "axis")
    if tau is not None:
        drawn += _line(at(low, tau), at(high, tau), "tau")
    for dose, _, lower, upper in points:
        drawn += _line(at(dose, lower), at(dose, upper), "spread")
    path = " ".join(
        f"{x:.1f},{y:.1f}" for x, y in [at(0, 0), *(at(each[0], each[1]) for each in points if each[0] > 0)]
    )
    drawn += f'<polyline points="{path}"/>'
    marks = "".join(_text(*at(dose, least), f"{dose:g}", 12) for dose in doses)
    levels = f'<text x="2" y="{at(0, most)[1] + 4:.0f}">{most:.1f}</text>'
    levels += f'<text x="2" y="{at(0, least)[1]:.0f}">{least:.1f}</text>'
    head = f'<text class="title" x="{_EDGE}" y="11">{escape(title)}</text>'
    return f'<svg class="curve" viewBox="0 0 {_WIDTH} {_HEIGHT}">{head}{drawn}{marks}{levels}</svg>'


def with_interval(values: Mapping[str, Any], name: str) -> str:
    """A number of the headline with its interval below."""
    low, high = values["intervals"].get(name, (None, None))
    around = "" if low is None else f"<small>{number(low)} to {number(high)}</small>"
    return f"{number(values['headline'][name])}{around}"


def _line(start: tuple[float, float], end: tuple[float, float], kind: str) -> str:
    return f'<line class="{kind}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'


def _text(x: float, y: float, words: str, below: float) -> str:
    return f'<text text-anchor="middle" x="{x:.1f}" y="{y + below:.1f}">{escape(words)}</text>'

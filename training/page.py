"""run.html: what was trained, how its losses fell, how it was judged, and what it draws."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from math import log10
from typing import Any

from faceforge_training.settings import Recipe

_WIDE, _HIGH = 760, 220
_COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b83280")
_NEWEST = 3  # steps whose pictures are shown

Line = Mapping[str, Any]

_STYLE = "body{font:15px/1.5 sans-serif;max-width:800px;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
_STYLE += "td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #ddd}img{max-width:100%}pre{overflow:auto}"


def page(recipe: Recipe, told: Sequence[Line], figures: Sequence[Line], pictures: Sequence[str]) -> str:
    """The whole page."""
    done = f"step {told[-1]['step']} of {told[-1]['steps']}, {told[-1]['seconds'] / 60:.1f} minutes" if told else ""
    names = list(dict.fromkeys(name for line in told for name in line["losses"]))
    curves = {name: [(line["step"], line["losses"][name]) for line in told if name in line["losses"]] for name in names}
    settings = "\n".join(f"{name} = {value}" for name, value in vars(recipe).items())
    return (
        f"<!doctype html><meta charset=utf-8><title>{escape(recipe.name)}</title><style>{_STYLE}</style>"
        f"<h1>{escape(recipe.name)}</h1><p>{done}</p>{plot(curves)}{_table(figures)}{_shown(pictures)}"
        f"<details><summary>Settings</summary><pre>{escape(settings)}</pre></details>\n"
    )


def plot(curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Curves over steps as SVG, on a scale of powers of ten."""
    points = [(x, y) for curve in curves.values() for x, y in curve if y > 0]
    if not points:
        return "<p>Nothing has been told yet.</p>"
    last = max(x for x, _ in points)
    low, high = (log10(extreme(y for _, y in points)) for extreme in (min, max))
    high = max(high, low + 0.1)
    drawn = []
    for (name, curve), colour in zip(curves.items(), _COLOURS * len(curves), strict=False):
        path = " ".join(
            f"{_WIDE * x / last:.1f},{_HIGH * (high - log10(y)) / (high - low):.1f}" for x, y in curve if y > 0
        )
        value = f"{curve[-1][1]:.4f}" if curve else ""
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        drawn.append(f'<text x="{_WIDE - 8}" y="{16 * (len(drawn) + 1) / 2:.0f}" text-anchor="end" fill="{colour}">')
        drawn[-1] += f"{escape(name)} {value}</text>"
    scale = f'<text x="4" y="14">{10**high:.3g}</text><text x="4" y="{_HIGH - 4}">{10**low:.3g}</text>'
    return f'<svg viewBox="0 0 {_WIDE} {_HIGH}" font-size="13" width="100%">{"".join(drawn)}{scale}</svg>'


def _table(figures: Sequence[Line]) -> str:
    if not figures:
        return ""
    names = list(dict.fromkeys(name for line in figures for name in line))
    rows = [[f"{line.get(name, ''):.4g}" if name in line else "" for name in names] for line in figures]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<h2>Validation</h2><table><tr>{head}</tr>{body}</table>"


def _shown(pictures: Sequence[str]) -> str:
    by_step = [(step, list(some)) for step, some in groupby(pictures, key=lambda each: each.split("/")[1])]
    newest = [
        f"<h3>step {int(step)}</h3>"
        + "".join(f'<p><img src="{escape(each)}" alt="{escape(each)}"></p>' for each in some)
        for step, some in reversed(by_step[-_NEWEST:])
    ]
    return f"<h2>Pictures</h2>{''.join(newest)}" if newest else ""

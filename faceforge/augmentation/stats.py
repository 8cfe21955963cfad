"""What a finished dataset holds: requested against measured, and the shares that its targets reached."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from faceforge.augmentation.layouts import LAYOUTS
from faceforge.augmentation.plan import CARD, Plan
from faceforge.augmentation.report import Report, total
from faceforge.errors import BadSpec
from faceforge.evaluation.charts import curve, number, table
from faceforge.io.resuming import save
from faceforge.mer import agreement

_STEPS = 6  # points of a curve
_LEAST = 5  # requests of a unit, below which nothing is said of it
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:960px;margin:2em auto;padding:0 1em;color:#1c2330;background:#fff}
table{border-collapse:collapse;margin:.6em 0}th,td{padding:.25em .6em;text-align:right}
td:first-child,th:first-child{text-align:left}thead th{border-bottom:1px solid #9aa5b5}
.curves{display:flex;flex-wrap:wrap;gap:6px}.curve{width:190px;border:1px solid #e2e6ec;border-radius:4px}
.curve text{font:9px system-ui,sans-serif;fill:#5d6878}.curve .title{font-size:11px;font-weight:600;fill:#1c2330}
.curve polyline{fill:none;stroke:#1e5ac8;stroke-width:2}
.curve line{stroke:#9aa5b5}.curve .diagonal{stroke-dasharray:4 3}
.curve .spread{stroke:#1e5ac8;stroke-width:3;opacity:.35}
"""


@dataclass(frozen=True)
class Agreement:
    """One action unit over all variants that ask for it."""

    code: str
    asked: int  # variants
    error: float  # mean, in FACS units
    correlation: float | None
    points: Sequence[Sequence[float]]  # request, median, quartiles: of parts of equal size


@dataclass(frozen=True)
class Statistics:
    """Everything that `stats` tells."""

    report: Report
    units: Sequence[Agreement]
    shares: Mapping[str, Mapping[str, tuple[float, float]]]  # target -> bin -> wanted, reached
    kept: Mapping[str, tuple[float, float]]  # identity and leakage: median, worst tenth

    def lines(self) -> Iterator[str]:
        """The same in words."""
        yield self.report.describe()
        for name, bins in self.shares.items():
            told = ", ".join(f"{key} {reached:.1%} (wanted {wanted:.1%})" for key, (wanted, reached) in bins.items())
            yield f"{name}: {told}"
        for each in self.units:
            known = number(each.correlation)
            yield f"{each.code}: {each.asked} asked, mean error {each.error:.2f}, correlation {known}"
        for name, (median, worst) in self.kept.items():
            yield f"{name}: median {median:.2f}, worst tenth {worst:.2f}"


def statistics(folder: Path) -> Statistics:
    """What lies in the folder of a run, finished or not."""
    plan = _plan(folder)
    layout = LAYOUTS[plan.output.layout](folder)
    numbers = [int(path.stem) for path in sorted(layout.reports.glob("[!.]*.json"))]
    report = total(done for number in numbers if (done := layout.done(number)))
    seen = _Seen.of(plan.units, layout.all_rows())
    kept = {name: _spread(seen.kept[name], worst) for name, worst in (("identity", 0.1), ("leakage", 0.9))}
    return Statistics(
        report,
        units=[found for code in plan.units if (found := _agreement(code, *seen.pairs[code]))],
        shares={name: _shares(name, plan, report) for name in plan.targets},
        kept={name: spread for name, spread in kept.items() if spread},
    )


def write_page(found: Statistics, folder: Path) -> Path:
    """stats.html, which needs nothing but a browser."""
    rows = [[each.code, str(each.asked), number(each.error), number(each.correlation)] for each in found.units]
    drawn = "".join(curve(each.code, each.points, None) for each in found.units)
    parts = [f"<h1>Augmented faces</h1><p>{escape(found.report.describe())}.</p>"]
    for name, bins in found.shares.items():
        cells = [[escape(key), f"{wanted:.1%}", f"{reached:.1%}"] for key, (wanted, reached) in bins.items()]
        parts.append(f"<h2>{escape(name)}</h2>{table(['', 'wanted', 'reached'], cells)}")
    parts.append(
        "<h2>Requested against measured</h2><p>Median and quartiles of what the judge sees, in FACS units.</p>"
    )
    parts.append(f'<div class="curves">{drawn}</div>{table(["unit", "asked", "mean error", "correlation"], rows)}')
    kept = [[name, number(median), number(worst)] for name, (median, worst) in found.kept.items()]
    parts.append(f"<h2>What was kept</h2>{table(['', 'median', 'worst tenth'], kept)}")
    head = f'<meta charset="utf-8"><title>Augmented faces</title><style>{_STYLE}</style>'
    path = folder / "stats.html"
    save(path, f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n')
    return path


def _plan(folder: Path) -> Plan:
    try:
        return Plan.of(json.loads((folder / CARD).read_text(encoding="utf-8"))["plan"])
    except (OSError, ValueError, KeyError, TypeError) as reason:
        raise BadSpec(
            f"{str(folder)!r} is no output of `faceforge augment` ({reason}). Give the folder of a run."
        ) from reason


@dataclass(frozen=True)
class _Seen:
    """Of every row only the numbers that are counted: there may be a million."""

    pairs: Mapping[str, tuple[array[float], array[float]]]  # unit -> requested, measured, where both are told
    kept: Mapping[str, array[float]]

    @classmethod
    def of(cls, units: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> _Seen:
        found = cls({code: (array("d"), array("d")) for code in units}, {"identity": array("d"), "leakage": array("d")})
        for row in rows:
            if row["variant"] is not None:
                found._add(row)
        return found

    def _add(self, row: Mapping[str, Any]) -> None:
        for code, (asked, seen) in self.pairs.items():
            measured = row["measured"].get(code)
            if row["requested"][code] and measured is not None:
                asked.append(row["requested"][code])
                seen.append(measured)
        for name, values in self.kept.items():
            if row[name] is not None:
                values.append(row[name])


def _agreement(code: str, requested: Sequence[float], measured: Sequence[float]) -> Agreement | None:
    """Requested against measured, where the judge reads the unit."""
    asked, seen = np.array(requested), np.array(measured)
    if len(asked) < _LEAST:
        return None
    parts = np.array_split(np.argsort(asked, kind="stable"), min(_STEPS, len(asked) // 2))
    points = [[float(asked[part].mean()), *np.quantile(seen[part], (0.5, 0.25, 0.75)).tolist()] for part in parts]
    correlation = float(agreement.pcc(asked[:, None], seen[:, None])[0])
    known = None if np.isnan(correlation) else correlation
    return Agreement(code, len(asked), float(np.abs(asked - seen).mean()), known, points)


def _shares(name: str, plan: Plan, report: Report) -> dict[str, tuple[float, float]]:
    wanted, reached = {key: each.share for key, each in plan.targets[name].items()}, report.targets.get(name, Counter())
    whole, there = sum(wanted.values()), sum(reached.values()) or 1
    return {key: (share / whole, reached[key] / there) for key, share in wanted.items()}


def _spread(values: Sequence[float], worst: float) -> tuple[float, float] | None:
    return (float(np.median(values)), float(np.quantile(values, worst))) if values else None

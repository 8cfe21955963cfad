"""A report as one HTML file that needs nothing else: no script, no font, no address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from faceforge.evaluation.charts import curve, heat, number, table, with_interval
from faceforge.evaluation.observing import Observation
from faceforge.evaluation.report import KEPT
from faceforge.evaluation.strips import strip, worst
from faceforge.mer.fidelity import HEADLINE
from faceforge.mer.judges import Judge

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:1080px;margin:2em auto;padding:0 1em;color:#1c2330;background:#fff}
h1{font-size:1.6em}h2{margin-top:1.8em;border-bottom:1px solid #d6dbe4;padding-bottom:.2em}h3{margin:1.2em 0 .3em}
table{border-collapse:collapse;margin:.6em 0;display:block;overflow-x:auto}th,td{padding:.25em .6em;text-align:right}
th{font-weight:600}thead th{border-bottom:1px solid #9aa5b5}td:first-child,th:first-child{text-align:left}
small{display:block;color:#5d6878}.heat td{min-width:2.2em;text-align:center;font-size:.85em}
.heat .own{outline:2px solid #1c2330;outline-offset:-2px}.curves{display:flex;flex-wrap:wrap;gap:6px}
.curve{width:190px;border:1px solid #e2e6ec;border-radius:4px}.curve text{font:9px system-ui,sans-serif;fill:#5d6878}
.curve .title{font-size:11px;font-weight:600;fill:#1c2330}.curve polyline{fill:none;stroke:#1e5ac8;stroke-width:2}
.curve line{stroke:#9aa5b5}.curve .diagonal{stroke-dasharray:4 3}.curve .tau{stroke:#c8322a;stroke-dasharray:1 3}
.curve .spread{stroke:#1e5ac8;stroke-width:3;opacity:.35}figure{display:inline-block;margin:.4em .8em .4em 0}
figcaption{font-size:.85em;color:#5d6878}.quiet{color:#5d6878}
"""
_WORDS = {
    "icc": "ICC(3,1)",
    "signed_f1": "signed F1",
    "leakage_ratio": "leakage ratio",
    "spearman": "median Spearman",
    "identity": "identity (cosine)",
    "pose_deg": "pose change (degrees)",
    "light": "light change (share)",
    "background_psnr": "background PSNR (dB)",
    "background_ssim": "background SSIM",
    "gmsd": "perceptual distance (GMSD)",
}


def page(report: Mapping[str, Any], seen: Sequence[Observation], judges: Sequence[Judge], folder: Path) -> str:
    """The whole file."""
    parts = [_opening(report), _comparison(report.get("against")), _headlines(report), _preserved(report)]
    parts += [_of_judge(report, judge) for judge in judges if report["scores"][judge.facts.name]["edits"]]
    parts += [_slices(report, judges), _worst(seen, judges, folder), _troubles(report)]
    head = f'<meta charset="utf-8"><title>FaceForge: {escape(str(report["editor"]))}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _opening(report: Mapping[str, Any]) -> str:
    faces = len(report["faces"])
    words = f"{report['observations']} edits of {faces} faces, FaceForge {escape(report['faceforge'])}."
    judges = "; ".join(_named(each) for each in report["judges"])
    cut = f" {report['cut']} doses were cut to what the face can show." if report["cut"] else ""
    drift = f" In {report['drifted']} the head moved; judges of motion left them out." if report["drifted"] else ""
    identity = _told_apart(report["embedding"])
    return (
        f"<h1>What {escape(str(report['editor']))} does when it is asked</h1><p>{words}{cut}{drift}</p>"
        f'<p class="quiet">Judges: {judges}. Identity: {escape(identity)}.</p>'
    )


def _told_apart(embedding: Mapping[str, Any] | None) -> str:
    if embedding is None:
        return "not asked"
    rate = embedding["equal_error_rate"]
    known = "unknown" if rate is None else f"{rate:.1%}"
    return f"{embedding['name']} (equal-error rate {known}, weights {embedding['weights'][:12]})"


def _named(facts: Mapping[str, str]) -> str:
    about = [f"faces by {facts['finder']}"] if facts["finder"] else []
    about += [f"weights {facts['weights'][:12]}"] if facts["weights"] else ["no weights"]
    about += [f"flow {facts['flow']}, preset {facts['preset']}"] if facts["flow"] else []
    return escape(f"{facts['name']} ({', '.join(about)})")


def _headlines(report: Mapping[str, Any]) -> str:
    rows = []
    for name, found in report["scores"].items():
        if found["edits"]:
            raw = ", ".join(number(found["raw"][each]) for each in HEADLINE)
            rows.append([escape(name), *(with_interval(found, each) for each in HEADLINE), raw])
    about = (
        "Intervals are 95 % over people. Scores are of detections less what the judge says of an edit of nothing; "
        "the last column holds the same four without that."
    )
    heads = ["judge", *(_WORDS[each] for each in HEADLINE), "raw"]
    return f'<h2>Headline</h2>{table(heads, rows)}<p class="quiet">{about}</p>'


def _preserved(report: Mapping[str, Any]) -> str:
    rows = []
    for name in KEPT:
        found = report["preserved"][name]
        values = ["–", "–", "0"] if found is None else [number(found[each]) for each in ("median", "worst_tenth", "n")]
        rows.append([_WORDS[name], *values])
    return f"<h2>What was kept</h2>{table(['', 'median', 'worst tenth', 'edits'], rows)}"


def _of_judge(report: Mapping[str, Any], judge: Judge) -> str:
    name = judge.facts.name
    found, responses = report["scores"][name], report["responses"][name]
    measures = ("icc", "pcc", "mae", "mse", "bias", "signed_f1")
    rows = []
    for place, code in enumerate(judge.codes):
        if code in responses:
            dose = found["dose_response"].get(code, {})
            steps = [number(dose.get(each)) for each in ("spearman", "monotone", "slope", "saturation")]
            own = [found["dominance"][place], found["consistency"][code], found["tau"][code]]
            units = [number(found["per_au"][code][each]) for each in measures]
            rows.append([code, *units, *steps, *map(number, own)])
    means = [number(found["mean"][each]) for each in measures]
    heads = ["unit", "ICC", "PCC", "MAE", "MSE", "bias", "F1", "Spearman", "rising", "slope", "saturates", "own share"]
    leaks = found["collateral"]
    words = (
        f"Units nobody asked for change by {number(leaks['abs_change_off'])} on average, asked ones by "
        f"{number(leaks['abs_change_on'])}; {number(leaks['false_activation_rate'])} of the first count as moved. "
        f"Without units that anatomy couples, the leakage ratio is "
        f"{number(found['collateral_soft']['leakage_ratio'])}. {' '.join(found['notes'])}"
    )
    drawn = "".join(curve(code, points, found["tau"][code]) for code, points in responses.items())
    return (
        f"<h2>As {escape(name)} sees it</h2>"
        f"{table([*heads, 'seeds', 'tau'], [*rows, ['mean', *means, *[''] * 7]])}"
        f"<p>{escape(words)}</p><h3>Response matrix</h3>"
        f'<p class="quiet">What one unit asked of a row does to each column.</p>'
        f"{heat(found['response_matrix'], judge.codes, tuple(responses))}"
        f'<h3>Dose and response</h3><div class="curves">{drawn}</div>'
    )


def _slices(report: Mapping[str, Any], judges: Sequence[Judge]) -> str:
    parts = []
    for judge in judges:
        groups = report["scores"][judge.facts.name].get("slices", {})
        rows = []
        for group, each in groups.items():
            for value, own in each["values"].items():
                cells = [with_interval(own, name) for name in HEADLINE]
                rows.append([escape(f"{group}: {value}"), number(own["identities"]), *cells])
            gaps = [_gap(each["gaps"][name]) for name in HEADLINE]
            rows.append([f"<b>{escape(group)}: largest gap</b>", "", *gaps])
        if rows:
            heads = ["group", "people", *(_WORDS[name] for name in HEADLINE)]
            parts.append(f"<h3>{escape(judge.facts.name)}</h3>{table(heads, rows)}")
    return f"<h2>By group</h2>{''.join(parts)}" if parts else ""


def _gap(gap: Mapping[str, Any] | None) -> str:
    if gap is None:
        return "–"
    between = f"<small>{escape(gap['low'])} to {escape(gap['high'])}</small>" if gap["size"] else ""
    return f"{number(gap['size'])}{between}"


def _worst(seen: Sequence[Observation], judges: Sequence[Judge], folder: Path) -> str:
    if not judges:
        return ""
    figures = ""
    for each, code, error in worst(seen, judges[0]):
        words = f"{each.face}: {code} {each.requested[code]:+g} asked, {each.requested[code] + error:+.2f} seen"
        figures += f'<figure><img alt="{escape(words)}" src="{strip(each, folder)}">'
        figures += f"<figcaption>{escape(words)}</figcaption></figure>"
    about = f"By {escape(judges[0].facts.name)}: source, edit, and the change four times as strong."
    return f'<h2>Worst cases</h2><p class="quiet">{about}</p>{figures}'


def _troubles(report: Mapping[str, Any]) -> str:
    rows = [[escape(Path(each["picture"]).name), escape(each["why"])] for each in report["troubles"]]
    return f"<h2>Not judged</h2>{table(['picture', 'reason'], rows)}" if rows else ""


def _comparison(against: Mapping[str, Any] | None) -> str:
    if against is None:
        return ""
    rows = [
        [escape(each["judge"]), _WORDS[each["name"]], *(number(each[part]) for part in ("before", "now", "change"))]
        for each in against["changes"]
    ]
    heads = ["judge", "score", escape(str(against["editor"])), "now", "change"]
    notes = "".join(f"<p>{escape(note)}</p>" for note in against["notes"])
    return f"<h2>Against {escape(str(against['folder']))}</h2>{table(heads, rows)}{notes}"

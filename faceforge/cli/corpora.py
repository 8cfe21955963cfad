"""What is found in a corpus, in words."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping

from faceforge.mer.corpora.checking import told
from faceforge.mer.corpora.clips import Clip, Finding, Reading


def following(clips: Iterable[Clip]) -> Iterable[Clip]:
    """Clips as they are looked at, with a bar on a terminal."""
    from tqdm import tqdm

    bar: Iterable[Clip] = tqdm(clips, unit="clip", leave=False, disable=None, file=sys.stderr)
    return bar


def lines(reading: Reading, most: int | None) -> Iterator[str]:
    """Everything about a corpus line by line, with at most so many findings of one kind."""
    facts = told(reading)
    yield f"{facts['title']}: {_clips(facts)}"
    for name in ("labels", "frames", "licence"):
        if facts[name]:
            yield f"  {name:8} {facts[name]}"
    if any(facts["classes"].values()):
        yield f"  classes  {_counts(facts['classes'], facts['classes_published'], 'MEGC2019')}"
    if facts["units"]:
        yield f"  units    {_counts(facts['units'], facts['units_published'], 'CD6ME')}"
    yield from (f"  note     {note}" for note in reading.notes)
    if reading.repairs:
        yield f"Repaired while reading, {len(reading.repairs)} cells:"
    for each in reading.repairs:
        yield f"  row {each.row} ({each.clip}): {each.column} {each.was!r} is read as {each.now!r}; {each.why}"
    for kind, findings in reading.kinds():
        yield from _kind(kind, findings, most)
    if not reading.findings:
        yield "Nothing is missing or inconsistent."


def _clips(facts: Mapping[str, object]) -> str:
    whole = facts["clips_published"]
    more = f"; the whole corpus has {whole}" if whole and whole != facts["clips"] else ""
    return f"{facts['clips']} clips can be used, of {facts['subjects']} subjects, from {facts['rows']} rows{more}"


def _counts(found: Mapping[str, int], published: Mapping[str, int] | None, where: str) -> str:
    """Counts, and where they differ from the published ones both."""
    names = dict.fromkeys([*(published or {}), *found])
    apart = {name for name, count in (published or {}).items() if found.get(name, 0) != count}
    each = [
        f"{name} {found.get(name, 0)}" + (f" ({published[name]})" if published and name in apart else "")
        for name in names
    ]
    ending = "" if published is None else f"; in brackets {where}" if apart else f"; as in {where}"
    return ", ".join(each) + ending


def _kind(kind: str, findings: list[Finding], most: int | None) -> Iterator[str]:
    yield f"{'Error' if findings[0].error else 'Note'}: {kind}, {len(findings)}"
    for each in findings[:most]:
        yield f"  {each.where}: {each.what}"
    if most is not None and len(findings) > most:
        yield f"  and {len(findings) - most} more (--all)"

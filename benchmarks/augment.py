"""What `faceforge augment` costs beside one `faceforge edit` per variant and beside a loop over `edit`."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import torch

from faceforge import load
from faceforge.augmentation.plan import Place, Plan
from faceforge.augmentation.running import run
from faceforge.evaluation.subjects import portraits

VARIANTS = 8
SINGLES = 2  # commands that are timed one by one
FILL = 20_000  # sources of the memory test, of which few are different

EXAMPLES = """
Seconds per picture are those that one more source adds, over its variants: starting up is left out. 'processor' is the
time of all processes together, which other work on the machine does not lengthen; 'clock' is.

  commands     one `faceforge edit` for each variant: every one starts, finds the face and fits the head
  loop         load once, `edit` for each variant, save: the editor remembers the last few photographs
  augment      the command with no gates, so that both do the same; then with two workers, then with gates

examples
  python benchmarks/augment.py
  python benchmarks/augment.py --faces 8 --json augment.json
  python benchmarks/augment.py --memory
"""


@dataclass(frozen=True)
class Cost:
    """Seconds per edited picture."""

    clock: float
    processor: float


def costs(faces: int, folder: Path) -> dict[str, Cost]:
    """Every way to make the same pictures, and the same with gates."""
    sources = _sources(folder / "in", 2 * faces)
    found = {"commands": _commands(sources, folder)}
    ways: dict[str, Callable[[Path, Path], None]] = {
        "loop": _loop,
        "augment": lambda given, to: _augment(given, to, workers=1, gates=False),
        "augment, 2 workers": lambda given, to: _augment(given, to, workers=2, gates=False),
        "augment, gates": lambda given, to: _augment(given, to, workers=1, gates=True),
    }
    part = _part(sources, faces, folder)
    _augment(part, folder / "warm", workers=1, gates=True)  # what is loaded once falls on no side
    for name, way in ways.items():
        few, many = _timed(way, part, folder / f"{name}-few"), _timed(way, sources, folder / f"{name}-many")
        found[name] = Cost(*((b - a) / (faces * VARIANTS) for a, b in zip(few, many, strict=True)))
    return found


def _sources(folder: Path, count: int) -> Path:
    folder.mkdir()
    for subject in portraits(count, size=128):
        subject.picture.image.save(folder / f"{subject.name}.png")
    return folder


def _part(sources: Path, count: int, folder: Path) -> Path:
    part = folder / "part"
    part.mkdir(exist_ok=True)
    for path in sorted(sources.iterdir())[:count]:
        (part / path.name).write_bytes(path.read_bytes())
    return part


def _plan(sources: Path, **more: Any) -> Plan:
    edit = {"expression": {"presets": ["duchenne-smile", "anger", "surprise"], "amount": {"uniform": [0.5, 1.0]}}}
    return Plan.of({"input": {"folder": str(sources)}, "variants": VARIANTS, "block": 4, "edit": edit, **more})


def _augment(sources: Path, to: Path, *, workers: int, gates: bool) -> None:
    asked = {"identity": 0.0, "attempts": 1} if gates else {"measure": False}
    run(_plan(sources, gates=asked), to, workers=workers)


def _loop(sources: Path, to: Path) -> None:
    plan, editor = _plan(sources), load(finder="embedded")
    to.mkdir()
    for number, path in enumerate(sorted(sources.iterdir())):
        for variant in range(VARIANTS):
            spec = plan.wish(path.name, {}, {}, Place(number, variant)).spec
            editor.edit(path, spec).save(to / f"{number}-{variant}.png")


def _commands(sources: Path, folder: Path) -> Cost:
    source = sorted(sources.iterdir())[0]
    start = "from faceforge.cli import main; main()"
    made = [sys.executable, "-c", start, "edit", source, "--au", "AU12=2", "--finder", "embedded"]

    def all_of_them() -> None:
        for number in range(SINGLES):
            subprocess.run([*made, "-o", folder / f"single-{number}.png"], check=True, stdout=subprocess.DEVNULL)

    clock, processor = _timed(all_of_them)
    return Cost(clock / SINGLES, processor / SINGLES)


def _timed(work: Callable[..., None], *given: Any) -> tuple[float, float]:
    """Seconds by the clock, and of the processor over this process and those that it waited for."""
    clock, before = time.perf_counter(), _processor()
    work(*given)
    return time.perf_counter() - clock, _processor() - before


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def memory(count: int, folder: Path) -> dict[int, float]:
    """Peak MiB of this process after ever more sources: a few faces of 96 pixels, over and over under other names."""
    (face,) = (subject.picture.image for subject in portraits(1, size=96))
    peaks = {}
    for share in (100, 10, 1):
        sources = folder / f"fill-{share}"
        sources.mkdir()
        face.save(sources / "first.png")
        for number in range(count // share - 1):
            os.link(sources / "first.png", sources / f"{number:06d}.png")
        plan = _plan(sources, variants=1, block=64, gates={"measure": False}, output={"layout": "shards"})
        run(plan, folder / f"filled-{share}")
        peaks[count // share] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return peaks


def lines(found: dict[str, Cost]) -> list[str]:
    loop, single = found["loop"], found["commands"]
    rows = ["| way | s per picture, clock | processor | times commands | times loop |", "|---|---|---|---|---|"]
    for name, each in found.items():
        faster = f"{single.processor / each.processor:.1f} | {loop.processor / each.processor:.2f}"
        rows.append(f"| {name} | {each.clock:.3f} | {each.processor:.3f} | {faster} |")
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=4, help="sources by which the longer run is longer (4)")
    parser.add_argument("--memory", action="store_true", help="peak memory over the number of sources instead")
    parser.add_argument("--fill", type=int, default=FILL, help=f"sources of the memory test ({FILL})")
    parser.add_argument("--json", type=Path, help="keep the numbers in a file")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        if asked.memory:
            peaks = memory(asked.fill, Path(place))
            print("\n".join(f"{count} sources: {peak:.0f} MiB" for count, peak in peaks.items()))
            return 0
        found = costs(asked.faces, Path(place))
    print("\n".join(lines(found)))
    if asked.json:
        asked.json.write_text(json.dumps({name: asdict(each) for name, each in found.items()}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

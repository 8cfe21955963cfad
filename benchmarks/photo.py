"""Editing photographs: how long each stage of the warp takes, beside a flat one, and what an outside judge answers."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import numpy as np
from PIL import Image
from scipy.stats import spearmanr

from benchmarks.flat import flat_warp
from benchmarks.measure import Timed, timed
from faceforge import EditSpec, load
from faceforge.editor import Editor
from faceforge.face.finding import Finder, named_finder
from faceforge.io.pictures import Picture, read_picture
from faceforge.jobs import Job
from faceforge.reading import Reader
from faceforge.warp.target import target
from faceforge.warp.warp import warp

ABOUT = """
what it prints
  times    per photograph, median of --repeats: find its faces, fit a head, prepare the plate, a warp each for several
           edits, and AU12 +2 by a flat warp; milliseconds on the clock and of processor time. Then a cold command from
           process start to file, and the most memory that an edit of --megapixels takes beyond the decoded picture.
  answers  MediaPipe's blendshapes at doses 0..4 of each unit (needs its model), edited by --model: the mean at 0 and 4,
           on how many photographs it has the right sign, and on how many it rises with every dose.

examples
  python benchmarks/photo.py ada.jpg bob.png
  python benchmarks/photo.py --megapixels 50 ada.jpg
  python benchmarks/photo.py --repeats 0 --model mini ada.jpg bob.png     # the answers alone
"""
# Which blendshapes answer to a unit.
ANSWERS = {
    "AU1": ("browInnerUp",), "AU2": ("browOuterUpLeft", "browOuterUpRight"), "AU4": ("browDownLeft", "browDownRight"),
    "AU5": ("eyeWideLeft", "eyeWideRight"), "AU6": ("cheekSquintLeft", "cheekSquintRight"),
    "AU12": ("mouthSmileLeft", "mouthSmileRight"), "AU15": ("mouthFrownLeft", "mouthFrownRight"),
    "AU20": ("mouthStretchLeft", "mouthStretchRight"), "AU25": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "AU26": ("jawOpen",), "AU43": ("eyeBlinkLeft", "eyeBlinkRight"),
}  # fmt: skip
EDITS = {
    "AU43 +5": EditSpec(aus={"AU43": 5}), "AU4 +4": EditSpec(aus={"AU4": 4}), "AU12 +2": EditSpec(aus={"AU12": 2}),
    "AU26 +4": EditSpec(aus={"AU26": 4}), "light": EditSpec(light="left"), "yaw 15": EditSpec(yaw_deg=15),
}  # fmt: skip
DOSES = (0, 1, 2, 3, 4)


def stages(path: Path, finder: Finder, repeats: int) -> dict[str, list[Timed]]:
    """Seconds of each stage of one photograph, as often as asked."""
    picture = read_picture(path)
    spent: dict[str, list[Timed]] = {}
    for _ in range(repeats):
        took, photograph = timed(lambda: Reader(finder).read(picture))
        spent.setdefault("find", []).append(took)
        took, readings = timed(lambda photograph=photograph: photograph.readings(1))
        spent.setdefault("fit", []).append(took)
        took, plate = timed(lambda photograph=photograph, readings=readings: photograph.plate(readings[0]))
        spent.setdefault("plate", []).append(took)
        for name, edit in EDITS.items():
            wanted = target(readings[0].fit, edit, plate.head)
            warp(plate, wanted)
            took = timed(lambda plate=plate, wanted=wanted: warp(plate, wanted))[0]
            spent.setdefault(f"warp, {name}", []).append(took)
        irises = readings[0].face.irises
        if irises is not None:
            flat = timed(lambda irises=irises: flat_warp(np.asarray(picture.image), irises, {"AU12": 2.0}))[0]
            spent.setdefault("flat warp", []).append(flat)
    return spent


def answers(picture: Picture, code: str, judge: object, editor: Editor) -> list[float]:
    """What the judge reads at every dose of one unit."""
    read = []
    for result in editor.edit_many(Job(picture, EditSpec(aus={code: dose})) for dose in DOSES):
        assert result.image is not None
        seen = judge.look(np.asarray(result.image.convert("RGB")))  # type: ignore[attr-defined]
        scores = seen[0].blendshapes if seen else {}
        read.append(mean(scores.get(name, 0.0) for name in ANSWERS[code]))
    return read


def table_of_answers(paths: Sequence[Path], finder: Finder, editor: Editor) -> Iterator[str]:
    pictures = [read_picture(path) for path in paths]
    yield "| unit | at 0 | at 4 | right sign | rises with every dose | rho |"
    yield "|---|---|---|---|---|---|"
    for code in ANSWERS:
        found = [answers(each, code, finder, editor) for each in pictures]
        signs = sum(one[-1] > one[0] for one in found)
        rising = sum(bool((np.diff(one) > -0.005).all()) and one[-1] > one[0] for one in found)
        rho = mean(float(np.nan_to_num(spearmanr(DOSES, one).statistic)) for one in found)
        first, last = mean(one[0] for one in found), mean(one[-1] for one in found)
        yield f"| {code} | {first:.2f} | {last:.2f} | {signs} of {len(found)} | {rising} of {len(found)} | {rho:.2f} |"


def cold(path: Path) -> float:
    """Seconds from the start of a process to the written file."""
    with TemporaryDirectory() as place:
        began = time.perf_counter()
        command = [sys.executable, "-m", "faceforge", "edit", str(path), "--au", "AU12=2", "-o", f"{place}/out.png"]
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - began


def memory(path: Path, megapixels: float) -> tuple[float, float]:
    """MiB that a process takes at most: with the enlarged photograph decoded, and after an edit of it."""
    code = (
        "import resource, sys, warnings; warnings.simplefilter('ignore'); import faceforge as ff, faceforge.warper;"
        "from faceforge.io.pictures import read_picture; p = read_picture(sys.argv[1]);"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024; before = peak();"
        "ff.load().edit(p, aus={'AU12': 2}); print(before, peak())"
    )
    with TemporaryDirectory() as place:
        image = read_picture(path).image
        scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        large = image.resize((round(image.width * scale), round(image.height * scale)))
        large.save(f"{place}/large.png", compress_level=1)
        ran = subprocess.run(
            [sys.executable, "-c", code, f"{place}/large.png"], capture_output=True, text=True, check=True
        )
    before, after = map(float, ran.stdout.split())
    return before, after


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photographs", nargs="+", type=Path)
    parser.add_argument("--finder", help="mediapipe or embedded; the best installed by default")
    parser.add_argument("--model", default="warp", help="who edits where the judge is asked")
    parser.add_argument("--repeats", type=int, default=5, help="of what is timed; 0 times nothing")
    parser.add_argument("--megapixels", type=float, default=12.0)
    asked = parser.parse_args()
    finder = named_finder(asked.finder)
    if asked.repeats:
        times(asked, finder)
    if hasattr(finder, "look"):
        for line in table_of_answers(asked.photographs, finder, load(asked.model, finder=finder)):
            print(line, flush=True)
    return 0


def times(asked: argparse.Namespace, finder: Finder) -> None:
    """Print what takes how long, and how much memory."""
    print(f"finder {finder.name}, {os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}\n")
    print("| photograph | stage | ms | ms of processor |\n|---|---|---|---|")
    for path in asked.photographs:
        with Image.open(path) as image:
            size = f"{image.width}x{image.height}"
        for stage, spent in stages(path, finder, asked.repeats).items():
            clock, processor = (median(1e3 * getattr(each, kind) for each in spent) for kind in ("clock", "processor"))
            print(f"| {size} | {stage} | {clock:.0f} | {processor:.0f} |", flush=True)
    print(f"\ncold command: {median(cold(asked.photographs[0]) for _ in range(3)):.1f} s")
    before, after = memory(asked.photographs[0], asked.megapixels)
    print(
        f"{asked.megapixels:g} megapixels: {after - before:.0f} MiB beyond the {before:.0f} with the picture decoded\n"
    )


if __name__ == "__main__":
    sys.exit(main())

"""How well the embedded face finder does: on synthetic people it never saw, and beside MediaPipe on photographs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.landmarker import REGIONS, WIDEST_DEG, See, found_model, landmarker
from faceforge.face.embedded import EmbeddedFinder
from faceforge.face.found import Face
from faceforge.synth import photograph, sample

BANDS = ((0.0, 15.0), (15.0, 30.0), (30.0, WIDEST_DEG))
FIRST = 4_000_000  # seeds that no recipe trains on
SIZE = 256
EXAMPLES = """
The photographs only judge: nothing is trained or stopped by them. MediaPipe's points are not the truth either: between
two landmarkers that both work, 68 points lie 4 to 6 % of the eye distance apart.

examples
  python benchmarks/face_finder.py --portraits 150
  python benchmarks/face_finder.py --portraits 0 --photographs folder/of/pictures --model face_landmarker.task
"""


@dataclass(frozen=True)
class Judged:
    """One picture: what is missing is None; errors (68,) in shares of the eye distance."""

    name: str
    yaw_deg: float
    errors: NDArray[np.float64] | None
    milliseconds: float  # of processor time


def judged(
    name: str, yaw_deg: float, image: NDArray[np.uint8], truth: NDArray[np.float64], finder: EmbeddedFinder
) -> Judged:
    began = time.process_time()
    found = finder.find(image)
    took = 1000 * (time.process_time() - began)
    right, left = truth[36:42].mean(0), truth[42:48].mean(0)
    here = [face for face in found if _same(face, truth)]
    errors = np.linalg.norm(here[0].landmarks - truth, axis=1) / np.hypot(*(left - right)) if here else None
    return Judged(name, yaw_deg, errors, took)


def _same(face: Face, truth: NDArray[np.float64]) -> bool:
    return bool(np.hypot(*(face.landmarks.mean(0) - truth.mean(0))) < 0.5 * np.ptp(truth[:, 0]))


def portraits(count: int, finder: EmbeddedFinder) -> Iterator[Judged]:
    """Portraits as `sample` draws them, turned by angles that are spread evenly."""
    for first in range(0, count, 8):
        numbers = range(first, min(first + 8, count))
        turns = [WIDEST_DEG * (2 * ((number + 0.5) * 0.6180339887 % 1.0) - 1) for number in numbers]
        sittings = [sample(FIRST + n, yaw_deg=round(yaw, 6)) for n, yaw in zip(numbers, turns, strict=True)]
        for each in photograph(sittings, SIZE):
            yield judged(str(each.sitting.seed), each.sitting.yaw_deg, each.image, each.landmarks, finder)


def photographs(paths: Sequence[Path], finder: EmbeddedFinder, see: See) -> Iterator[Judged]:
    """Pictures in which MediaPipe finds a face, and where it does."""
    for path in paths:
        with Image.open(path) as opened:
            image = np.asarray(opened.convert("RGB"))
        seen = see(image)
        if seen is not None:
            yield judged(path.name, float("nan"), image, seen.points, finder)


def table(groups: dict[str, list[Judged]]) -> Iterator[str]:
    yield f"| | pictures | found | {' | '.join(f'{name}, %' for name in REGIONS)} | ms |"
    yield "|" + "---|" * (4 + len(REGIONS))
    for name, each in groups.items():
        found = [one.errors for one in each if one.errors is not None]
        mean = 100 * np.mean(found, 0) if found else np.full(68, np.nan)
        cells = " | ".join(f"{mean[a:b].mean():.1f}" for a, b in REGIONS.values())
        took = float(np.median([one.milliseconds for one in each])) if each else float("nan")
        yield f"| {name} | {len(each)} | {len(found)} | {cells} | {took:.0f} |"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--portraits", type=int, default=150, help="synthetic portraits (150)")
    parser.add_argument("--photographs", type=Path, help="a folder of pictures, searched to its depths")
    parser.add_argument("--model", type=Path, help="face_landmarker.task; else $FACEFORGE_LANDMARKER says where it is")
    parser.add_argument("--weights", type=Path, help="other weights than those that ship")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    finder = EmbeddedFinder(wanted.weights)
    groups: dict[str, list[Judged]] = {}
    if wanted.portraits:
        drawn = list(portraits(wanted.portraits, finder))
        for low, high in BANDS:
            groups[f"yaw {low:.0f}-{high:.0f}"] = [each for each in drawn if low <= abs(each.yaw_deg) < high]
    if wanted.photographs:
        model = found_model(wanted.model)
        if model is None:
            parser.error("There is no landmark model. Name its file by --model or in FACEFORGE_LANDMARKER.")
        paths = sorted(each for each in wanted.photographs.rglob("*") if each.suffix in (".png", ".jpg", ".jpeg"))
        with landmarker(model) as see:
            groups |= {each.name: [each] for each in photographs(paths, finder, see)}
    print("\n".join(table(groups)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

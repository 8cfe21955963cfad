"""How close warped portraits come to the true ones: synthetic people whose heads are known, before and after."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import torch
from torch import Tensor

from faceforge.aus import ORDERS
from faceforge.face.mediapipe import MediaPipeFinder
from faceforge.face3d.fitted import HeadFit
from faceforge.face3d.fitting import fit
from faceforge.spec import EditSpec
from faceforge.synth import Portrait, Sitting, photograph, sample
from faceforge.synth.known import known_fit
from faceforge.warp.plate import Plate
from faceforge.warp.target import target
from faceforge.warp.warp import warp

SIZE = 256
FIRST = 83_000  # people whom no test photographs
DOSES, YAWS = (2.0, 4.0), (0.0, 20.0)
UNITS = (*ORDERS["disfa12"], "AU43")
TURN_DEG, LOOK_DEG = 10.0, 15.0
KNOWN = 0.5

EXAMPLES = """
PSNR in dB against the true edited portrait, medians over people:
  copy     the photograph left as it is
  warp     the warp; both over the pixels that the warp changed and knows
  all      both over all pixels that the warp changed, made up ones included
  unknown  share of the head's pixels that the warp made up

known heads are those that the portraits were taken of; fitted ones are found from MediaPipe's landmarks.
"""


@dataclass(frozen=True)
class Score:
    """One edit of one person."""

    person: int
    yaw_deg: float
    edit: str
    head: str  # known or fitted
    copy: float
    warp: float
    all_copy: float
    all_warp: float
    unknown: float


def edits() -> dict[str, EditSpec]:
    """By name: every unit at every dose, turns of the head, looks aside."""
    units = {f"{code} {dose:+g}": EditSpec(aus={code: dose}) for code in UNITS for dose in DOSES}
    turns = {
        f"{name} {sign * TURN_DEG:+g}": EditSpec(**{f"{name}_deg": sign * TURN_DEG})
        for name in ("yaw", "pitch", "roll")
        for sign in (1, -1)
    }
    looks = {
        f"{name} {LOOK_DEG:+g}": EditSpec(**{f"{name.replace(' ', '_')}_deg": LOOK_DEG})
        for name in ("gaze yaw", "gaze pitch")
    }
    return {**units, **turns, **looks}


def edited(sitting: Sitting, spec: EditSpec) -> Sitting:
    """The same sitting with what an edit asks for."""
    names = ("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg")
    turned = {name: getattr(sitting, name) + getattr(spec, name) for name in names}
    return replace(sitting, aus={**sitting.aus, **spec.aus}, **turned)


def scores(person: int, yaw_deg: float, wanted: Mapping[str, EditSpec], finder: MediaPipeFinder) -> Iterator[Score]:
    """Every edit of one sitting, with the known head and with the fitted one where a face is found."""
    sitting = sample(
        FIRST + person, aus={}, yaw_deg=yaw_deg, pitch_deg=0.0, roll_deg=0.0,
        gaze_yaw_deg=0.0, gaze_pitch_deg=0.0, occluder=None,
    )  # fmt: skip
    source, *truths = photograph([sitting, *(edited(sitting, spec) for spec in wanted.values())], SIZE)
    faces = finder.find(source.image)
    heads = {"known": known_fit(sitting, SIZE), **({"fitted": fit(source.image, faces[0])} if faces else {})}
    for name, head in heads.items():
        yield from _of_head(person, name, head, source, dict(zip(wanted, truths, strict=True)), wanted)


def _of_head(
    person: int,
    name: str,
    head: HeadFit,
    source: Portrait,
    truths: Mapping[str, Portrait],
    specs: Mapping[str, EditSpec],
) -> Iterator[Score]:
    plate = Plate(_pixels(source), head)
    for edit, spec in specs.items():
        found, true = warp(plate, target(head, spec, plate.head)), _pixels(truths[edit])
        where = found.changed & (found.unknown < KNOWN)
        yield Score(
            person=person,
            yaw_deg=source.sitting.yaw_deg,
            edit=edit,
            head=name,
            copy=psnr(plate.picture, true, where),
            warp=psnr(found.picture, true, where),
            all_copy=psnr(plate.picture, true, found.changed),
            all_warp=psnr(found.picture, true, found.changed),
            unknown=float((found.unknown >= KNOWN).sum() / (source.parts > 0).sum()),
        )


def psnr(one: Tensor, other: Tensor, where: Tensor) -> float:
    """In dB over the chosen pixels."""
    return float(-10 * torch.log10((one - other).square().mean(0)[where].mean().clamp(min=1e-8)))


def _pixels(portrait: Portrait) -> Tensor:
    return torch.from_numpy(portrait.image).permute(2, 0, 1).float() / 255


def rows(found: list[Score]) -> Iterator[str]:
    for yaw in sorted({each.yaw_deg for each in found}):
        people = len({each.person for each in found if each.yaw_deg == yaw})
        yield f"\n{people} people turned by {yaw:g} degrees\n"
        yield "| edit | " + " | ".join(f"{head}: copy | warp | all: copy | warp | unknown" for head in HEADS) + " |"
        yield "|" + "---|" * (1 + 5 * len(HEADS))
        for edit in dict.fromkeys(each.edit for each in found):
            cells = [_cells([s for s in found if (s.yaw_deg, s.edit, s.head) == (yaw, edit, head)]) for head in HEADS]
            yield f"| {edit} | " + " | ".join(cells) + " |"


HEADS = ("known", "fitted")


def _cells(some: list[Score]) -> str:
    if not some:
        return " | ".join([""] * 5)
    numbers = [median(getattr(each, key) for each in some) for key in ("copy", "warp", "all_copy", "all_warp")]
    unknown = median(each.unknown for each in some)
    return " | ".join([*(f"{each:.1f}" for each in numbers), f"{100 * unknown:.1f} %"])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=24, help="how many people (24)")
    parser.add_argument("--only", default="", help="edits whose names begin so, such as AU43,yaw")
    parser.add_argument("--json", type=Path, help="keep every score in a file")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    starts = tuple(each for each in asked.only.split(",") if each) or ("",)
    wanted = {name: spec for name, spec in edits().items() if name.startswith(starts)}
    finder, found = MediaPipeFinder(), []
    for person in range(asked.people):
        for yaw in YAWS:
            found += scores(person, yaw, wanted, finder)
        if asked.json:
            asked.json.write_text(json.dumps([asdict(each) for each in found], indent=1))
    print("\n".join(rows(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How finders of faces read synthetic portraits: makes faceforge/assets/calibration.safetensors."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import numpy as np
import torch
from numpy.typing import NDArray

import faceforge.assets
from benchmarks.fit import UNITS as SIDED
from benchmarks.fit import exact_face, true_expression, true_turn
from benchmarks.landmarker import found_model
from faceforge.face.calibration import (
    ANGLES,
    POINTS,
    READ,
    TABLE,
    UNITS,
    Calibration,
    along_the_eyes,
    blendshape_signs,
    posture,
    told,
)
from faceforge.face.embedded import EmbeddedFinder
from faceforge.face.found import Face
from faceforge.face.mediapipe import MediaPipeFinder
from faceforge.face.readings import units_behind
from faceforge.face.squares import MIRRORED
from faceforge.io.weights import write_tensors
from faceforge.synth import Portrait, Sitting, person, photograph, sample
from faceforge.synth.shots import FRONT

Numbers = NDArray[np.float64]

FIRST_PERSON, FIRST_SITTING = 21_500, 105_000  # no benchmark measures on these
EACH = 10  # portraits of a person
SIZE = 176
WIDEST_DEG = 35.0
_RIDGE = 0.1  # pseudo-portraits per portrait that hold every weight of a blendshape at zero
_STIFF = 20.0  # the same for what a finder's numbers add for a unit, in squared intensities
_OUTLIER = 2.0  # deviations at which a portrait begins to be believed less
_ROUNDS = 10
_TURNED_ROUND = np.array([1.0, -1.0, 1.0, 1.0] + [1.0] * len(UNITS))  # what a mirror makes of posture and units
EXAMPLES = """
What was seen is kept in a file, one line a portrait, and a run that was cut goes on from there. People seen by other
code of heads or portraits have to be seen again: name another file.

example
  python benchmarks/calibrate.py --people 120 --seen seen.jsonl      about 20 minutes on one quiet core
"""


def sittings(number: int) -> list[Sitting]:
    """One person, as portraits are sampled but with nothing before the face, turned evenly."""
    who = person.sample(FIRST_PERSON + number)
    places = [number * EACH + each for each in range(EACH)]
    turns = [(place + 0.5) * 0.6180339887 % 1.0 for place in places]
    return [
        sample(FIRST_SITTING + place, person=who, occluder=None, yaw_deg=round(WIDEST_DEG * (2 * turn - 1), 3))
        for place, turn in zip(places, turns, strict=True)
    ]


def watch(portrait: Portrait, finders: dict[str, Any]) -> dict[str, Any]:
    """What is true of a portrait, and what each finder sees in it."""
    truth = exact_face(portrait)
    seen: dict[str, Any] = {
        "person": portrait.sitting.person.seed,
        "points": _points(truth),
        "units": _sideless(true_expression(portrait.sitting)).tolist(),
        "pose_deg": _seen_pose(portrait.sitting),
    }
    for name, finder in finders.items():
        here = [face for face in finder.find(portrait.image) if _same(face, truth)]
        if here:
            face = max(here, key=lambda each: each.area)
            pose = [face.yaw_deg, face.pitch_deg, face.roll_deg]
            seen[name] = {"points": _points(face), "pose_deg": pose, "blendshapes": face.blendshapes}
    return seen


def _points(face: Face) -> list[list[float]]:
    assert face.irises is not None
    found: list[list[float]] = np.vstack([face.landmarks, face.irises]).round(2).tolist()
    return found


def _same(face: Face, truth: Face) -> bool:
    return bool(np.hypot(*(face.landmarks.mean(0) - truth.landmarks.mean(0))) < truth.eye_distance)


def _sideless(sided: Numbers) -> Numbers:
    """Intensities (K,) in the order of UNITS: the mean of both sides; the jaw is one."""
    return np.array(
        [np.mean([value for code, value in zip(SIDED, sided, strict=True) if _is(code, unit)]) for unit in UNITS]
    )


def _is(code: str, unit: str) -> bool:
    return code in (unit + "L", unit + "R") or (unit == "AU26" and code == "AU26 and AU27")


def _seen_pose(sitting: Sitting) -> list[float]:
    """Yaw, pitch and roll as the camera sees them: along its line of sight to the head."""
    turn, camera = true_turn(sitting), sitting.camera
    angles = [np.arctan2(turn[0, 2], turn[2, 2]), np.arcsin(turn[1, 2]), np.arctan2(-turn[1, 0], turn[1, 1])]
    roll = np.radians(camera.roll_deg)
    aside = np.array([-camera.x, -camera.y]) @ [[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]]
    sight = np.arctan(aside / (camera.distance + FRONT))
    found: list[float] = np.degrees(np.add(angles, [*sight, 0.0])).round(3).tolist()
    return found


def learned(seen: Sequence[dict[str, Any]], name: str, read: Numbers | None) -> Calibration:
    """How one finder tells faces, both halves alike: robust least squares over posture and units.

    `read` are the units (N, K) that it reads in the portraits that it found, None where it reads none.
    """
    there = [each for each in seen if name in each]
    off = np.array([_off(each, name) for each in there])
    off[:, READ] = 0.0 if read is None else read
    causes = np.array([np.append(posture(*each[name]["pose_deg"][:2]), each["units"]) for each in there])
    off, causes = np.concatenate([off, _mirrored(off)]), np.concatenate([causes, causes * _TURNED_ROUND])
    stiff = np.diag([0.0] * 4 + [_STIFF] * len(UNITS))
    weight = np.ones(len(off))
    for _ in range(_ROUNDS):
        found = np.linalg.solve((causes.T * weight) @ causes + stiff, (causes.T * weight) @ off)
        left = off - causes @ found
        scatter = np.median(np.abs(left), 0) * 1.4826 + 1e-4
        weight = 1 / (1 + ((left / scatter) ** 2).mean(1) / _OUTLIER**2) ** 2
    deviation = np.sqrt(weight @ left**2 / weight.sum())
    deviation[READ] = np.inf if read is None else deviation[READ]
    return Calibration(habits=found[:4].T, response=found[4:].T, deviation=deviation)


def _off(seen: dict[str, Any], name: str) -> Numbers:
    """What a finder tells less what is true, (TOLD,)."""
    found = _face(seen[name])
    points = (np.array(seen["points"]) - _middle(found)) @ along_the_eyes(found).T
    away: Numbers = told(found) - np.concatenate([points.ravel(), seen["pose_deg"], np.zeros(len(UNITS))])
    return away


def _face(found: dict[str, Any]) -> Face:
    points, (yaw, pitch, roll) = np.array(found["points"]), found["pose_deg"]
    return Face(
        landmarks=points[:68], irises=points[68:], size=(SIZE, SIZE), backend="", yaw_deg=yaw, pitch_deg=pitch,
        roll_deg=roll, blendshapes=found["blendshapes"],
    )  # fmt: skip


def _middle(face: Face) -> Numbers:
    found: Numbers = (face.landmarks[36:42].mean(0) + face.landmarks[42:48].mean(0)) / 2
    return found


def _mirrored(off: Numbers) -> Numbers:
    """The same of the mirrored portraits, (N, TOLD)."""
    found = off.copy()
    points = off[:, POINTS].reshape(len(off), 70, 2)[:, list(MIRRORED)] * (-1, 1)
    found[:, POINTS] = points.reshape(len(off), -1)
    found[:, ANGLES] *= (-1, 1, -1)
    return found


def learned_units(signs: Numbers, units: Numbers) -> dict[str, Numbers]:
    """The other way round: units (N, K) from blendshapes (N, M) alone, by ridge regression."""
    middle, spread, base = signs.mean(0), signs.std(0) + 1e-3, units.mean(0)
    away = (signs - middle) / spread
    stiff = away.T @ away + _RIDGE * len(away) * np.eye(len(middle))
    weights = np.linalg.solve(stiff, away.T @ (units - base))
    return {"middle": middle, "spread": spread, "base": base, "weights": weights}


def table(seen: Sequence[dict[str, Any]]) -> dict[str, Numbers]:
    """All that is kept, by name."""
    there = [each for each in seen if "mediapipe" in each]
    signs = np.array([blendshape_signs(each["mediapipe"]["blendshapes"]) for each in there])
    units = learned_units(signs, np.array([each["units"] for each in there]))
    parts = {f"units.{key}": each for key, each in units.items()}
    for name, read in (("mediapipe", units_behind(signs, units)), ("embedded", None)):
        parts |= {f"{name}.{key}": each for key, each in vars(learned(seen, name, read)).items()}
    return parts


def watched(path: Path, people: int) -> Iterator[dict[str, Any]]:
    """What is seen of all people; those in the file are not drawn again."""
    known = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    yield from known
    model = found_model()
    if model is None:
        raise SystemExit("There is no landmark model. Name its file in FACEFORGE_LANDMARKER.")
    finders = {"mediapipe": MediaPipeFinder(model), "embedded": EmbeddedFinder()}
    done = {each["person"] - FIRST_PERSON for each in known}
    with path.open("a") as file:
        for number in sorted(set(range(people)) - done):
            found = [watch(each, finders) for each in photograph(sittings(number), SIZE)]
            file.writelines(json.dumps(each) + "\n" for each in found)
            file.flush()
            print(f"\r{number + 1} of {people} people", end="", file=sys.stderr, flush=True)
            yield from found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=120, help=f"of whom {EACH} portraits each are drawn (120)")
    parser.add_argument("--seen", type=Path, default=Path("seen.jsonl"), help="what was seen (seen.jsonl)")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    seen = list(watched(wanted.seen, wanted.people))
    tensors = {key: torch.from_numpy(np.float32(each)) for key, each in table(seen).items()}
    write_tensors(Path(faceforge.assets.__file__).with_name(TABLE), tensors)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How well fitting finds the heads, the light and the expressions of synthetic portraits, and how long it takes."""

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

from benchmarks.landmarker import found_model
from faceforge.face import Face, Finder
from faceforge.face.embedded import EmbeddedFinder
from faceforge.face.mediapipe import MediaPipeFinder
from faceforge.face3d.embedded.expression import EXPRESSIONS
from faceforge.face3d.embedded.model import FULL, JAW_OPEN, EmbeddedHead, rotation
from faceforge.face3d.fitted import HeadFit
from faceforge.face3d.fitting import fit, follow
from faceforge.face3d.fitting.finders import EXACT
from faceforge.face3d.fitting.points import pupils
from faceforge.face3d.head import HeadParams
from faceforge.synth import Portrait, Sitting, photograph, sample
from faceforge.synth.portrait import poses
from faceforge.synth.shots import pixels_of

SIZE = 256
FIRST = 6000  # held out: constants were measured on others
BANDS = ((0.0, 10.0), (10.0, 20.0), (20.0, 30.0))
UNITS = (*EXPRESSIONS, "AU43L", "AU43R", "AU26 and AU27")
_LUMA = np.array([0.299, 0.587, 0.114])
_LINEAR = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True)
class Result:
    """How far one fit is from the truth."""

    yaw_deg: float
    pose_deg: float
    light_deg: float
    found: NDArray[np.float64]  # FACS units, in the order of UNITS
    true: NDArray[np.float64]
    first_ms: float
    next_ms: float


def exact_face(portrait: Portrait) -> Face:
    """The labels of a portrait as a finder would give them."""
    head, sitting, size = EmbeddedHead(), portrait.sitting, portrait.image.shape[0]
    params = poses([sitting], head)
    person = head.of(torch.tensor([sitting.person.traits], dtype=torch.float64))
    irises = pixels_of([sitting.camera], head.carried(pupils(person, params), params) / 100, size)[0].numpy()
    return Face(portrait.landmarks, (size, size), EXACT, irises=irises)


def true_expression(given: Sitting | HeadParams) -> NDArray[np.float64]:
    """Intensities in the order of UNITS; the jaw in units of AU26."""
    params = poses([given], EmbeddedHead()) if isinstance(given, Sitting) else given
    assert params.expression is not None
    assert params.eyelids is not None
    assert params.jaw is not None
    parts = [params.expression[0], params.eyelids[0], params.jaw[0, :1] / JAW_OPEN["AU26"]]
    return FULL * torch.cat([each.double() for each in parts]).numpy()


def pose_error(found: HeadFit, sitting: Sitting) -> float:
    """Degrees between the head as found and as it is, in the camera's axes."""
    apart = (np.trace(true_turn(sitting).T @ _turn(found.params)) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(apart, -1, 1))))


def true_turn(sitting: Sitting) -> NDArray[np.float64]:
    """The head's, in the camera's axes (3, 3)."""
    return _rolled(sitting) @ _turn(poses([sitting], EmbeddedHead()))


def light_error(found: HeadFit, sitting: Sitting) -> float:
    """Degrees between the directions from which most light comes: all lamps, and half the sky's differences."""
    lamps = sum(np.array(way) * (_LINEAR @ colour) for way, colour in zip(*_lamps(sitting), strict=True))
    right, left, up, down, front, back = np.array(sitting.light.sky) @ _LINEAR
    true = _rolled(sitting) @ (lamps + 0.5 * np.array([right - left, up - down, front - back]))
    seen = found.light[0, 1:4].numpy() @ _LUMA
    cosine = true @ seen / np.linalg.norm(true) / max(float(np.linalg.norm(seen)), 1e-9)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _lamps(sitting: Sitting) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    return [np.array(each) for each in sitting.light.directions], [np.array(each) for each in sitting.light.colours]


def _rolled(sitting: Sitting) -> NDArray[np.float64]:
    angle = np.radians(sitting.camera.roll_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


def _turn(params: HeadParams) -> NDArray[np.float64]:
    assert params.rotation is not None
    assert params.neck is not None
    return (rotation(params.rotation.double()) @ rotation(params.neck.double()))[0].numpy()


def sittings(count: int) -> list[Sitting]:
    """Portraits as they are sampled, nothing before the face, turned evenly up to 30 degrees."""
    turns = [(number + 0.5) * 0.6180339887 % 1.0 for number in range(count)]
    return [
        sample(FIRST + number, yaw_deg=round(60 * turn - 30, 3), occluder=None) for number, turn in enumerate(turns)
    ]


def measured(portrait: Portrait, face: Face) -> Result:
    start = time.process_time()
    found = fit(portrait.image, face)
    middle = time.process_time()
    follow(portrait.image, face, found)
    return Result(
        yaw_deg=abs(portrait.sitting.yaw_deg),
        pose_deg=pose_error(found, portrait.sitting),
        light_deg=light_error(found, portrait.sitting),
        found=true_expression(found.params),
        true=true_expression(portrait.sitting),
        first_ms=1000 * (middle - start),
        next_ms=1000 * (time.process_time() - middle),
    )


def faces_by(finder: Finder, portraits: Sequence[Portrait]) -> list[Face | None]:
    """What a finder finds, with its own pose and expression; none where it finds none."""
    return [max(finder.find(each.image), key=lambda face: face.area, default=None) for each in portraits]


def rows(results: dict[str, list[Result]]) -> Iterator[str]:
    yield "| landmarks | yaw, degrees | faces | pose, degrees | light, degrees | units | units shown | ms | ms, next |"
    yield "|" + "---|" * 9
    for name, all_of_them in results.items():
        for low, high in (*BANDS, (0.0, 30.0)):
            some = [each for each in all_of_them if low <= each.yaw_deg <= high]
            if some:
                off = np.abs(np.array([each.found - each.true for each in some]))
                shown = np.array([each.true for each in some]) > 0.5
                middle = [
                    np.median([getattr(each, key) for each in some])
                    for key in ("pose_deg", "light_deg", "first_ms", "next_ms")
                ]
                yield (
                    f"| {name} | {low:.0f}-{high:.0f} | {len(some)} | {middle[0]:.1f} | {middle[1]:.1f} "
                    f"| {off.mean():.2f} | {off[shown].mean():.2f} | {middle[2]:.0f} | {middle[3]:.0f} |"
                )
    yield ""
    yield "| unit | as if at rest | " + " | ".join(f"{name}: error | {name}: correlation" for name in results) + " |"
    yield "|" + "---|" * (2 + 2 * len(results))
    for index, unit in enumerate(UNITS):
        if unit.endswith("R"):
            continue
        cells = []
        for some in results.values():
            found, true = (np.array([getattr(each, key)[index] for each in some]) for key in ("found", "true"))
            varied = found.std() > 0 and true.std() > 0
            cells += [
                f"{np.abs(found - true).mean():.2f}",
                f"{np.corrcoef(found, true)[0, 1]:.2f}" if varied else "",
            ]
        first = next(iter(results.values()))
        rest = np.mean([each.true[index] for each in first])
        yield f"| {unit.removesuffix('L')} | {rest:.2f} | {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=int, default=60, help="how many portraits (60)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (1)")
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads)
    taken = photograph(sittings(wanted.portraits), SIZE)
    results = {"exact": [measured(each, exact_face(each)) for each in taken]}
    model = found_model()
    finders: dict[str, Finder] = {"MediaPipe": MediaPipeFinder(model)} if model else {}
    for name, finder in (finders | {"embedded": EmbeddedFinder()}).items():
        found = zip(taken, faces_by(finder, taken), strict=True)
        results[name] = [measured(each, face) for each, face in found if face]
    print("\n".join(rows(results)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

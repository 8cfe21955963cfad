"""What MediaPipe's Face Landmarker, which never saw our renderer, reads in synthetic portraits."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import numpy as np
import torch
from numpy.typing import NDArray

import faceforge
from faceforge.face.ibug import REGIONS, from_mediapipe
from faceforge.face.mediapipe import MediaPipeFinder
from faceforge.face3d.embedded.grid import COLUMNS, ROWS
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.synth import Portrait, Sitting, photograph, sample
from faceforge.synth.photo import Photo
from faceforge.synth.scene import Scene
from faceforge.synth.shots import Camera, Light

SIZE = 256
INTENSITIES = (1.0, 2.0, 3.0, 4.0, 5.0)
FULL = 5.0
WIDEST_DEG = 45.0
FRONTAL_DEG = 10.0
BANDS = ((0.0, 15.0), (15.0, 30.0), (30.0, WIDEST_DEG))
FOUND = 0.95
CLOSE = 0.05  # mean distance of landmarks, in eye distances
ENOUGH = 0.8  # rank correlation
AT_ONCE = 40  # portraits between two savings

# A person's portraits are of seeds PERSON_STEP apart, so that few of them already differ in tone, age and sex.
PERSON_STEP = 7
FIRST_PORTRAIT = 1_000_000

# Which blendshapes each unit has to move; any one of them is enough.
WANTED = {
    "AU1": ("browInnerUp",), "AU2": ("browOuterUp",), "AU4": ("browDown", "browsLowered", "browsGathered"),
    "AU5": ("eyeWide",), "AU6": ("cheekSquint", "eyeSquint"), "AU9": ("noseSneer",), "AU12": ("mouthSmile",),
    "AU15": ("mouthFrown",), "AU17": ("mouthShrugLower",), "AU20": ("mouthStretch",),
    "AU25": ("jawOpen", "mouthLowerDown"), "AU26": ("jawOpen", "mouthLowerDown"), "AU43": ("eyeBlink",),
}  # fmt: skip
INFORMATIVE = {
    "AU7": ("eyeSquint",), "AU10": ("mouthUpperUp",), "AU14": ("mouthDimple",), "AU16": ("mouthLowerDown",),
    "AU18": ("mouthPucker",), "AU22": ("mouthFunnel",), "AU24": ("mouthPress",), "AU28": ("mouthRollLower",),
}  # fmt: skip
MEASURED = ("browsLowered", "browsGathered", "noseRaised")  # on the landmarker's points, where units have no blendshape
# Its noseSneer and cheekSquint stay below a hundred-thousandth on photographs as well: google-ai-edge/mediapipe#4450.
BESIDES = {"AU9": ("noseRaised",)}

# How far ICT-FaceKit's units move the skin of one side: centimetres, direction (outwards, up, forwards), and where.
ICT: dict[str, tuple[float, tuple[float, ...], tuple[float, ...]]] = {
    "AU1": (0.61, (0, 0.61, 0), (2, 5.3)), "AU2": (0.86, (0.19, 0.80, -0.27), (4.6, 5.6)),
    "AU4": (0.65, (-0.46, -0.35, 0.29), ()), "AU5": (0.36, (), ()), "AU6": (0.63, (-0.08, 0.58, 0.22), (5.3, 0.3)),
    "AU7": (0.37, (), ()), "AU9": (1.03, (-0.15, 1.02, 0), (2.6, -1.4)), "AU10": (0.88, (0.22, 0.81, -0.28), ()),
    "AU12": (1.58, (0.73, 1.05, -0.92), (2.4, -3.5)), "AU14": (0.89, (0.13, 0.58, -0.65), ()),
    "AU15": (0.61, (0.19, -0.51, -0.27), ()), "AU17": (1.13, (0, 1.11, 0.21), (0, -6.5)),
    "AU20": (1.03, (0.75, -0.23, -0.67), ()), "AU27": (4.2, (), ()), "AU45": (1.78, (), ()),
}  # fmt: skip

STUDIO = Light(
    directions=((0.450197, 0.500219, 0.740324), (-0.829561, 0.20739, 0.518476)),
    colours=((1.15, 1.08, 1.0), (0.22, 0.25, 0.3)),
    sky=(
        (0.3, 0.3, 0.32),
        (0.3, 0.3, 0.32),
        (0.45, 0.46, 0.5),
        (0.16, 0.14, 0.12),
        (0.34, 0.34, 0.34),
        (0.1, 0.1, 0.1),
    ),
)
PLAIN = Scene("plain", wash=((0.28, 0.30, 0.33),) * 4)

EXAMPLES = """
what it prints
  found      portraits as `sample` draws them, but with yaw spread evenly from -45 to 45 degrees: in how many the
             landmarker finds a face where the face is, as drawn and with whatever hides it taken away
  landmarks  mean distance between its 68 points and ours in eye distances, on portraits that look ahead (|yaw| < 10)
             and on the plain ones of the next table
  units      each unit alone at 0..5, otherwise the same frontal picture in studio light: Spearman's rho between
             intensity and blendshape over all pictures (raw), over all changes against the same person at rest
             (change), over the changes of their log-odds (odds: what the landmarker's last step, which squeezes all
             into 0..1, hides where a resting face scores near 0), and the median over people (within); the mean
             change at 5 and what else moved most
  movement   how far each unit moves the average head's skin, beside ICT-FaceKit's figures; needs no landmarker

examples
  python benchmarks/landmarker.py --json landmarker.json                             everything (an hour)
  python benchmarks/landmarker.py --identities 8 --portraits 0 --only AU9,AU15       a few minutes

With --json all readings are kept in that file: a run that was cut goes on from there, one with other options adds to
it, and a change to the code of heads or portraits makes it start anew.
The exit code is 1 if fewer than 95 % of the portraits are found, landmarks differ by 5 % of the eye distance or more,
or a unit that should move a blendshape has a change below 0.8.
"""


class Seen(NamedTuple):
    """What the landmarker finds in a picture: iBUG points (68, 2) in pixels, and the blendshapes by name."""

    points: NDArray[np.float64]
    scores: dict[str, float]


See = Callable[[NDArray[np.uint8]], "Seen | None"]


@dataclass(frozen=True)
class Response:
    """How one sign follows one unit."""

    au: str
    sign: str
    raw: float
    change: float
    odds: float
    within: float
    at_full: float
    others: dict[str, float]
    people: int

    def __str__(self) -> str:
        others = ", ".join(f"{name} {value:+.2f}" for name, value in self.others.items())
        required = "" if self.sign in WANTED.get(self.au, ()) else " (informative)"
        rhos = " | ".join(f"{each:.2f}" for each in (self.raw, self.change, self.odds, self.within))
        return f"| {self.au}{required} | {self.sign} | {rhos} | {self.at_full:+.2f} | {others} |"


def found_model(given: Path | None = None) -> Path | None:
    """The landmarker's file: as given, $FACEFORGE_LANDMARKER, or in the data shared beside the repository."""
    named = given or os.environ.get("FACEFORGE_LANDMARKER")
    path = Path(named) if named else Path(__file__).parents[2] / "shared/data/face_landmarker.task"
    return path if path.is_file() else None


@contextmanager
def landmarker(model: Path) -> Iterator[See]:
    """The landmarker as a function of a picture (H, W, 3), which it sees once and as a whole."""
    finder = MediaPipeFinder(model)

    def see(image: NDArray[np.uint8]) -> Seen | None:
        found = finder.look(image)
        if not found:
            return None
        points = from_mediapipe(found[0].mesh)
        return Seen(points, found[0].blendshapes | _measured(points))

    yield see


def eye_distance(points: NDArray[np.float64]) -> float:
    """Between the middles of the eyes' corners, which lids do not move."""
    return float(np.linalg.norm(points[[36, 39]].mean(0) - points[[42, 45]].mean(0)))


def _measured(points: NDArray[np.float64]) -> dict[str, float]:
    """What some units do to landmarks: inner brows and the nose's base against the eyes' corners, in eye distances."""
    eyes, apart = points[[36, 39, 42, 45], 1].mean(), float(np.linalg.norm(points[22] - points[21]))
    return {
        "browsLowered": float(points[19:25, 1].mean() - eyes) / eye_distance(points),
        "browsGathered": -apart / eye_distance(points),
        "noseRaised": float(eyes - points[31:36, 1].mean()) / eye_distance(points),
    }


def errors(seen: Seen, truth: Portrait) -> list[float]:
    """Distances of the 68 points in eye distances."""
    apart = np.linalg.norm(seen.points - truth.landmarks, axis=1) / eye_distance(truth.landmarks)
    return [round(float(each), 4) for each in apart]


def drawn(number: int) -> Sitting:
    """A portrait as `sample` draws it, turned by an angle that is spread evenly over all portraits."""
    turn = (number + 0.5) * 0.6180339887 % 1.0
    return sample(FIRST_PORTRAIT + number, yaw_deg=round(WIDEST_DEG * (2 * turn - 1), 6))


def plain(number: int) -> Sitting:
    """A person at rest in the plainest of pictures."""
    angles: dict[str, Any] = dict.fromkeys(("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"), 0.0)
    still: dict[str, Any] = {
        "aus": {},
        "light": STUDIO,
        "camera": Camera(),
        "scene": PLAIN,
        "photo": Photo(),
        "occluder": None,
    }
    return sample(number * PERSON_STEP, **angles, **still)


def watch_portraits(see: See, numbers: Sequence[int]) -> dict[str, Any]:
    """By number: yaw, whether something hides the face, and the errors as drawn and uncovered (None: not found)."""
    sittings = [drawn(number) for number in numbers]
    covered = [each for each in sittings if each.occluder is not None]
    as_drawn = {each.sitting.seed: _error_there(see, each) for each in photograph(sittings, SIZE)}
    bare = photograph([replace(each, occluder=None) for each in covered], SIZE) if covered else []
    uncovered = as_drawn | {each.sitting.seed: _error_there(see, each) for each in bare}
    return {
        str(number): {"yaw_deg": each.yaw_deg, "drawn": as_drawn[each.seed], "uncovered": uncovered[each.seed]}
        for number, each in zip(numbers, sittings, strict=True)
    }


def _error_there(see: See, truth: Portrait) -> list[float] | None:
    """A face found elsewhere in the picture is not this one."""
    seen = see(truth.image)
    if seen is None:
        return None
    left, top, right, bottom = truth.box
    x, y = seen.points.mean(0)
    return errors(seen, truth) if left < x < right and top < y < bottom else None


def watch_person(
    see: See, number: int, aus: Iterable[str], known: dict[str, Any], *, intensities: Sequence[float] = INTENSITIES
) -> dict[str, Any]:
    """What is known of a person, and what the landmarker reads of further units, by unit and intensity."""
    start = plain(number)
    steps = [(au, value) for au in aus if au not in known for value in intensities]
    if not steps:
        return known
    rest, *moved = photograph([start, *(replace(start, aus={au: value}) for au, value in steps)], SIZE)
    seen = see(rest.image)
    added: dict[str, Any] = {"rest": _rounded(seen), "errors": None if seen is None else errors(seen, rest)}
    for (au, value), each in zip(steps, moved, strict=True):
        added.setdefault(au, {})[str(value)] = _rounded(see(each.image))
    return known | added


def _rounded(seen: Seen | None) -> dict[str, float] | None:
    """Five digits, not decimals, so that even blendshapes near a millionth keep their order."""
    return None if seen is None else {name: float(f"{score:.5g}") for name, score in seen.scores.items()}


def response(au: str, sign: str, people: Iterable[dict[str, Any]]) -> Response:
    """How a sign follows a unit over all people who were found at rest."""
    open_ended = float if sign in MEASURED else _log_odds
    curves, full = [], []
    for each in people:
        if each["rest"] is None:
            continue
        rest = _both(each["rest"])
        found = {float(value): _both(scores) for value, scores in each[au].items() if scores is not None}
        curves.append(
            [
                (value, scores[sign], scores[sign] - rest[sign], open_ended(scores[sign]) - open_ended(rest[sign]))
                for value, scores in ({0.0: rest} | found).items()
            ]
        )
        if FULL in found:
            full.append({name: found[FULL][name] - rest[name] for name in rest})
    whole = np.array([point for curve in curves for point in curve])
    moved = {name: float(np.mean([each[name] for each in full])) for name in (full[0] if full else ())}
    others = sorted((name for name in moved if name not in (sign, *MEASURED)), key=lambda name: -abs(moved[name]))
    return Response(
        au=au,
        sign=sign,
        raw=spearman(whole[:, 0], whole[:, 1]),
        change=spearman(whole[:, 0], whole[:, 2]),
        odds=spearman(whole[:, 0], whole[:, 3]),
        within=float(np.median([spearman(*np.array(curve).T[:2]) for curve in curves])),
        at_full=moved.get(sign, 0.0),
        others={name: round(moved[name], 3) for name in others[:3]},
        people=len(curves),
    )


def _log_odds(score: float) -> float:
    inside = min(max(score, 1e-9), 1 - 1e-9)
    return float(np.log(inside / (1 - inside)))


def _both(scores: dict[str, float]) -> dict[str, float]:
    """Scores with the mean of left and right in place of each."""
    sides: dict[str, list[float]] = {}
    for name, score in scores.items():
        sides.setdefault(name.removesuffix("Left").removesuffix("Right"), []).append(score)
    return {name: float(np.mean(each)) for name, each in sides.items()}


def spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Rank correlation, ties sharing their mean rank; 0 where one side does not move."""
    a, b = _ranks(first), _ranks(second)
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def movements(aus: Iterable[str]) -> Iterator[str]:
    """Rows of the table of movements: the vertex of the left half that goes farthest."""
    head = EmbeddedHead()

    def skin(given: dict[str, float]) -> NDArray[np.float64]:
        found = head(head.from_aus(given)).vertices[0, : ROWS * COLUMNS].double() * 100
        return found.numpy()

    rest = skin({})
    for au in aus:
        move = (skin({au: FULL}) - rest) * (rest[:, :1] >= 0)
        far = int(np.linalg.norm(move, axis=1).argmax())
        theirs, there, where = ICT.get(au, (0.0, (), ()))
        amount = float(np.linalg.norm(move[far]))
        ratio = f"{amount / theirs:.2f}" if theirs else ""
        ours = f"{amount:.2f} | {_triple(move[far])} | {_triple(rest[far, :2])}"
        yield f"| {au} | {ours} | {f'{theirs:.2f}' if theirs else ''} | {_triple(there)} | {_triple(where)} | {ratio} |"


def _triple(values: Iterable[float]) -> str:
    return " ".join(f"{value:+.2f}" for value in values)


class Notes:
    """Readings by person and by portrait, in a file if one is named."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.state: dict[str, Any] = {"code": _fingerprint(), "people": {}, "portraits": {}}
        if path and path.exists():
            kept = json.loads(path.read_text())
            if kept.get("code") == self.state["code"]:
                self.state = kept
            else:
                print(f"{path} was made by other code of heads or portraits: starting anew.", file=sys.stderr)

    def save(self, **more: Any) -> None:
        if self.path:
            part = self.path.with_name(self.path.name + ".part")
            part.write_text(json.dumps(self.state | more))
            part.replace(self.path)


def _fingerprint() -> str:
    root = Path(faceforge.__file__).parent
    files = sorted([*root.glob("face3d/**/*.py"), *root.glob("synth/**/*.py")])
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def found_rows(portraits: Sequence[dict[str, Any]]) -> Iterator[str]:
    for low, high in (*BANDS, (0.0, WIDEST_DEG)):
        some = [each for each in portraits if low <= abs(each["yaw_deg"]) < high]
        cells = []
        for kind in ("drawn", "uncovered"):
            missed = sum(each[kind] is None for each in some)
            cells.append(f"{1 - missed / len(some):.1%} ({missed} missed)" if some else "")
        yield f"| {low:.0f}-{high:.0f} | {len(some)} | {' | '.join(cells)} |"


def landmark_row(name: str, found: Sequence[Sequence[float]]) -> str:
    mean = np.array(found).mean(0)
    return f"| {name} | {len(found)} | {' | '.join(f'{mean[a:b].mean():.3f}' for a, b in REGIONS.values())} |"


def gather(see: See, notes: Notes, aus: Sequence[str], *, people: int, portraits: int) -> None:
    """Fill the notes with what is not in them yet."""
    known = notes.state["portraits"]
    missing = [number for number in range(portraits) if str(number) not in known]
    for first in range(0, len(missing), AT_ONCE):
        known |= watch_portraits(see, missing[first : first + AT_ONCE])
        notes.save()
        print(f"\r{len(known)} of {portraits} portraits", end="", file=sys.stderr, flush=True)
    for number in range(people):
        known = notes.state["people"]
        known[str(number)] = watch_person(see, number, aus, known.get(str(number), {}))
        notes.save()
        print(f"\r{number + 1} of {people} people", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def report(notes: Notes, aus: Sequence[str], *, people: int, portraits: int) -> tuple[list[str], bool]:
    """All tables that need the landmarker, and whether everything wanted holds."""
    taken = [notes.state["portraits"][str(number)] for number in range(portraits)]
    known = [notes.state["people"][str(number)] for number in range(people)]
    lines, good = [], True
    if taken:
        lines += ["| yaw, degrees | portraits | found | found, nothing hiding the face |", "|---|---|---|---|"]
        lines += found_rows(taken)
        good &= sum(each["drawn"] is not None for each in taken) >= FOUND * len(taken)
    ahead = [each["uncovered"] for each in taken if abs(each["yaw_deg"]) < FRONTAL_DEG]
    errors_of = {
        "portraits ahead": [each for each in ahead if each is not None],
        "plain, at rest": [each["errors"] for each in known if each["errors"] is not None],
    }
    lines += ["", f"| landmarks, eye distances | faces | {' | '.join(REGIONS)} |", "|" + "---|" * (2 + len(REGIONS))]
    for name, found in errors_of.items():
        if found:
            lines.append(landmark_row(name, found))
            good &= float(np.mean(found)) < CLOSE
    if known:
        rows = [response(au, sign, known) for au in aus for sign in (WANTED | INFORMATIVE)[au] + BESIDES.get(au, ())]
        lines += [
            "",
            f"| unit ({rows[0].people} people) | sign | raw | change | odds | within | at 5 | what else moved most |",
        ]
        lines += ["|" + "---|" * 8, *map(str, rows)]
        follows = {row.au for row in rows if row.change >= ENOUGH and row.sign not in BESIDES.get(row.au, ())}
        weak = [au for au in aus if au in WANTED and au not in follows]
        lines += ["", f"Below {ENOUGH} in change: {', '.join(weak) or 'none'}."]
        good &= not weak
        notes.save(responses=[asdict(row) for row in rows])
    return lines, good


def main() -> int:
    parser = arguments()
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads)
    every = WANTED | INFORMATIVE
    aus = wanted.only.split(",") if wanted.only else list(every)
    if unknown := [au for au in aus if au not in every]:
        parser.error(f"{unknown[0]!r} is no unit of the tables. Choose from {', '.join(every)}.")
    lines: list[str] = []
    good = True
    if wanted.identities or wanted.portraits:
        model = found_model(wanted.model)
        if model is None:
            parser.error("There is no landmark model. Name its file by --model or in FACEFORGE_LANDMARKER.")
        notes = Notes(wanted.json)
        with landmarker(model) as see:
            gather(see, notes, aus, people=wanted.identities, portraits=wanted.portraits)
        lines, good = report(notes, aus, people=wanted.identities, portraits=wanted.portraits)
    lines += ["", "| unit at 5 | cm | out, up, forward | x, y | ICT cm | out, up, forward | x, y | ours / ICT |"]
    lines += ["|" + "---|" * 8, *movements(aus if wanted.only else [*aus, "AU27", "AU45"])]
    text = "\n".join(lines).strip()
    print(text)
    if wanted.table:
        wanted.table.write_text(text + "\n")
    return int(not good)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--identities", type=int, default=64, help="people whose units are tried one by one (64)")
    parser.add_argument("--portraits", type=int, default=200, help="portraits to be found (200)")
    parser.add_argument("--only", help="units, such as AU9,AU15 (all of the tables)")
    parser.add_argument("--model", type=Path, help="face_landmarker.task; else $FACEFORGE_LANDMARKER says where it is")
    parser.add_argument("--json", type=Path, help="keep all readings here, and go on from them")
    parser.add_argument("--table", type=Path, help="write the tables to this Markdown file too")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

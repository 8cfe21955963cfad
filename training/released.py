"""The judges' files from their trainings: half precision, with what they learned from and how they do on strangers.

python -m faceforge_training.released runs/judge-intensity faceforge/assets/judge-intensity.safetensors FOLDER
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from faceforge.io.weights import read_metadata, read_tensors, without_prefix, write_tensors
from faceforge.mer.identity import EmbeddedIdentity
from faceforge.mer.intensity import IntensityJudge
from faceforge.mer.judges import Judge
from faceforge.mer.motion import MotionJudge
from faceforge_training.judged import ALIGNED, DRIFTED, Couple, agreement, equal_error, held_out
from faceforge_training.loop import WEIGHTS
from faceforge_training.people import HELD_OUT, SEEDS, People

PEOPLE = 96  # who judge

Facts = dict[str, str]


def release(run: Path, target: Path, known: People) -> Facts:
    """Write a run's weights as an asset of the recipe's name; what is said of them."""
    trained = read_metadata(run / WEIGHTS)
    tensors = without_prefix(read_tensors(run / WEIGHTS), "network.")
    halves = {name: each.half() if each.is_floating_point() else each for name, each in tensors.items()}
    facts = {
        "recipe": trained["recipe"],
        "steps": trained["steps"],
        "trained on": f"synthetic people alone, seeds from {SEEDS.start}",
        "held out": f"{len(known)} people, seeds from {HELD_OUT.start}",
    }
    write_tensors(target, halves, facts)  # once for the measurement, which loads what ships
    facts |= MEASURES[trained["recipe"]](target, known)
    write_tensors(target, halves, facts)
    return facts


def _intensity(weights: Path, known: People) -> Facts:
    judge = IntensityJudge(weights)
    return _agreeing(judge, known, {"aligned": ALIGNED, "drifted": DRIFTED})


def _motion(weights: Path, known: People) -> Facts:
    return _agreeing(MotionJudge(weights=weights), known, {"aligned": ALIGNED})


def _identity(weights: Path, known: People) -> Facts:
    return {"equal_error_rate": f"{equal_error(EmbeddedIdentity(weights), known):.4f}"}


def _agreeing(judge: Judge, known: People, kinds: Mapping[str, Sequence[Couple]]) -> Facts:
    """PCC, MAE and ICC of each unit, as JSON, for each kind of couples."""
    facts = {}
    for kind, couples in kinds.items():
        found = agreement(judge, known, couples)
        table = {
            code: {"pcc": round(p, 3), "icc": round(i, 3), "mae": round(m, 3)}
            for code, p, i, m in zip(
                judge.codes, *(each.tolist() for each in (found.pcc, found.icc, found.mae)), strict=True
            )
        }
        facts[kind] = json.dumps(table)
    return facts


MEASURES: Mapping[str, Callable[[Path, People], Facts]] = {
    "judge-intensity": _intensity,
    "judge-motion": _motion,
    "face-identity": _identity,
}

if __name__ == "__main__":
    run, target, folder = (Path(each) for each in sys.argv[1:4])
    for name, value in release(run, target, held_out(folder, PEOPLE)).items():
        print(f"{name}: {value}")

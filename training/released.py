"""The judges' files from their trainings: half precision, with what they learned from and how they do on strangers.

python -m faceforge_training.released RUNS TARGET PEOPLE

RUNS holds a run of each recipe, TARGET takes the files, PEOPLE the pictures of strangers.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from faceforge.io.weights import read_metadata, read_tensors, without_prefix, write_tensors
from faceforge.mer import identity, intensity, motion
from faceforge_training.judged import ALIGNED, DRIFTED, Agreement, agreement, directions, equal_error, held_out
from faceforge_training.loop import WEIGHTS
from faceforge_training.people import HELD_OUT, SEEDS, UNITS, People

STRANGERS = 64
ASSETS = {"judge-intensity": intensity.ASSET, "judge-motion": motion.ASSET, "face-identity": identity.ASSET}

_ALL = ("pcc", "icc", "mae")

Facts = dict[str, str]


def release(runs: Path, target: Path, strangers: People) -> Mapping[str, Facts]:
    """Write the weights of all three recipes' runs into a folder; what each file says of itself."""
    learned = {recipe: _learned(runs / recipe / WEIGHTS) for recipe in ASSETS}
    for recipe, (tensors, facts) in learned.items():
        write_tensors(target / ASSETS[recipe], tensors, facts)  # without figures, to be measured as it ships
    figures = measured(target, strangers)
    for recipe, (tensors, facts) in learned.items():
        facts |= figures[recipe]
        write_tensors(target / ASSETS[recipe], tensors, facts)
    return {recipe: facts for recipe, (_, facts) in learned.items()}


def measured(folder: Path, strangers: People) -> Mapping[str, Facts]:
    """How the networks in a folder do; one person after the other, whose faces are found once for all of them."""
    intense = intensity.IntensityJudge(folder / intensity.ASSET)
    moving = motion.MotionJudge(weights=folder / motion.ASSET)
    knowing = identity.EmbeddedIdentity(folder / identity.ASSET)
    parts = [
        (
            agreement(intense, person, ALIGNED),
            agreement(intense, person, DRIFTED),
            agreement(moving, person, ALIGNED),
            directions(knowing, person),
        )
        for person in strangers
    ]
    aligned, drifted, moved, vectors = zip(*parts, strict=True)
    return {
        "judge-intensity": {"aligned": _table(aligned, *_ALL), "drifted": _table(drifted, *_ALL)},
        "judge-motion": {"aligned": _table(moved, "pcc")},  # what it says has no unit
        "face-identity": {"equal_error_rate": f"{equal_error(np.concatenate(vectors)):.4f}"},
    }


def _learned(weights: Path) -> tuple[dict[str, Tensor], Facts]:
    trained = read_metadata(weights)
    tensors = without_prefix(read_tensors(weights), "network.")
    return {name: each.half() if each.is_floating_point() else each for name, each in tensors.items()}, {
        "recipe": trained["recipe"],
        "steps": trained["steps"],
        "trained on": f"synthetic people alone, seeds from {SEEDS.start}",
        "held out": f"{STRANGERS} people, seeds from {HELD_OUT.start}",
    }


def _table(some: Sequence[Agreement], *names: str) -> str:
    """Figures of each unit by name, as JSON."""
    joined = Agreement.joined(some)
    columns = {name: getattr(joined, name) for name in names}
    return json.dumps(
        {code: {name: round(float(each[n]), 3) for name, each in columns.items()} for n, code in enumerate(UNITS)}
    )


if __name__ == "__main__":
    runs, target, folder = (Path(each) for each in sys.argv[1:4])
    for recipe, facts in release(runs, target, held_out(folder, STRANGERS)).items():
        print(recipe, *(f"  {name}: {value}" for name, value in facts.items()), sep="\n")

"""The embedded face finder from its two trainings: both networks in half precision, and what faces look like.

python -m faceforge_training.assembled runs/face-finder-detect runs/face-finder-landmarks face-finder.safetensors
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from faceforge.face.shapes import Shapes
from faceforge.face.squares import rotation, upright
from faceforge.io.weights import read_tensors, without_prefix, write_tensors
from faceforge_training.faces import Crops
from faceforge_training.loop import WEIGHTS
from faceforge_training.settings import read

_SAMPLES = 20_000


def assemble(detect: Path, landmarks: Path, crops: Crops, target: Path) -> None:
    """Write what `faceforge.face.embedded` reads."""
    parts = {"faces": _network(detect), "points": _network(landmarks), "shapes": learned(crops).stored()}
    tensors = {f"{part}.{name}": each.half() for part, named in parts.items() for name, each in named.items()}
    write_tensors(target, tensors, {"trained on": "synthetic portraits alone"})


def learned(crops: Crops, samples: int = _SAMPLES) -> Shapes:
    """The shapes of bent and stretched faces, as the landmarker was taught them."""
    points, angles = (torch.cat(each) for each in zip(*_labels(crops, samples), strict=True))
    middle, side, roll = upright(points)
    straight = (points - middle[:, None]) @ rotation(roll) / side[:, None, None]
    return Shapes.learned(straight.double().numpy(), angles[:, :2].double().numpy().astype(np.float64))


def _labels(crops: Crops, samples: int) -> list[tuple[Tensor, Tensor]]:
    steps = range(-(-samples // crops.faces.batch))
    return [crops.labels(step) for step in steps]


def _network(run: Path) -> dict[str, Tensor]:
    return without_prefix(read_tensors(run / WEIGHTS), "network.")


if __name__ == "__main__":
    runs, changes = sys.argv[1:4], sys.argv[4:]
    _, reader, _ = read("face-finder-landmarks", changes).build()
    assemble(Path(runs[0]), Path(runs[1]), reader, Path(runs[2]))

"""Edits whose outcome is known, by a model that repairs the warp: how close it comes, and what of a turn it reaches."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import numpy as np
from PIL import Image
from torch import Tensor

from benchmarks.landmarker import found_model
from faceforge import EditSpec, load
from faceforge.editor import Editor
from faceforge.face import Finder
from faceforge.face.embedded import EmbeddedFinder
from faceforge.face.mediapipe import MediaPipeFinder
from faceforge.forge import Forge
from faceforge.io.pictures import read_picture
from faceforge.reading import Reader, Reading
from faceforge.synth import photograph
from faceforge_training.edits import EACH, edits
from faceforge_training.validating import edit_validation

FIRST = 99_500_000  # of people: neither taught nor watched while anything was trained
TURNS = {"yaw_deg": (-15.0, 15.0), "pitch_deg": (-8.0, 8.0)}
LIGHTS = ("left", "right", "top")
SIDE = 256
LUMA = np.array([0.299, 0.587, 0.114])
WORDS = {
    "face_psnr": "the network alone, PSNR of the face",
    "over_source": "the network over the source as it is",
    "over_warp": "the network over the warp",
    "unknown_over_warp": "the same where the photograph cannot know",
    "repaired_over_warp": "as users get it (the network only where the photograph cannot know) over the warp",
    "composed_over_warp": "with all that the network changes of the warp over the warp",
    "ceiling": "the autoencoder alone",
    "au_pcc": "correlation of asked and seen changes of action units",
    "faces": "share of edits in which a face is found",
}
ABOUT = """
what it prints
  In dB, means over edits of people who taught nobody: how close edits come to the true outcome where the face is. Then
  medians over --faces people: which share of a turn and of a change of light a fit of the edited picture finds.

examples
  python benchmarks/edits.py --model mini --pairs 256 -o edits
"""


def shares(editor: Editor, finder: Finder, faces: int) -> Iterator[str]:
    """How much of a turn, and of a change of light, fits of edited portraits find."""
    turned: dict[str, list[float]] = {name: [] for name in TURNS}
    lit = []
    for number in range(faces):
        source = _portrait(FIRST + number * EACH)
        before = _read(source, finder)
        if before is None:
            continue
        for name, angles in TURNS.items():
            for angle in angles:
                after = _read(editor.edit(source, **{name: angle}).image, finder)
                if after is not None:
                    turned[name].append((getattr(after.face, name) - getattr(before.face, name)) / angle)
        for light in LIGHTS:
            wanted = Reader(finder).target(EditSpec(light=light), before, {}).light
            after = _read(editor.edit(source, light=light).image, finder)
            if after is not None:
                lit.append(1 - _angle(after.fit.light, wanted) / max(_angle(before.fit.light, wanted), 1e-6))
    for name, found in turned.items():
        yield f"| share of {name.removesuffix('_deg')} reached | {np.median(found):.2f} of {len(found)} |"
    yield f"| share of the way to another light | {np.median(lit):.2f} of {len(lit)} |"


def _angle(one: Tensor, other: Tensor) -> float:
    """Between the directions from which most of two lights comes, in degrees."""
    a, b = (each[0, 1:4].double().numpy() @ LUMA for each in (one, other))
    cosine = a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _portrait(seed: int) -> Image.Image:
    straight = dict.fromkeys(("yaw_deg", "pitch_deg", "roll_deg"), 0.0)
    return Image.fromarray(
        photograph([replace(edits(seed)[0].before, aus={}, occluder=None, **straight)], SIDE)[0].image
    )


def _read(picture: Image.Image | None, finder: Finder) -> Reading | None:
    assert picture is not None
    found = Reader(finder).read(read_picture(picture))
    return found.readings(1)[0] if found.faces else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, epilog=ABOUT, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="mini", help="a name or a folder")
    parser.add_argument("--pairs", type=int, default=256, help="edits whose outcome is known")
    parser.add_argument("--faces", type=int, default=16, help="people who turn and are lit; 0 leaves this out")
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--folder", default="~/.cache/faceforge/edits", help="where drawn pairs are kept")
    parser.add_argument("-o", "--output", type=Path, default=Path("edits"), help="folder for pictures")
    asked = parser.parse_args()
    forge = load(asked.model)
    assert isinstance(forge, Forge), "the warp alone has no network to be measured"
    found = edit_validation(asked.folder, asked.pairs, first=FIRST, steps=asked.steps).of(forge, asked.output)
    print("| what | figure |", "|---|---|", sep="\n")
    for name, value in found.items():
        print(f"| {WORDS[name]} | {value:.2f} |")
    if asked.faces:
        model = found_model()
        finder = EmbeddedFinder() if model is None else MediaPipeFinder(model)
        print(*shares(forge, finder, asked.faces), sep="\n")

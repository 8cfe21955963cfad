"""How few steps do: solvers, steps and starts of a model that repairs the warp, against many steps from noise."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has only its own folder on the path

import numpy as np
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler
from PIL import Image
from torch import Tensor

from benchmarks.edits import FIRST
from faceforge import load
from faceforge.errors import NoFace
from faceforge.forge import Forge
from faceforge.jobs import to_image
from faceforge.mer.identity import EmbeddedIdentity
from faceforge.mer.looking import looker
from faceforge_training.editing import face_edits
from faceforge_training.known import Known
from faceforge_training.sampling import psnr, repaired, sampled

SOLVERS: dict[str, Any] = {
    "DDIM": DDIMScheduler,
    "DPM-Solver++": DPMSolverMultistepScheduler,
    "UniPC": UniPCMultistepScheduler,
}
MANY = 50
ABOUT = """
what it prints
  For each setting, means over edits: dB over the warp of the whole face as users get it and of pixels that a photograph
  cannot know, and what the means are unsure by; the cosine of the embedded identity with the true outcome's; how many
  milliseconds the network takes for an edit, eight at once.

examples
  python benchmarks/steps.py --model mini --pairs 64
"""


def settings() -> Iterator[tuple[str, int, float]]:
    """Solver, steps and start."""
    yield "DDIM", MANY, 0.0
    for solver in SOLVERS:
        for steps in (1, 2, 4, 8):
            yield solver, steps, 0.0
    for at in (0.25, 0.5, 0.75):
        yield "DDIM", 4, at


def figures(forge: Forge, known: Known, steps: int, start_at: float) -> tuple[str, str, str, str]:
    """One run's: whole face, unknown pixels, identity, milliseconds."""
    began = time.perf_counter()
    made = sampled(forge, known, steps, start_at)
    spent = (time.perf_counter() - began) / len(known)
    warp, target = (known.seen[name].permute(0, 3, 1, 2).float() / 127.5 - 1 for name in ("warp", "target"))
    face, share = known.rest["face"] > 127, known.rest["unknown"][:, None].float() / 255
    unknown = face & (share[:, 0] > 0.5)
    mended = repaired(made, warp, share)
    whole = psnr(mended, target, face) - psnr(warp, target, face)
    hidden = psnr(made, target, unknown) - psnr(warp, target, unknown)
    return _unsure(whole), _unsure(hidden), f"{_alike(mended, target):.3f}", f"{1000 * spent:.0f}"


def _unsure(gains: Tensor) -> str:
    told = gains[~gains.isnan()]
    return f"{told.mean():+.2f} ± {told.std() / len(told) ** 0.5:.2f}"


def _alike(made: Tensor, target: Tensor) -> float:
    """The mean cosine of what the identity embedding says of pictures and of what they should have been."""
    embedding, found = EmbeddedIdentity(), []
    for pair in zip(made, target, strict=True):
        try:
            found.append(float(np.prod([_said(embedding, to_image(each)) for each in pair], 0).sum()))
        except NoFace:
            continue
    return float(np.mean(found))


def _said(embedding: EmbeddedIdentity, image: Image.Image) -> Any:
    return embedding.embed(np.asarray(image), looker().look(image).face)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, epilog=ABOUT, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="mini", help="a name or a folder")
    parser.add_argument("--pairs", type=int, default=64, help="edits whose outcome is known")
    parser.add_argument("--folder", default="~/.cache/faceforge/edits", help="where drawn pairs are kept")
    asked = parser.parse_args()
    forge = load(asked.model)
    assert isinstance(forge, Forge), "the warp alone takes no steps"
    known = face_edits(asked.folder, asked.pairs, first=FIRST).known
    own = forge.backbone.scheduler.config
    print(
        "| solver | steps | start | whole face, dB | unknown, dB | identity | ms |",
        "|---|---|---|---|---|---|---|",
        sep="\n",
    )
    for solver, steps, at in settings():
        forge.backbone.scheduler = SOLVERS[solver].from_config(own, timestep_spacing="trailing")
        print("|", " | ".join((solver, str(steps), f"{at:g}", *figures(forge, known, steps, at))), "|", flush=True)

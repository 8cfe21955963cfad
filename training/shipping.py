"""A run's model as it ships: under a name of its own, with what it is said to be, and all trainings that led to it."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from faceforge.errors import BadWeights
from faceforge.forge import Forge
from faceforge.models import load_folder
from faceforge.store.checkpoint import save, weights_hash
from faceforge.store.shipped import shipped
from faceforge_training import checkpoint
from faceforge_training.journal import FIGURES, LOG, lines

NOTICE = (
    "forge-mini, a miniature for laptops: it works at 128 pixels and learned from synthetic portraits alone. "
    "A full model is one download away: --model magicface."
)
_POINTS = 100  # of the curve


def ship(run: Path, target: Path, shared: str = "", before: Sequence[Path] = ()) -> Path:
    """Write the model of a finished run, in half precision, with the history of those that it went on from."""
    forge = load_folder(run / "model")
    forge.name, forge.notice = target.name, NOTICE
    for part in (forge.backbone.unet, forge.backbone.vae):
        if part is not None:
            part.register_to_config(_name_or_path=target.name)  # not where it lay
    if shared:
        _refer(forge, shared)
    save(forge, target, packed=True)
    told = [history(each) for each in (*before, run)]
    (target / "training.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return target


def history(run: Path) -> dict[str, Any]:
    """How a run came to its weights."""
    told = lines(run / LOG)
    state = torch.load(run / checkpoint.NAME, map_location="cpu", weights_only=True)
    return {
        "recipe": state["recipe"],
        "steps": state["step"],
        "minutes": round(state["seconds"] / 60, 1),
        "curve": [[each["step"], *each["losses"].values()] for each in told[:: max(1, len(told) // _POINTS)]],
        "figures": lines(run / FIGURES),
    }


def _refer(forge: Forge, shared: str) -> None:
    """Let a model read the parts that it shares from another that ships."""
    if shared not in shipped():
        raise BadWeights(f"No model that ships is called {shared!r}: {', '.join(shipped()) or 'none does'}.")
    other = load_folder(shipped()[shared]).backbone
    for part, own, theirs in (
        ("vae", forge.backbone.vae, other.vae),
        ("text", getattr(forge.backbone.text, "model", None), getattr(other.text, "model", None)),
    ):
        if own is None or theirs is None or weights_hash(own) != weights_hash(theirs):
            raise BadWeights(f"The {part} of this model is not that of {shared!r}. Train both from the same.")
        forge.backbone.sources = {**forge.backbone.sources, part: shared}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="folders of runs in their order; the last ships"
    )
    parser.add_argument("target", type=Path, metavar="TARGET", help="a folder; its last part is the model's name")
    parser.add_argument("--shared", default="", help="a model that ships, with the same autoencoder and text encoder")
    asked = parser.parse_args()
    print(ship(asked.runs[-1], asked.target, asked.shared, asked.runs[:-1]))

"""What is compared: edits of one face, each as the releases make it and as FaceForge does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.release import Release
from benchmarks.setup import SEED, Latents, Scene
from faceforge import Forge
from faceforge.aus import order

AU = "AU12"
BATCH = 4  # edits per batch of a sweep: what `edit_many` does by default


@dataclass(frozen=True)
class Case:
    """Edits of one face, one per value of one action unit."""

    name: str
    values: Sequence[float]
    guidance: float = 1.5


GUIDED = Case("guided edit", (4.0,))
IDLE = Case("idle guidance", (4.0,), guidance=1.0)


def sweep_of(edits: int) -> Case:
    """Evenly up to 8 and never zero, where FaceForge would leave out the branch that says the same."""
    return Case(f"sweep of {edits}", [8 * (number + 1) / edits for number in range(edits)])


def by_release(release: Release, given: Latents, case: Case, steps: int) -> Tensor:
    """Final latents (edits, 4, h, w): one whole edit after the other."""
    aus = [changes(value, given.noise) for value in case.values]
    return torch.cat([release.edit(given, each, steps=steps, guidance=case.guidance) for each in aus])


def by_faceforge(forge: Forge, scene: Scene, case: Case, steps: int) -> Tensor:
    """The same from a Forge that has not seen this face before."""
    forge.cache.clear()
    results = forge.sweep(
        scene.source,
        au=AU,
        values=case.values,
        pictures={"background": scene.background},
        guidance=case.guidance,
        steps=steps,
        size=scene.source.size,
        seed=SEED,
        batch_size=BATCH,
    )
    return torch.stack([result.latents for result in results])


def changes(value: float, like: Tensor) -> Tensor:
    """The AU change as MagicFace's vector (1, 12)."""
    return torch.tensor([[value if code == AU else 0.0 for code in order("disfa12")]]).to(like)

"""Readers of edits whose outcome is known: as pictures, or as latents that an autoencoder made of them once.

The batch of a step is a function of the seed and the step alone, which is what makes resuming exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt
from torch import Tensor

from faceforge_training.draws import of_step
from faceforge_training.edits import SEEDS
from faceforge_training.known import SEEN, Known, known_edits

PIXELS = 128
_ODD = 0.3  # of an autoencoder's batch: pictures that no camera takes, such as warps and renders


def face_edits(
    folder: str,
    pairs: PositiveInt,
    *,
    vae: str = "",
    batch: PositiveInt = 16,
    first: NonNegativeInt = SEEDS.start,
    seed: NonNegativeInt = 0,
    pixels: PositiveInt = PIXELS,
    processes: PositiveInt = 1,
    captions: bool = False,
    counts: dict[Literal["face", "unknown"], NonNegativeFloat] = {},  # noqa: B006  a recipe's default, never changed
) -> "Edits":
    """What an editor learns from; with a `vae`, a saved model's folder, its latents are kept beside the pictures.

    Without `captions` prompts are empty, as they are when users edit. `counts` says by how much errors in the face, and
    of what the photograph cannot know, count more than those elsewhere.
    """
    return Edits(known_edits(folder, pairs, vae, first, pixels, processes), batch, seed, captions, counts)


def face_portraits(
    folder: str,
    pairs: PositiveInt,
    *,
    vae: str = "",
    batch: PositiveInt = 16,
    first: NonNegativeInt = SEEDS.start,
    seed: NonNegativeInt = 0,
    pixels: PositiveInt = PIXELS,
    processes: PositiveInt = 1,
) -> "Captioned":
    """What text-to-face learns from: both pictures of every pair, each with its own caption and intensities."""
    return Captioned(known_edits(folder, pairs, vae, first, pixels, processes), batch, seed)


def face_pictures(
    folder: str,
    pairs: PositiveInt,
    *,
    batch: PositiveInt = 16,
    first: NonNegativeInt = SEEDS.start,
    seed: NonNegativeInt = 0,
    pixels: PositiveInt = PIXELS,
    processes: PositiveInt = 1,
) -> "Pictures":
    """What an autoencoder learns from: photographs, and now and then one of the pictures that are made of them."""
    return Pictures(known_edits(folder, pairs, "", first, pixels, processes), batch, seed)


@dataclass(frozen=True, eq=False)
class Edits:
    """Batches of edits."""

    known: Known
    size: int
    seed: int
    captions: bool = False
    counts: Mapping[Literal["face", "unknown"], float] = field(default_factory=dict)

    def batch(self, step: int) -> dict[str, Any]:
        """The target as `latents` or `picture`, conditions by prefix, `aus` as changes and what was `measured`."""
        return self.rows(torch.randint(len(self.known), (self.size,), generator=of_step(self.seed, step)))

    def rows(self, index: Tensor) -> dict[str, Any]:
        """Chosen edits."""
        known = self.known
        unknown = known.rest["unknown"][index, None].float() / 127.5 - 1
        numbers = {name: known.rest[name][index] for name in ("before", "after", "measured", "rig")}
        conditions = {k: v for name in SEEN if name != "target" for k, v in known.shown(name, index, "latent").items()}
        return {
            **_wanted(known, "target", index),
            **conditions,
            "picture.unknown": unknown.expand(-1, 3, -1, -1),
            **self._counted(index),
            "vector.expression": numbers["rig"],
            "aus": numbers["after"] - numbers["before"],
            "measured": numbers["measured"],
            "prompts": known.caption(index, "after") if self.captions else [""] * len(index),
        }

    def _counted(self, index: Tensor) -> dict[str, Tensor]:
        more = [count * self.known.rest[name][index, None].float() / 255 for name, count in self.counts.items()]
        return {"counts": 1 + torch.stack(more).sum(0)} if more else {}


@dataclass(frozen=True, eq=False)
class Captioned:
    """Batches of single portraits."""

    known: Known
    size: int
    seed: int

    def batch(self, step: int) -> dict[str, Any]:
        """`latents` or `picture`, `prompts`, and `aus` as intensities: changes of a neutral face."""
        drawn = of_step(self.seed, step)
        index = torch.randint(len(self.known), (self.size,), generator=drawn)
        first = torch.rand(self.size, generator=drawn) < 0.5
        shots = [_wanted(self.known, name, index) for name in ("source", "target")]
        aus = [self.known.rest[name][index] for name in ("before", "after")]
        said = zip(*(self.known.caption(index, when) for when in ("before", "after")), first.tolist(), strict=True)
        return {
            **{name: torch.where(first[:, None, None, None], each, shots[1][name]) for name, each in shots[0].items()},
            "aus": torch.where(first[:, None], *aus),
            "prompts": [before if chosen else after for before, after, chosen in said],
        }


@dataclass(frozen=True, eq=False)
class Pictures:
    """Batches of single pictures, half of them mirrored."""

    known: Known
    size: int
    seed: int

    def batch(self, step: int) -> dict[str, Tensor]:
        """`picture` (B, 3, n, n) in -1..1."""
        drawn = of_step(self.seed, step)
        index = torch.randint(len(self.known), (self.size,), generator=drawn).tolist()
        draw = torch.rand(self.size, 3, generator=drawn).tolist()
        chosen = []
        for row, (odd, which, mirrored) in zip(index, draw, strict=True):
            names = SEEN[2:] if odd < _ODD else SEEN[:2]
            rows = self.known.shown(names[int(which * len(names))], torch.tensor([row]), "picture")
            picture = next(iter(rows.values()))
            chosen.append(picture.flip(3) if mirrored < 0.5 else picture)
        return {"picture": torch.cat(chosen)}


def _wanted(known: Known, name: str, index: Tensor) -> dict[str, Tensor]:
    """What is to be learned: `latents`, or the `picture` they are made of."""
    (key, rows), *_ = known.shown(name, index, "latent").items()
    return {"picture" if key.startswith("picture") else "latents": rows}

"""A reader of people: the same ones in each of their sessions, before any background."""

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from faceforge.mer.identity import PIXELS
from faceforge_training import disguise
from faceforge_training.clutter import clutter
from faceforge_training.draws import of_step
from faceforge_training.frames import WHOLE, around, off
from faceforge_training.people import SEEDS, SESSIONS, SHOTS, SIZE, People, people

_CLUTTER = 1000
_BEFORE = 0.7  # the share before another background


def face_people(
    folder: str,
    persons: PositiveInt,
    *,
    batch: PositiveInt = 120,
    first: NonNegativeInt = SEEDS.start,
    seed: NonNegativeInt = 0,
    pixels: PositiveInt = SIZE,
) -> "Album":
    """What the identity embedding learns from: `persons` of the seeds from `first` on, drawn into `folder` once."""
    known = people(Path(folder).expanduser(), persons, first, size=pixels)
    return Album(known, clutter(min(_CLUTTER, 10 * batch), PIXELS, seed), batch, seed)


@dataclass(frozen=True, eq=False)
class Album:
    """A third as many people as pictures, each in all sessions."""

    known: People
    backgrounds: Tensor  # (N, 64, 64) uint8
    size: int
    seed: int

    def batch(self, step: int) -> dict[str, Tensor]:
        """`colours` (B, 3, 64, 64) in 0..1, and whose they are, `person` (B,)."""
        random = of_step(self.seed, step)
        count = max(1, self.size // len(SESSIONS))
        whose = torch.randperm(len(self.known), generator=random)[:count]
        counts = torch.tensor(SESSIONS)
        place = (torch.rand(len(whose), len(SESSIONS), generator=random) * counts).long()
        shot = (counts.cumsum(0) - counts) + place
        index = (whose[:, None] * SHOTS + shot).flatten()
        return {"colours": self.seen(index, random), "person": whose.repeat_interleave(len(SESSIONS))}

    def seen(self, index: Tensor, random: torch.Generator) -> Tensor:
        """Crops (B, 3, 64, 64) of pictures as cameras saw them."""
        portraits, batch = self.known.portraits, len(index)
        layers = torch.cat([portraits.pictures[index] / 255, portraits.there[index, None].float()], 1)
        mirrored = torch.rand(batch, generator=random) < 0.5
        straight = torch.zeros(batch, 2, PIXELS, PIXELS)
        warp = around(portraits.points[index], off(batch, 1.0, random), mirrored, straight, WHOLE)
        colours, there = warp.cut(layers).split([3, 1], 1)
        which = torch.randint(len(self.backgrounds), (batch,), generator=random)
        draw = torch.rand(batch, 7, 1, 1, generator=random)
        behind = self.backgrounds[which, None].float() / 255 * draw[:, :3]
        other = draw[:, 3:4] < _BEFORE
        colours = torch.where(other, colours * there + behind * (1 - there), colours)
        return disguise.retaken((colours * (0.9 + 0.2 * draw[:, 4:])).clamp(0, 1), random)

"""Readers of pairs: two pictures of one person in aligned crops, and how much every action unit moved between them.

Both are cut with the landmarks of the first, marked as roughly as the finder marks them, or each with its own where the
head has turned. Everything that disguises a picture falls on both alike; then each is taken once more on its own.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from faceforge.mer.pairs import INNER, PIXELS
from faceforge_training import disguise
from faceforge_training.clutter import clutter
from faceforge_training.draws import of_step
from faceforge_training.frames import around, off
from faceforge_training.people import SEEDS, SESSIONS, SHOTS, SIZE, People, people
from faceforge_training.warps import Warp, bends

_CLUTTER = 1000
_ALIGNED, _STILL = 0.7, 0.1  # shares of pairs of one session, and of a picture with itself
_APART = 0.4  # of how far both frames are off, by how much they differ
_MIRROR, _BEFORE, _DISGUISED = 0.5, 0.5, 0.35  # shares that are mirrored, before other backgrounds, hardly drawn ones


def face_pairs(
    folder: str,
    persons: PositiveInt,
    *,
    batch: PositiveInt = 64,
    first: NonNegativeInt = SEEDS.start,
    seed: NonNegativeInt = 0,
    pixels: PositiveInt = SIZE,
) -> "Pairs":
    """What the intensity judge learns from: `persons` of the seeds from `first` on, drawn into `folder` once."""
    known = people(Path(folder).expanduser(), persons, first, size=pixels)
    return Pairs(known, clutter(min(_CLUTTER, 10 * batch), PIXELS, seed), batch, seed)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of one session, and some of a person who has moved."""

    known: People
    backgrounds: Tensor  # (N, n, n) uint8, as large as crops are
    size: int
    seed: int
    part: tuple[float, float, float] = INNER  # of the frame

    def batch(self, step: int) -> dict[str, Tensor]:
        """`before` and `after` (B, 1, n, n) in 0..1, `change` (B, 12) in FACS units."""
        random = of_step(self.seed, step)
        first, second = self.picked(random)
        warps = self.placed(first, second, random)
        before, after = self.seen(first, second, warps, random)
        return {"before": before, "after": after, "change": self.change(first, second)}

    def change(self, first: Tensor, second: Tensor) -> Tensor:
        """By how much the units of one picture are above those of another, (B, 12)."""
        return self.known.aus[second] - self.known.aus[first]

    def picked(self, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Which pictures are compared, (B,) each."""
        draw = torch.rand(self.size, 5, generator=random)
        first = (draw[:, 0] * SHOTS).long().clamp(max=SHOTS - 1)
        start, count = _session(first)
        within = start + (first - start + 1 + (draw[:, 1] * (count - 1)).long().clamp(max=2)) % count
        beyond = (first + 1 + (draw[:, 1] * (SHOTS - 1)).long()) % SHOTS
        second = torch.where(draw[:, 2] < _ALIGNED, within, beyond)
        second = torch.where(draw[:, 3] < _STILL, first, second)
        whose = (draw[:, 4] * len(self.known)).long() * SHOTS
        return whose + first, whose + second

    def placed(self, first: Tensor, second: Tensor, random: torch.Generator) -> tuple[Warp, Warp]:
        """The squares of both."""
        points = self.known.portraits.points
        pixels = self.backgrounds.shape[-1]
        aligned = _session(first % SHOTS)[0] == _session(second % SHOTS)[0]
        rough, apart = off(len(first), 1.0, random), off(len(first), _APART, random)
        mirrored = torch.rand(len(first), generator=random) < _MIRROR
        bend = bends(len(first), pixels, 0.01 * torch.rand(len(first), generator=random), random)
        own = torch.where(aligned[:, None, None], points[first], points[second])
        return (
            around(points[first], rough, mirrored, bend, self.part),
            around(own, rough + apart, mirrored, bend, self.part),
        )

    def seen(
        self, first: Tensor, second: Tensor, warps: tuple[Warp, Warp], random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Both crops (B, 1, n, n) as some camera saw them."""
        which = torch.randint(len(self.backgrounds), (len(first),), generator=random)
        things = self.backgrounds[which, None].float() / 255
        other, worn = torch.rand(2, len(first), 1, 1, 1, generator=random)
        alike = random.get_state()
        seen = []
        for index, warp in ((first, warps[0]), (second, warps[1])):
            random.set_state(alike)
            there = self.known.portraits.there[index, None].float()
            grey = disguise.grey_of(self.known.portraits.pictures[index], random)
            grey, there = warp.cut(torch.cat([grey, there], 1)).split(1, 1)
            grey = torch.where(other < _BEFORE, grey * there + things * (1 - there), grey)
            disguised = disguise.photographed(disguise.textured(grey, there, random), random)
            seen.append(torch.where(worn < _DISGUISED, disguised, grey))
        return disguise.retaken(seen[0], random), disguise.retaken(seen[1], random)


def _session(shot: Tensor) -> tuple[Tensor, Tensor]:
    """Where the sessions of shots (B,) begin, and how many pictures they have."""
    counts = torch.tensor(SESSIONS)
    which = (shot[:, None] >= counts.cumsum(0)).sum(1)
    return (counts.cumsum(0) - counts)[which], counts[which]

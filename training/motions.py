"""A reader of motion: what optical flow finds between two pictures of one session, computed once and kept."""

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor
from torch.nn.functional import interpolate

from faceforge.mer.detectors.infused import SIDE
from faceforge.mer.flow import backend
from faceforge.mer.framing import SIDE as CROP
from faceforge.mer.motion import channels
from faceforge_training.clutter import clutter
from faceforge_training.draws import of_step
from faceforge_training.frames import WHOLE
from faceforge_training.pairs import Pairs
from faceforge_training.people import BLOCK, SEEDS, SESSIONS, SHOTS, SIZE, people
from faceforge_training.portraits import Arrays, kept
from faceforge_training.warps import Warp

_CLUTTER = 500
_STILL = 2  # pictures of each person that are compared with themselves


def face_motions(
    folder: str,
    persons: PositiveInt,
    *,
    batch: PositiveInt = 128,
    first: NonNegativeInt = SEEDS.start,
    seed: NonNegativeInt = 0,
    pixels: PositiveInt = SIZE,
) -> "Motions":
    """What the motion judge learns from: flow between pictures of `persons`, kept beside their pictures."""
    where = Path(folder).expanduser()
    blocks = range(-(-persons // BLOCK))
    known = people(where, BLOCK * len(blocks), first, size=pixels)
    pairs = Pairs(known, clutter(min(_CLUTTER, 4 * batch), CROP, seed), BLOCK * len(COUPLES), seed, WHOLE)
    names = [f"motions-{pixels}-{first}-{number:05d}.npz" for number in blocks]
    found = kept(where, names, partial(_block, pairs), persons * len(COUPLES))
    return Motions(found["grey"], found["channels"], found["change"], batch, seed)


def _couples() -> tuple[tuple[int, int], ...]:
    """Which shots are compared: all of one session, and a few with themselves."""
    firsts = [sum(SESSIONS[:number]) for number in range(len(SESSIONS))]
    pairs = [
        pair
        for start, count in zip(firsts, SESSIONS, strict=True)
        for pair in combinations(range(start, start + count), 2)
    ]
    return (*pairs, *((shot, shot) for shot in firsts[:_STILL]))


COUPLES = _couples()


@dataclass(frozen=True, eq=False)
class Motions:
    """N couples of pictures in both orders."""

    grey: Tensor  # (N, 2, 64, 64) uint8
    channels: Tensor  # (N, 2, 3, 64, 64) float16, forth and back
    change: Tensor  # (N, 12)
    size: int
    seed: int

    def batch(self, step: int) -> dict[str, Tensor]:
        """`grey` (B, 2, 64, 64) in 0..1, `channels` (B, 3, 64, 64), `change` (B, 12); half of them mirrored."""
        random = of_step(self.seed, step)
        which = torch.randint(len(self.change), (self.size,), generator=random)
        back, mirrored = torch.rand(2, self.size, generator=random) < 0.5
        grey, moved, change = self.grey[which].float() / 255, self.channels[which].float(), self.change[which]
        grey = torch.where(back[:, None, None, None], grey.flip(1), grey)
        moved = torch.where(back[:, None, None, None], moved[:, 1], moved[:, 0])
        change = torch.where(back[:, None], -change, change)
        mirror = moved.flip(3) * torch.tensor([-1.0, 1.0, 1.0])[:, None, None]
        flipped = mirrored[:, None, None, None]
        return {
            "grey": torch.where(flipped, grey.flip(3), grey),
            "channels": torch.where(flipped, mirror, moved),
            "change": change,
        }


def _block(pairs: Pairs, number: int) -> Arrays:
    """The couples of a few people as the judge will see them: cut roughly, each picture taken in its own way."""
    random = of_step(pairs.seed, number)
    whose = torch.arange(number * BLOCK, (number + 1) * BLOCK) * SHOTS
    first, second = ((whose[:, None] + torch.tensor(each)).flatten() for each in zip(*COUPLES, strict=True))
    warps = pairs.placed(first, second, random)
    before, after = ((255 * each).byte() for each in pairs.seen(first, second, warps, random))
    points = [_points(pairs, index, warp) for index, warp in zip((first, second), warps, strict=True)]
    flows = [
        [channels(one, other, points[0][row], backend()), channels(other, one, points[1][row], backend())]
        for row, (one, other) in enumerate(zip(before[:, 0].numpy(), after[:, 0].numpy(), strict=True))
    ]
    small = interpolate(torch.cat([before, after], 1).float(), size=(SIDE, SIDE), mode="bilinear", antialias=True)
    return {
        "grey": small.round().byte().numpy(),
        "channels": np.array(flows, np.float16),
        "change": pairs.change(first, second).numpy(),
    }


def _points(pairs: Pairs, index: Tensor, warp: Warp) -> np.ndarray:
    return CROP * warp.points(pairs.known.portraits.points[index])[:, :68].double().numpy()

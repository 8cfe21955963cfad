"""Synthetic portraits drawn once and kept: pictures, who covers what, landmarks, irises and the turn of the head."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.io.files import replacing
from faceforge.synth.draws import Draws
from faceforge.synth.portrait import photograph, poses
from faceforge.synth.shots import pixels_of
from faceforge.synth.sitting import Sitting, sample
from faceforge.synth.wanted import personal

SIZE = 160
BLOCK = 64  # portraits of one file
_PER_PERSON = 4  # textures are painted once per person
_AT_ONCE = 8

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Portraits:
    """N portraits: pictures (N, 3, h, w) and whether someone is there (N, h, w), uint8; points in pixels."""

    pictures: Tensor
    there: Tensor
    points: Tensor  # (N, 70, 2): 68 landmarks, left and right iris
    angles: Tensor  # (N, 3) yaw, pitch and roll in degrees

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, some: slice) -> "Portraits":
        return Portraits(self.pictures[some], self.there[some], self.points[some], self.angles[some])


def drawn(folder: Path, count: int, seed: int, *, size: int = SIZE) -> Portraits:
    """`count` portraits from `seed` on; blocks that the folder does not hold yet are drawn into it."""

    def block(number: int) -> Arrays:
        return taken([sitting(seed + number * BLOCK + own) for own in range(BLOCK)], size)

    names = [f"portraits-{size}-{seed}-{number:05d}.npz" for number in range(-(-count // BLOCK))]
    return portraits_of(kept(folder, names, block, count))


def portraits_of(found: Mapping[str, Tensor]) -> Portraits:
    """Portraits as blocks hold them, which is as `taken` makes them: the channels of pictures last."""
    return Portraits(found["pictures"].permute(0, 3, 1, 2), found["there"], found["points"], found["angles"])


def kept(folder: Path, names: Sequence[str], block: Callable[[int], Arrays], count: int) -> dict[str, Tensor]:
    """The first `count` rows of blocks by number; each is made once and kept in the folder under its name."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = [_read(folder / name, partial(block, number)) for number, name in enumerate(names)]
    return {name: torch.from_numpy(np.concatenate([each[name] for each in blocks])[:count]) for name in blocks[0]}


def _read(file: Path, make: Callable[[], Arrays]) -> Arrays:
    if not file.exists():
        with replacing(file) as temporary, temporary.open("wb") as opened:
            np.savez(opened, allow_pickle=False, **make())
    with np.load(file, allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def sitting(seed: int) -> Sitting:
    """A sitting as `sample` draws it, but nearer or farther, and half of them turned anywhere up to 65 degrees."""
    usual = sample(seed, **personal(seed, _PER_PERSON, {}, allow_reserved=False))
    draws = Draws(seed, "finder")
    half = draws.uniform(12.5, 20) if draws.chance(0.75) else draws.log_uniform(20, 36)
    yaw, pitch = usual.yaw_deg, usual.pitch_deg
    if draws.chance(0.5):
        yaw, pitch = draws.uniform(-65, 65), draws.normal(0, 13, clip=2.2)
    return replace(usual, camera=replace(usual.camera, half_extent=half), yaw_deg=yaw, pitch_deg=pitch)


def taken(sittings: Sequence[Sitting], size: int) -> Arrays:
    """What a block holds of sittings."""
    portraits = photograph(sittings, size)
    eyes = [_irises(sittings[first : first + _AT_ONCE], size) for first in range(0, len(sittings), _AT_ONCE)]
    points = np.concatenate([np.stack([each.landmarks for each in portraits]), np.concatenate(eyes)], 1)
    return {
        "pictures": np.stack([each.image for each in portraits]),
        "there": np.stack([(each.parts > 0).astype(np.uint8) for each in portraits]),
        "points": points.astype(np.float32),
        "angles": np.array([[each.yaw_deg, each.pitch_deg, each.roll_deg] for each in sittings], np.float32),
    }


def _irises(sittings: Sequence[Sitting], size: int) -> np.ndarray:
    """Where the corneas' poles are seen, (B, 2, 2): the left eye's, then the right's."""
    head = EmbeddedHead(torch.device("cpu"))
    people = head.of(torch.tensor([each.person.traits for each in sittings], dtype=torch.float64))
    vertices = head.pose(people, poses(sittings, head)).vertices
    poles = torch.stack([vertices[:, first_vertices()[f"eye_{side}"]] for side in ("left", "right")], 1)
    return pixels_of([each.camera for each in sittings], poles, size).numpy()

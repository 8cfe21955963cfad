"""The cloth around the neck: collars of shirts and jackets, hoods, scarves, as one ring of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.grid import strip
from faceforge.face3d.embedded.traits import TRAITS
from faceforge.synth.noise import grid_noise
from faceforge.synth.person import Person

ROWS, AROUND = 7, 37


@dataclass(frozen=True)
class Collar:
    """Its shape around an average neck, in centimetres."""

    top: float  # height of its upper edge at the sides
    low: float
    out: float  # how far it stands off the neck at its edge
    wide: float  # and at its foot
    front: float = 0.0  # how much lower it lies in front
    gap: float = 0.0  # half of what is open in front, degrees
    folds: float = 0.0
    roll: float = 0.2  # how thick it is


COLLARS = {
    "shirt": Collar(-9.9, -12.9, 0.45, 1.5, front=1.7, gap=9.0, roll=0.15),
    "jacket": Collar(-10.6, -13.0, 1.0, 2.2, front=2.4, gap=30.0, roll=0.15),
    "hoodie": Collar(-10.6, -13.6, 1.9, 3.6, front=1.7, gap=7.0, folds=0.35, roll=0.6),
    "turtleneck": Collar(-9.7, -13.0, 0.35, 0.9, front=0.9, folds=0.06, roll=0.3),
    "scarf": Collar(-9.6, -13.8, 1.4, 3.0, front=1.1, folds=0.7, roll=0.9),
}


def worn(people: Sequence[Person], like: Tensor) -> tuple[Tensor, Tensor]:
    """Collars at rest (P, N, 3) and the colours of their points; all in one place where none is worn."""
    share = torch.linspace(0, 1, ROWS, dtype=like.dtype, device=like.device)[:, None]
    points = [_wound(COLLARS[each.garment], each, share) for each in people if each.garment in COLLARS]
    found = iter(points)
    none = like.new_zeros(ROWS * AROUND, 3)
    places = torch.stack([next(found) if each.garment in COLLARS else none for each in people])
    return places, torch.stack([_dyed(each, share.expand(-1, AROUND)) for each in people]).float()


@cache
def faces() -> Tensor:
    """Triangles (F, 3)."""
    index = np.arange(ROWS * AROUND).reshape(ROWS, AROUND)
    return torch.from_numpy(np.concatenate([strip(*rows) for rows in pairwise(index)]).astype(np.int64))


def _wound(collar: Collar, person: Person, share: Tensor) -> Tensor:
    """From inside over the edge, then down and out, (N, 3)."""
    gap = np.deg2rad(collar.gap)
    turn = torch.linspace(float(gap), float(2 * np.pi - gap), AROUND, dtype=share.dtype, device=share.device)
    ahead = torch.cos(turn)
    seed = torch.tensor([person.noise + 41], device=share.device)
    creases = collar.folds * 2 * (grid_noise(seed, (ROWS, AROUND), 2.5, 2)[0].to(share) - 0.5)
    neck = 5.75 + 0.38 * person.traits[TRAITS.index("neck_width")]
    edge, down = smoothstep(0.0, 0.30, share), ((share - 0.15) / 0.85).clamp(min=0)
    front = collar.front * smoothstep(0.1, 1.0, ahead) * (1 - 0.2 * down)
    height = collar.top + (collar.low - collar.top) * down - 0.8 * (1 - edge) - front + 0.5 * creases
    thick = torch.sin(torch.pi * share)
    reach = neck + collar.out * (0.3 + 0.7 * edge) + (collar.wide - collar.out) * down
    reach = reach + (collar.roll + creases) * thick
    depth = torch.where(ahead > 0, 0.94, 1.02)
    return torch.stack([reach * torch.sin(turn), height, reach * ahead * depth - 0.7], -1).flatten(0, 1)


def _dyed(person: Person, share: Tensor) -> Tensor:
    """The colours of a collar's points, darker inside, (N, 3)."""
    main, trim = share.new_tensor(person.clothes), share.new_tensor(person.collar)
    shirt = 0.35 + 0.5 * trim if person.noise % 15 % 3 else main
    colour = {"shirt": shirt, "jacket": 0.45 * main, "scarf": trim}.get(person.garment, main)
    return (colour * (0.35 + 0.65 * smoothstep(0.05, 0.25, share))[..., None]).flatten(0, 1)

"""How hair is combed, on a disc: the crown in its middle, the ends of the hair on its rim, the face in front."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.synth import styles
from faceforge.synth.person import Person

RINGS, AROUND = 20, 49  # lines of the disc: from its middle to its rim, and around from the back to itself
STEPS = 7  # places along a lock


def on(surface: Tensor, disc: Tensor) -> Tensor:
    """The surface (P, RINGS, AROUND, 3) at places (P, ..., 2) of the disc; beyond the rim it goes on straight."""
    share = disc.norm(dim=-1)
    turn = torch.rad2deg(torch.atan2(disc[..., 0], disc[..., 1]))
    ring = share * (RINGS - 1)
    place = (turn + 180) / 360 * (AROUND - 1)
    row, column = ring.floor().long().clamp(0, RINGS - 2), place.floor().long().clamp(0, AROUND - 2)
    down, right = (ring - row)[..., None], (place - column)[..., None]
    table = surface.flatten(1, 2)

    def at(rows: Tensor, columns: Tensor) -> Tensor:
        index = (rows * AROUND + columns).flatten(1)
        return table.gather(1, index[..., None].expand(-1, -1, 3)).view(*rows.shape, 3)

    upper = at(row, column) * (1 - right) + at(row, column + 1) * right
    lower = at(row + 1, column) * (1 - right) + at(row + 1, column + 1) * right
    placed: Tensor = upper + (lower - upper) * down
    return placed


def flow(people: Sequence[Person], disc: Tensor) -> Tensor:
    """Unit directions in which hair lies at places (P, N, 2) of the disc."""
    away = normalize(disc + 1e-4, dim=-1)
    right, ahead = disc.unbind(-1)
    made = []
    for number, person in enumerate(people):
        style = styles.STYLES[person.hair_style]
        u, v = right[number], ahead[number]
        if style.flow == "part":
            off = u - _parting(person)
            aside = torch.stack([torch.tanh(off * 30), -0.25 - 0.35 * v], -1)
            weight = (smoothstep(-0.45, 0.0, v) * smoothstep(1.05, 0.75, u.abs()))[..., None]
            made.append(away[number] * (1 - weight) + aside * weight)
        elif style.flow == "back":
            made.append(torch.stack([-0.7 * u, -0.85 - v], -1))
        else:
            turn = math.radians(style.swirl) * _side(person) * smoothstep(-0.6, 0.5, v)
            cosine, sine = torch.cos(turn), torch.sin(turn)
            x, y = away[number].unbind(-1)
            made.append(torch.stack([x * cosine + y * sine, y * cosine - x * sine], -1))
    directions: Tensor = normalize(torch.stack(made), eps=1e-6, dim=-1)
    return directions


def _side(person: Person) -> float:
    """-1 or 1, softly: to which side hair is combed."""
    return max(-1.0, min(1.0, 3 * person.part_side))


def _parting(person: Person) -> float:
    return styles.STYLES[person.hair_style].parting * _side(person)


def combed(people: Sequence[Person], disc: Tensor) -> Tensor:
    """Where strands lie in their texture, (P, RINGS, AROUND, 2): across and along the flow."""
    u, v = disc.unbind(-1)
    around = torch.linspace(0, 1, AROUND, dtype=disc.dtype, device=disc.device).expand_as(u)
    falling = torch.stack([around, disc.norm(dim=-1)], -1)
    made = []
    for person in people:
        flow = styles.STYLES[person.hair_style].flow
        if flow == "part":
            aside = torch.stack([0.5 + 0.22 * v, (u - _parting(person)).abs()], -1)
            made.append(falling + (aside - falling) * smoothstep(-0.25, 0.0, v)[..., None])
        elif flow == "back":
            made.append(torch.stack([0.5 + 0.22 * u, (0.5 - 0.5 * v)], -1))
        else:
            made.append(falling)
    return torch.stack(made)


def walked(people: Sequence[Person], index: Tensor, chance: list[Tensor]) -> Tensor:
    """Where numbered locks (N,) run on the disc, given chances (P, N, 1), (P, N, STEPS, 2)."""
    span = styles.numbers(people, "span", index)[:, None, None]
    over = styles.numbers(people, "over", index)[:, None, None]
    share = ((index + 0.5) / len(index))[:, None].sqrt().clamp(min=0.12) * 0.97
    turn = index[:, None] * 2.399963 + 0.5 * (chance[0] - 0.5)
    place = torch.cat([share * torch.sin(turn), share * torch.cos(turn)], -1)
    length = span * (0.65 + 0.6 * chance[1]) / (STEPS - 1)
    end = 1 + over * (0.4 + chance[1])
    stops = [place]
    for _ in range(STEPS - 1):
        left = ((end - place.norm(dim=-1, keepdim=True)) / 0.08).clamp(0.03, 1)
        place = place + flow(people, place) * length * left
        stops.append(place)
    return torch.stack(stops, 2)

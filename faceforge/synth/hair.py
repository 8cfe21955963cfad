"""Hair as two shells around the head, opaque where strands are; a style says where it ends and how it swells."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep, through
from faceforge.face3d.embedded.grid import COLUMN, COLUMNS, HALF, ROW, ROWS, strip
from faceforge.synth.noise import grid_noise
from faceforge.synth.person import Person

RINGS = 22  # rows of a shell, from the crown to the tips
_ANGLES = (0.0, 20.0, 40.0, 55.0, 68.0, 80.0, 92.0, 105.0, 125.0, 150.0, 180.0)  # degrees from the front


@dataclass(frozen=True)
class Style:
    """Over the angle from the front: the height at which the hair ends (cm), how thick it lies, how it is set."""

    ends: tuple[float, ...]
    crown: float  # thickness above
    sides: float  # thickness at the sides
    density: float = 1.0
    curl: float = 0.0
    longer: tuple[float, ...] = ()  # how much lower it ends at full length


_SHORT = (10.7, 10.9, 10.3, 8.3, 5.6, 3.6, 3.2, 1.4, -1.0, -3.4, -4.2)
_LOW = (0.0, 0.0, 0.0, 0.0, 0.3, 1.0, 1.5, 2.0, 2.5, 2.5, 2.5)
_FALL = (0.0, 0.0, 0.0, 1.0, 5.0, 8.0, 9.0, 9.0, 9.0, 9.0, 9.0)
STYLES = {
    "bald": Style(_SHORT, 0.05, 0.05, 0.0),
    "buzz": Style(_SHORT, 0.14, 0.10, 0.62),
    "short": Style((10.0, 10.3, 9.9, 8.1, 5.6, 3.6, 3.2, 1.4, -1.0, -3.4, -4.2), 0.85, 0.45, 1.0, 0.15, _LOW),
    "side": Style((9.3, 9.6, 9.6, 8.0, 5.6, 3.6, 3.2, 1.4, -1.0, -3.4, -4.2), 1.4, 0.5, 1.0, 0.2, _LOW),
    "fringe": Style((6.9, 6.8, 6.6, 5.8, 4.4, 2.6, 1.6, 0.5, -1.5, -3.8, -4.4), 1.0, 0.8, 1.0, 0.2, _FALL),
    "receding": Style((12.0, 12.4, 11.3, 8.6, 5.6, 3.6, 3.2, 1.4, -1.0, -3.4, -4.2), 0.35, 0.4, 0.85),
    "curly": Style((9.4, 9.4, 8.8, 7.2, 4.8, 2.4, 1.2, 0.0, -2.0, -4.0, -4.6), 2.1, 1.5, 1.0, 1.0, _LOW),
    "bob": Style((10.2, 9.8, 8.2, 4.0, -1.5, -5.0, -6.2, -6.6, -6.8, -7.0, -7.0), 1.1, 1.35, 1.0, 0.2, _LOW),
    "long": Style((10.4, 10.3, 9.0, 4.5, -4.0, -11.0, -14.0, -15.0, -15.5, -15.5, -15.5), 1.0, 1.3, 1.0, 0.3, _FALL),
    "parted": Style((11.2, 10.2, 8.2, 3.0, -5.0, -12.0, -14.0, -15.0, -15.0, -15.0, -15.0), 0.8, 1.15, 1.0, 0.2, _FALL),
    "back": Style(_SHORT, 0.8, 0.3, 1.0, 0.05),
    "afro": Style((9.8, 9.8, 9.3, 7.4, 5.0, 2.2, 0.8, -0.6, -2.2, -3.8, -4.2), 4.0, 3.4, 1.0, 1.6),
}


@cache
def shell_faces() -> Tensor:
    """Triangles of one shell (F, 3) over RINGS x COLUMNS vertices."""
    index = np.arange(RINGS * COLUMNS).reshape(RINGS, COLUMNS)
    faces = np.concatenate([strip(upper, lower) for upper, lower in pairwise(index)])
    return torch.from_numpy(faces.astype(np.int64))


def shell_uv() -> Tensor:
    """Texture coordinates (RINGS * COLUMNS, 2): u around, v from 0 at the crown to 1 at the tips."""
    v, u = torch.meshgrid(torch.linspace(0, 1, RINGS), torch.linspace(0, 1, COLUMNS), indexing="ij")
    return torch.stack([u, v], -1).reshape(-1, 2)


def shells(people: Sequence[Person], skin: Tensor, share: float) -> Tensor:
    """One shell at a share of the hair's thickness, around resting skins (B, ROWS, COLUMNS, 3) in centimetres."""
    angle = _angles(skin)
    ends, top, sides = _numbers(people, angle)
    path = _paths(skin, ends)
    ring = torch.linspace(0, 1, RINGS, dtype=skin.dtype, device=skin.device)[None, :, None]
    out = path - path.new_tensor([0.0, 5.5, -0.5])
    level = smoothstep(2.0, 7.0, path[..., 1])[..., None]
    out = out * torch.cat([torch.ones_like(level), level, torch.ones_like(level)], -1)
    out = out / out.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    above = smoothstep(4.0, 11.0, path[..., 1])
    thick = (sides + (top - sides) * above) * _swelling(ring, angle)
    lumps = _lumps(people, thick)
    moved = path + out * (share * thick * lumps)[..., None]
    return _draped(moved)


def _angles(skin: Tensor) -> Tensor:
    """Degrees from the front at which each column stands, (B, COLUMNS)."""
    belt = skin[:, ROW["brow_top"]]
    return torch.rad2deg(torch.atan2(belt[..., 0].abs(), belt[..., 2] - 0.5))


def _numbers(people: Sequence[Person], angle: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """End heights (B, COLUMNS), thickness above and at the sides (B, 1, 1)."""
    knots = torch.tensor(_ANGLES, dtype=angle.dtype, device=angle.device)
    rows, tops, sides = [], [], []
    for person in people:
        style = STYLES[person.hair_style]
        longer = style.longer or (0.0,) * len(_ANGLES)
        rows.append([end - person.hair_length * more for end, more in zip(style.ends, longer, strict=True)])
        tops.append(style.crown * person.hair_volume)
        sides.append(style.sides * person.hair_volume)
    ends = through(knots, angle.new_tensor(rows), angle)
    part = angle.new_tensor([person.part_side for person in people])[:, None]
    sign = torch.linspace(-1, 1, angle.shape[1], dtype=angle.dtype, device=angle.device)
    ends = ends + 0.35 * part * torch.tanh(sign * 8) * smoothstep(60.0, 20.0, angle)
    return ends, angle.new_tensor(tops)[:, None, None], angle.new_tensor(sides)[:, None, None]


def _paths(skin: Tensor, ends: Tensor) -> Tensor:
    """Points on the scalp from the crown to where the hair ends, (B, RINGS, COLUMNS, 3)."""
    height = skin[..., 1].transpose(1, 2)  # (B, COLUMNS, ROWS), falling
    place = torch.searchsorted(-height.contiguous(), -ends[..., None].contiguous()).clamp(1, ROWS - 1)
    above, below = height.gather(-1, place - 1), height.gather(-1, place)
    last = (place - 1) + ((above - ends[..., None]) / (above - below).clamp(min=1e-6)).clamp(0, 1)
    share = torch.linspace(0, 1, RINGS, dtype=skin.dtype, device=skin.device)
    rows = last * share  # (B, COLUMNS, RINGS)
    low = rows.floor().long().clamp(max=ROWS - 2)
    part = (rows - low)[..., None]
    columns = skin.transpose(1, 2)
    pick = low[..., None].expand(-1, -1, -1, 3)
    return (columns.gather(2, pick) * (1 - part) + columns.gather(2, pick + 1) * part).transpose(1, 2)


def _swelling(ring: Tensor, angle: Tensor) -> Tensor:
    """Thinner at the hairline in front, full above and behind."""
    front = smoothstep(75.0, 30.0, angle)[:, None]
    return 1 - 0.62 * front * smoothstep(0.72, 1.0, ring) - 0.25 * (1 - front) * smoothstep(0.9, 1.0, ring)


def _lumps(people: Sequence[Person], thick: Tensor) -> Tensor:
    """Uneven thickness: locks and curls."""
    seed = torch.tensor([person.noise + 51 for person in people], device=thick.device)
    curl = thick.new_tensor([STYLES[person.hair_style].curl for person in people])[:, None, None]
    noise = grid_noise(seed, (RINGS, COLUMNS), 7, 2).to(thick.dtype)
    fade = smoothstep(0.0, 6.0, torch.linspace(0, RINGS, RINGS, dtype=thick.dtype, device=thick.device))[None, :, None]
    seam = torch.cos(torch.linspace(-torch.pi, torch.pi, COLUMNS, dtype=thick.dtype, device=thick.device) / 2)
    return 1 + (0.25 + 0.5 * curl) * (noise - 0.5) * fade * seam.sqrt().nan_to_num(0)


def _draped(shell: Tensor) -> Tensor:
    """Below the ears hair hangs from its widest point instead of following the neck."""
    x, y, z = shell.unbind(-1)
    reach = (x.square() + (z + 0.5).square()).sqrt()
    widest = reach.cummax(1).values
    hanging = smoothstep(2.0, -1.5, y)
    wanted = widest * (1 - 0.014 * (-1.5 - y).clamp(min=0))
    factor = 1 + hanging * (wanted / reach.clamp(min=1e-6) - 1).clamp(min=0)
    return torch.stack([x * factor, y, (z + 0.5) * factor - 0.5], -1)


def strands(people: Sequence[Person], size: tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    """Brightness and cover of the strands, (B, h, w) each: rows from crown to tips, columns around."""
    high, wide = size
    seed = torch.tensor([person.noise + 61 for person in people], device=device)
    curl = torch.tensor([STYLES[person.hair_style].curl for person in people], device=device)[:, None, None]
    density = torch.tensor([STYLES[person.hair_style].density for person in people], device=device)[:, None, None]
    fine = grid_noise(seed, size, 4, 2, stretch=26.0 * high / wide)
    locks = grid_noise(seed + 1, size, 3, 2, stretch=9.0 * high / wide)
    curls = grid_noise(seed + 2, size, 26, 2, stretch=1.6)
    straight = 0.6 * fine + 0.4 * locks
    tone = torch.lerp(straight, 0.35 * fine + 0.65 * curls, curl.clamp(0, 1))
    v = torch.linspace(0, 1, high, device=device)[None, :, None]
    ragged = 0.13 * (0.25 + curl.clamp(max=1)) + 0.10
    edge = smoothstep(0.0, 1.0, (1 - v) / ragged * 0.75 + (tone - 0.5) * 1.6)
    sparse = smoothstep(0.62, 0.30, density * 0 + (1 - density) + 0.0 * tone)
    cover = edge * torch.where(density >= 0.99, torch.ones_like(edge), sparse * (0.35 + 0.9 * tone) * density)
    return tone, (cover * (density > 0.01)).clamp(0, 1)


def lash_strips(skin: Tensor) -> Tensor:
    """Upper lashes of both eyes as strips from the posed lids' edges, (B, 2, 3, lashes, 3): right, left."""
    made = []
    for sign in (-1, 1):
        columns = torch.arange(COLUMN["inner"], COLUMN["outer"] + 1, device=skin.device) * sign + HALF
        columns = columns.sort().values
        edge = skin[:, ROW["lid_up"], columns]
        share = torch.linspace(0, 1, len(columns), dtype=skin.dtype, device=skin.device)
        outer = (share if sign > 0 else 1 - share)[None, :, None]
        length = (0.34 + 0.22 * outer) * smoothstep(0.0, 0.12, outer) * smoothstep(1.02, 0.93, outer)
        sweep = torch.cat([sign * 0.35 * outer, 0.15 + 0 * outer, 1.0 + 0 * outer], -1)
        gap = (edge - skin[:, ROW["lid_low"], columns]).norm(dim=-1, keepdim=True)
        raised = 0.8 * smoothstep(0.05, 0.6, gap) - 0.38  # lashes of a closed eye hang
        lift = torch.cat([0 * raised, raised, 0 * raised], -1)
        made.append(torch.stack([edge, edge + 0.55 * length * sweep, edge + length * (sweep + lift)], 1))
    return torch.stack(made, 1)


@cache
def comb_faces(rows: int, count: int) -> Tensor:
    """Triangles of both eyes' lash strips (F, 3)."""
    index = np.arange(2 * rows * count).reshape(2, rows, count)
    faces = [strip(upper, lower) for eye in index for upper, lower in pairwise(eye)]
    return torch.from_numpy(np.concatenate(faces).astype(np.int64))


def comb_uv(rows: int, count: int) -> Tensor:
    """Along the lid and from roots to tips (2 * rows * count, 2)."""
    v, u = torch.meshgrid(torch.linspace(0, 1, rows), torch.linspace(0, 1, count), indexing="ij")
    return torch.stack([u, v], -1).reshape(-1, 2).repeat(2, 1)

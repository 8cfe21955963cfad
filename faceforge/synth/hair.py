"""Hair as a cap around the head and locks that lie over it, made at rest once per person.

Both are laid out on the disc of `combing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.grid import ROW, ROWS, strip
from faceforge.face3d.mesh import even_normals
from faceforge.synth import combing, styles
from faceforge.synth.combing import AROUND, RINGS, STEPS
from faceforge.synth.noise import grid_noise, hashed, unit
from faceforge.synth.person import Person

LOCKS = 300
_STRANDS = (128, 384)


@dataclass(frozen=True)
class Coat:
    """One layer of hair on P heads at rest, centimetres; what is not a place is carried along with it."""

    points: Tensor  # (P, N, 3)
    normals: Tensor  # (P, N, 3)
    along: Tensor  # (P, N, 3) unit vectors from root to tip
    comb: Tensor  # (P, N, 4) texture across and along, share of the way to the end, place across a lock -1..1
    faces: Tensor  # (F, 3)
    firm: float  # how short its frayed ends are


def cap(people: Sequence[Person], skin: Tensor) -> Coat:
    """The body of the hair around resting skins (P, ROWS, COLUMNS, 3)."""
    angle = torch.linspace(-180, 180, AROUND, dtype=skin.dtype, device=skin.device)
    share = torch.linspace(0, 1, RINGS, dtype=skin.dtype, device=skin.device)
    path = _paths(people, skin, angle, share)
    points = _draped(people, path + _outwards(path) * _thickness(people, path, angle, share)[..., None])
    faces = cap_faces().to(skin.device)
    normals = even_normals(points.flatten(1, 2), faces).view_as(points)
    seam = normalize(normals[:, :, 0] + normals[:, :, -1], dim=-1)[:, :, None]
    normals = torch.cat([seam, normals[:, :, 1:-1], seam], 2)
    turn = torch.deg2rad(angle)
    disc = torch.stack([share[:, None] * torch.sin(turn), share[:, None] * torch.cos(turn)], -1)
    flow = combing.flow(people, disc.flatten(0, 1).expand(len(people), -1, -1)).view(*path.shape[:3], 2)
    ahead = combing.on(points, disc + 0.05 * flow)
    along = normalize(ahead - points, eps=1e-6, dim=-1)
    comb = torch.cat(
        [combing.combed(people, disc), share[:, None, None].expand(*path.shape[:3], 1), 0 * path[..., :1]], -1
    )
    return Coat(points.flatten(1, 2), normals.flatten(1, 2), along.flatten(1, 2), comb.flatten(1, 2), faces, 14.0)


def locks(people: Sequence[Person], body: Coat) -> Coat:
    """Ribbons that run over the cap from root to tip."""
    like = body.points

    def number(name: str) -> Tensor:
        return styles.numbers(people, name, like)[:, None, None]

    seed = torch.tensor([person.noise + 77 for person in people], device=like.device)
    index = torch.arange(LOCKS, dtype=torch.int32, device=like.device)
    chance = [unit(hashed(seed[:, None] + salt, index[None])).to(like)[:, :, None] for salt in range(8)]
    step = torch.linspace(0, 1, STEPS, dtype=like.dtype, device=like.device)
    disc = combing.walked(people, index.to(like), chance)
    surface, upright = (each.view(len(people), RINGS, AROUND, 3) for each in (body.points, body.normals))
    base, normal = combing.on(surface, disc), normalize(combing.on(upright, disc), eps=1e-6, dim=-1)
    curl = number("curl")
    wave = torch.sin(6.28 * (step * (0.6 + 0.8 * chance[3]) + chance[4]))
    lift = number("loose") * (0.25 + 0.75 * chance[2]) * torch.sin(torch.pi * step.clamp(max=0.8)) + 0.08
    lift = lift + 0.35 * curl * wave * step - 0.22 * (1 - step) ** 4
    spine = base + lift[..., None] * normal
    along = normalize(spine[:, :, 1:] - spine[:, :, :-1], eps=1e-6, dim=-1)
    along = torch.cat([along, along[:, :, -1:]], 2)
    side = normalize(torch.linalg.cross(normal, along), eps=1e-6, dim=-1)
    # Turned about their length by chance, so that no view meets all of them edge-on.
    tilt = (1.5 * (chance[3] - 0.5))[..., None]
    lying, standing = (
        side * torch.cos(tilt) + normal * torch.sin(tilt),
        normal * torch.cos(tilt) - side * torch.sin(tilt),
    )
    spine = spine + side * ((0.10 + 0.38 * curl) * wave)[..., None]
    reach = disc.norm(dim=-1)
    end = 1 + number("over") * (0.4 + chance[1])
    width = 0.5 * number("lock") * (0.6 + 0.8 * chance[6]) * (0.55 + 0.9 * step - 1.15 * step.square()).clamp(min=0.02)
    half = lying * (width * (number("lock") > 0))[..., None]
    across = like.new_tensor([-1.0, 1.0])[:, None]
    points = (
        spine[:, :, :, None] + across * half[:, :, :, None] - 0.25 * width[..., None, None] * standing[:, :, :, None]
    )
    normals = normalize(normal[:, :, :, None] + 0.45 * across * side[:, :, :, None], dim=-1)
    place = (chance[7] + 0.02 * (across[:, 0] - 1)).clamp(0, 1)[:, :, None].expand(-1, -1, STEPS, -1)
    comb = torch.stack(
        [
            place,
            (0.1 + 0.8 * step)[:, None].expand_as(place),
            torch.maximum(step * 0.98, (reach - end + 0.12) / 0.12).clamp(0, 1)[..., None].expand_as(place),
            across[:, 0].expand_as(place),
        ],
        -1,
    )
    spread = along[:, :, :, None].expand_as(points)
    flat = [each.flatten(1, 3) for each in (points, normals, spread, comb)]
    return Coat(flat[0], flat[1], flat[2], flat[3], lock_faces().to(like.device), 3.2)


def strands(people: Sequence[Person], device: torch.device) -> Tensor:
    """How bright strands are, side by side and along them, 0..1 (P, 1, h, w): rows run from roots to tips."""
    high, wide = _STRANDS
    seed = torch.tensor([person.noise + 61 for person in people], device=device)
    short = [1.0 if style.lock == 0 else 0.8 * style.curl for style in styles.styles(people)]
    curl = torch.tensor(short, device=device)[:, None, None]
    fine = grid_noise(seed, _STRANDS, 3, 2, stretch=44.0 * high / wide)
    bundles = grid_noise(seed + 1, _STRANDS, 2, 2, stretch=20.0 * high / wide)
    curls = grid_noise(seed + 2, _STRANDS, 38, 2, stretch=1.6)
    straight = 0.55 * fine + 0.45 * bundles
    return torch.lerp(straight, 0.3 * fine + 0.7 * curls, curl.clamp(0, 1))[:, None]


@cache
def cap_faces() -> Tensor:
    """Triangles of the cap (F, 3)."""
    index = np.arange(RINGS * AROUND).reshape(RINGS, AROUND)
    return torch.from_numpy(np.concatenate([strip(*rows) for rows in pairwise(index)]).astype(np.int64))


@cache
def lock_faces() -> Tensor:
    """Triangles of all locks (F, 3)."""
    index = np.arange(LOCKS * STEPS * 2).reshape(LOCKS, STEPS, 2)
    a, b, c, d = index[:, :-1, 0], index[:, :-1, 1], index[:, 1:, 0], index[:, 1:, 1]
    faces = np.concatenate([np.stack([a, c, d], -1).reshape(-1, 3), np.stack([a, d, b], -1).reshape(-1, 3)])
    return torch.from_numpy(faces.astype(np.int64))


def _paths(people: Sequence[Person], skin: Tensor, angle: Tensor, share: Tensor) -> Tensor:
    """Points on the scalp from the crown to where the hair ends, (P, RINGS, AROUND, 3)."""
    belt = skin[:, ROW["brow_top"]]
    stands = torch.rad2deg(torch.atan2(belt[..., 0], belt[..., 2] - 0.5)).contiguous()
    stands[:, 0], stands[:, -1] = -180.0, 180.0
    after = torch.searchsorted(stands, angle.expand(len(skin), -1).contiguous()).clamp(1, stands.shape[1] - 1)
    low, high = stands.gather(1, after - 1), stands.gather(1, after)
    part = ((angle - low) / (high - low).clamp(min=1e-6)).clamp(0, 1)[:, :, None, None]
    turned = skin.transpose(1, 2)
    pick = after[:, :, None, None].expand(-1, -1, ROWS, 3)
    columns = turned.gather(1, pick - 1) * (1 - part) + turned.gather(1, pick) * part  # (P, AROUND, ROWS, 3)
    end = styles.ends(people, angle.abs().expand(len(skin), -1), angle / 180)
    seed = torch.tensor([person.noise + 47 for person in people], device=skin.device)
    uneven = grid_noise(seed, (1, AROUND), 0.22, 2)[:, 0].to(end) - 0.5
    end = end + 2 * styles.numbers(people, "ragged", end)[:, None] * uneven * torch.cos(torch.deg2rad(angle) / 2)
    height = columns[..., 1]
    place = torch.searchsorted(-height.contiguous(), -end[..., None].contiguous()).clamp(1, ROWS - 1)
    above, below = height.gather(-1, place - 1), height.gather(-1, place)
    last = (place - 1) + ((above - end[..., None]) / (above - below).clamp(min=1e-6)).clamp(0, 1)
    rows = last * share
    low_row = rows.floor().long().clamp(max=ROWS - 2)
    rest = (rows - low_row)[..., None]
    pick = low_row[..., None].expand(-1, -1, -1, 3)
    return (columns.gather(2, pick) * (1 - rest) + columns.gather(2, pick + 1) * rest).transpose(1, 2)


def _outwards(path: Tensor) -> Tensor:
    """Away from the middle of the skull, level below it, (P, RINGS, AROUND, 3)."""
    out = path - path.new_tensor([0.0, 5.5, -0.5])
    level = smoothstep(2.0, 7.0, path[..., 1])[..., None]
    return normalize(out * torch.cat([torch.ones_like(level), level, torch.ones_like(level)], -1), eps=1e-6, dim=-1)


def _thickness(people: Sequence[Person], path: Tensor, angle: Tensor, share: Tensor) -> Tensor:
    """Centimetres between skin and the cap, (P, RINGS, AROUND): none at its edge over the face."""

    def number(name: str) -> Tensor:
        return styles.numbers(people, name, path)[:, None, None]

    side, ring = angle.abs(), share[:, None]
    volume = path.new_tensor([person.hair_volume for person in people])[:, None, None]
    above = smoothstep(3.0, 12.0, path[..., 1])
    thick = number("sides") + (number("crown") - number("sides")) * above
    thick = thick + number("quiff") * smoothstep(60.0, 10.0, side) * smoothstep(0.35, 0.8, ring)
    front, hanging = smoothstep(92.0, 72.0, side), _hanging(people, path)
    kept = torch.lerp(torch.lerp(number("front"), torch.full_like(hanging, 0.5), hanging), number("front"), front)
    start = torch.lerp(torch.full_like(front, 0.8), number("rim"), front)
    edge = 1 - (1 - kept) * smoothstep(start, 1.0, ring)
    tucked = 0.45 * smoothstep(0.94, 1.0, ring) * (1 - hanging * (1 - front))  # its edge dips into the skin: no gap
    ears = 0.9 * hanging * torch.exp(-(((side - 92) / 22) ** 2)) * smoothstep(7.0, 4.5, path[..., 1])
    seed = torch.tensor([person.noise + 51 for person in people], device=path.device)
    curl = number("curl")
    noise = grid_noise(seed, (RINGS, AROUND), 5, 2).to(path)
    still = (share * 5).clamp(max=1)[:, None] * torch.cos(torch.deg2rad(angle) / 2).clamp(min=0).sqrt()
    return 0.04 - tucked + ears * edge + volume * thick * edge * (1 + (0.18 + 0.28 * curl) * (noise - 0.5) * still)


def _draped(people: Sequence[Person], shell: Tensor) -> Tensor:
    """Below the ears hair hangs from its widest point instead of following the neck, and in front of the shoulders."""
    x, y, z = shell.unbind(-1)
    reach = (x.square() + (z + 0.5).square()).sqrt()
    hanging = smoothstep(1.5, -2.5, y) * _hanging(people, shell)
    wanted = reach.cummax(1).values * (1 + 0.008 * (-2.5 - y).clamp(min=0))
    factor = 1 + hanging * (wanted / reach.clamp(min=1e-6) - 1).clamp(min=0)
    forward = 0.45 * (-7.0 - y).clamp(min=0) * smoothstep(-3.0, 3.0, z)
    return torch.stack([x * factor, y, (z + 0.5) * factor - 0.5 + forward], -1)


def _hanging(people: Sequence[Person], like: Tensor) -> Tensor:
    """1 for hair that falls freely below the ears, (P, 1, 1)."""
    return like.new_tensor([float(styles.hangs(style)) for style in styles.styles(people)])[:, None, None]

"""How much of the surroundings each vertex sees past nose, brows and chin: measured once on the average head."""

from functools import cache

import torch
from torch import Tensor

from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.head import HeadParams
from faceforge.face3d.mesh import vertex_normals
from faceforge.face3d.raster import rasterize

DIRECTIONS = 72
_PIXELS = 112
_REACH = 17.0  # centimetres seen around the head
_SHARP = 14.0  # how narrow a light is taken to be; wider lights cast softer shadows


@cache
def directions(device: torch.device) -> Tensor:
    """Unit vectors spread evenly over the sphere (DIRECTIONS, 3)."""
    index = torch.arange(DIRECTIONS, dtype=torch.float64) + 0.5
    up = 1 - 2 * index / DIRECTIONS
    turn = index * (torch.pi * (3 - 5**0.5))
    flat = (1 - up * up).sqrt()
    return torch.stack([flat * torch.sin(turn), up, flat * torch.cos(turn)], -1).float().to(device)


@cache
def visibility(device: torch.device) -> Tensor:
    """Whether each vertex of the average head is seen from each direction, softened, (V, DIRECTIONS) in 0..1."""
    head = EmbeddedHead(device)
    vertices = (head(HeadParams()).vertices[0] * 100).float()
    normals = vertex_normals(vertices[None], head.faces)[0]
    raised = vertices + 0.12 * normals
    seen = []
    for direction in directions(device):
        across = torch.linalg.cross(direction.new_tensor([0.0, 1.0, 0.05]), direction)
        across = across / across.norm()
        frame = torch.stack([-across, torch.linalg.cross(direction, across), -direction], 1)

        def view(points: Tensor, frame: Tensor = frame) -> Tensor:
            flat = (points - points.new_tensor([0.0, 1.0, 0.0])) @ frame
            return torch.stack([flat[:, 0] / _REACH, flat[:, 1] / _REACH, flat[:, 2] + 60.0], -1)

        here = view(raised)
        fragments = rasterize(view(vertices)[None], head.faces, (_PIXELS, _PIXELS))
        depth = torch.where(fragments.covered, fragments.zbuf, 1e3)[0]
        where = torch.stack([-here[:, 0], -here[:, 1]], -1)[None, None]
        first = torch.nn.functional.grid_sample(depth[None, None], where, align_corners=False)[0, 0, 0]
        seen.append(((first - here[:, 2] + 0.55) / 0.5).clamp(0, 1))
    return _smoothed(torch.stack(seen, 1), head.faces)


def _smoothed(values: Tensor, faces: Tensor) -> Tensor:
    """Values per vertex averaged with their neighbours', twice: shadows without steps."""
    for _ in range(2):
        total = torch.zeros_like(values).index_add_(0, faces.reshape(-1), values[faces].mean(1).repeat_interleave(3, 0))
        count = torch.zeros(len(values), 1, device=values.device).index_add_(
            0, faces.reshape(-1), torch.ones(faces.numel(), 1, device=values.device)
        )
        values = torch.where(count > 0, total / count.clamp(min=1), values)
    return values


@cache
def openness(device: torch.device) -> Tensor:
    """The share of a uniform sky that lights each vertex (V,), 1 where nothing is in the way."""
    head = EmbeddedHead(device)
    normals = vertex_normals((head(HeadParams()).vertices * 100).float(), head.faces)[0]
    facing = (normals @ directions(device).T).clamp(min=0)
    return (visibility(device) * facing).sum(1) / facing.sum(1).clamp(min=1e-6)


def towards(lights: Tensor) -> Tensor:
    """How much of each light (..., 3), given in the head's frame, reaches each vertex: (..., V)."""
    weights = torch.softmax(_SHARP * (lights @ directions(lights.device).T), -1)
    return weights @ visibility(lights.device).T

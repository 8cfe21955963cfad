"""Small meshes that tests draw."""

from math import pi

import torch
from torch import Tensor


def ball(rows: int = 12, columns: int = 18, depth: float = 3.0) -> tuple[Tensor, Tensor]:
    """A bumpy closed ball in NDC, (V, 3) and (F, 3), counter-clockwise seen from outside by the viewer of NDC."""
    down = torch.linspace(0, pi, rows + 1)[:, None]
    around = torch.linspace(0, 2 * pi, columns + 1)[None, :-1]
    bump = 1 + 0.05 * torch.sin(5 * down) * torch.cos(3 * around)
    x, y = 0.7 * bump * down.sin() * around.cos(), 0.8 * bump * down.cos()
    z = depth + 0.6 * bump * down.sin() * around.sin()
    corner = torch.arange(rows)[:, None] * columns + torch.arange(columns)
    beside = torch.arange(rows)[:, None] * columns + (torch.arange(columns) + 1) % columns
    upper = torch.stack([corner, beside, corner + columns], -1).reshape(-1, 3)
    lower = torch.stack([beside, beside + columns, corner + columns], -1).reshape(-1, 3)
    return torch.stack([x, y, z], -1).reshape(-1, 3), torch.cat([upper, lower])


def soup(count: int, seed: int, reach: float = 1.3) -> tuple[Tensor, Tensor]:
    """Unconnected triangles of every size, some partly outside, some reaching behind the viewer."""
    generator = torch.Generator().manual_seed(seed)
    centre = (torch.rand(count, 1, 3, generator=generator) * 2 - 1) * reach
    size = 10 ** (torch.rand(count, 1, 1, generator=generator) * 3 - 3)
    corners = centre + torch.randn(count, 3, 3, generator=generator) * size
    corners[..., 2] += 2
    return corners.reshape(-1, 3), torch.arange(3 * count).view(-1, 3)


def slanted(depth: float = 2.0) -> tuple[Tensor, Tensor]:
    """One large slanted triangle that faces the viewer."""
    return torch.tensor([[-0.9, -0.8, depth], [0.1, 0.9, depth + 1], [0.8, -0.6, depth + 2]]), torch.tensor([[0, 2, 1]])

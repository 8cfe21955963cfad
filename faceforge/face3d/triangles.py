"""Triangles on a picture, and pytorch3d's formulas for points on them: one rounding per operation, so bits agree."""

from dataclasses import dataclass

import torch
from torch import Tensor

FARTHEST = 1e15  # beyond it products of coordinates overflow float32, and nothing is drawn
EPSILON = 1e-8  # pytorch3d's: added to areas; the least area and the least depth that are drawn


@dataclass(frozen=True)
class Triangles:
    """Corners in NDC, and the picture (N,) that each belongs to.

    The first two corners come again at the end, (3 axes, 5, N): the next corner, and the one after, are plain slices.
    """

    corners: Tensor
    picture: Tensor

    @classmethod
    def of(cls, vertices: Tensor, faces: Tensor) -> "Triangles":
        """All faces (F, 3) of all meshes (B, V, 3), picture by picture."""
        batch, count, _ = vertices.shape
        pictures = torch.arange(batch, device=vertices.device)
        index = faces.long().t()[[0, 1, 2, 0, 1]][:, None] + pictures[:, None] * count  # (5, B, F)
        corners = vertices.permute(2, 0, 1).reshape(3, -1).index_select(1, index.view(-1))
        return cls(corners.view(3, 5, batch * len(faces)), pictures.repeat_interleave(len(faces)))

    def __len__(self) -> int:
        return len(self.picture)

    def corners_of(self, index: Tensor) -> Tensor:
        """The corners of some, (3, 5, n)."""
        return select(self.corners, index)

    def part(self, start: int, stop: int) -> "Triangles":
        return Triangles(self.corners[..., start:stop], self.picture[start:stop])


def select(table: Tensor, index: Tensor) -> Tensor:
    """Columns of (a, b, N), as (a, b, n): torch finds them many times faster in two dimensions than in three."""
    return table.flatten(0, 1).index_select(1, index).view(*table.shape[:2], len(index))


def edges(start: Tensor, end: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The two products whose difference is the edge function from start to end (2, ...); each has one coordinate."""
    return (x - start[0]) * (end[1] - start[1]), (y - start[1]) * (end[0] - start[0])


def doubled_area(corners: Tensor) -> Tensor:
    """What edge functions are divided by; positive where the corners run counter-clockwise."""
    (x0, x1, x2), (y0, y1, y2) = corners[0, :3], corners[1, :3]
    area: Tensor = (x2 - x0) * (y1 - y0) - (y2 - y0) * (x1 - x0) + EPSILON
    return area


def facing(corners: Tensor) -> Tensor:
    """Twice the area, rounded as where faces are culled by it: positive from the front."""
    (x0, x1, x2), (y0, y1, y2) = corners[0, :3], corners[1, :3]
    area: Tensor = (x0 - x1) * (y2 - y1) - (y0 - y1) * (x2 - x1)
    return area


def countable(corners: Tensor) -> Tensor:
    """Whether all coordinates can be multiplied, (N,)."""
    lowest, highest = extremes(corners)
    return torch.maximum(highest, -lowest).amax(0) < FARTHEST


def extremes(corners: Tensor) -> tuple[Tensor, Tensor]:
    """Least and greatest coordinates, (axes, N) each."""
    one, two, three = corners[:, 0], corners[:, 1], corners[:, 2]
    return torch.minimum(torch.minimum(one, two), three), torch.maximum(torch.maximum(one, two), three)


def in_space(weights: Tensor, z: Tensor) -> Tensor:
    """Weights on the picture made weights in space, both (3, ...)."""
    first, second, third = weights[0] * z[1] * z[2], weights[1] * z[0] * z[2], weights[2] * z[0] * z[1]
    return torch.stack([first, second, third]) / (first + second + third).clamp(min=EPSILON)


def depth(weights: Tensor, z: Tensor) -> Tensor:
    return weights[0] * z[0] + weights[1] * z[1] + weights[2] * z[2]

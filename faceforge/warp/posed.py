"""A head in one pose, and what a grid of points shows of it."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import embedding_bag, normalize

from faceforge.face3d import light as lights
from faceforge.warp.anatomy import mouth_inside
from faceforge.warp.window import Rectangle

_DARKEST = 0.05  # shading below this is noise


@dataclass(frozen=True)
class Posed:
    """A head in one pose before the camera: vertices (V, 3), where they are seen, and their unit normals."""

    vertices: Tensor  # metres
    points: Tensor  # (V, 3) x and y in pixels of the picture, depth
    normals: Tensor


@dataclass(frozen=True)
class Seen:
    """What the window's grid shows of a posed head; N covered grid points."""

    flat: Tensor  # (N,) into the grid
    face: Tensor  # (N,)
    corners: Tensor  # (N, 3) vertices
    weights: Tensor  # (N, 3)
    grid: tuple[int, int]

    def only(self, chosen: Tensor) -> "Seen":
        """Some of the points, by a mask (N,) or by their numbers."""
        return Seen(self.flat[chosen], self.face[chosen], self.corners[chosen], self.weights[chosen], self.grid)

    def on(self, part: Rectangle) -> "Seen":
        """The same points on a part of the grid that holds them all."""
        row, column = self.flat // self.grid[1] - part.top, self.flat % self.grid[1] - part.left
        return Seen(row * part.width + column, self.face, self.corners, self.weights, (part.height, part.width))

    def spread(self, values: Tensor) -> Tensor:
        """Values (..., N) on the whole grid (..., h, w), 0 where nothing is seen."""
        whole = values.new_zeros(*values.shape[:-1], self.grid[0] * self.grid[1]).index_copy_(-1, self.flat, values)
        return whole.view(*values.shape[:-1], *self.grid)

    def mixed(self, attributes: Tensor) -> Tensor:
        """Attributes of vertices (V, D) at the grid points, (N, D); in memory one attribute comes after the other."""
        found: Tensor = embedding_bag(self.corners, attributes.float(), per_sample_weights=self.weights, mode="sum")
        return found.t().contiguous().t()


def visible(places: Tensor, faces: Tensor, skin: Tensor, grid: tuple[int, int]) -> Tensor:
    """Which faces between vertices at places (V, 2) on a grid it may show, by number.

    Faces beside it are left out, and those of skin (F,) that one sees from behind, unless through the mouth.
    """
    corners, mouth = places.t()[:, faces], places[mouth_inside()].t()
    low, high = corners.amin(2), corners.amax(2)
    first, second = (corners[..., each] - corners[..., 0] for each in (1, 2))
    ahead = first[0] * second[1] < first[1] * second[0]
    mouthed = ((high > mouth.amin(1, keepdim=True)) & (low < mouth.amax(1, keepdim=True))).all(0)
    size = corners.new_tensor(grid[::-1])[:, None]
    reached = ((high > -1) & (low < size + 1)).all(0)
    return (reached & (ahead | mouthed | ~skin)).nonzero().squeeze(1)


def level(normals: Tensor, light: Tensor) -> Tensor:
    """What a light (1, 9, 3) makes of normals (N, 3), (N, 3)."""
    return lights.shade(normalize(normals, dim=1)[None], light.float())[0].clamp(min=_DARKEST)

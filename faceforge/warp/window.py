"""The part of a picture that a head can change, and the grid on which its motion is computed."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

_NEAR = 0.02  # metres
_FINE = 64  # subdivisions of the grid that vertices are snapped to
_ASIDE = (1 / 2, 1 / 64)  # of a subdivision, across and down
MARGIN = 0.30  # of the head's extent, kept around it for hair and for what moves with it


@dataclass(frozen=True)
class Rectangle:
    """Some rows and columns of a picture or a grid, from a first up to before a last one."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def around(cls, mask: Tensor, margin: int = 0) -> "Rectangle":
        """The rectangle around all of a mask (h, w) that holds something, and so much more where there is room."""
        (top, bottom), (left, right) = (mask.any(axis).nonzero()[[0, -1], 0].tolist() for axis in (1, 0))
        high, wide = mask.shape
        return cls(
            max(0, top - margin), max(0, left - margin), min(high, bottom + 1 + margin), min(wide, right + 1 + margin)
        )

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, larger: "Rectangle") -> tuple[slice, slice]:
        """Where it lies on a larger one."""
        top, left = self.top - larger.top, self.left - larger.left
        return slice(top, top + self.height), slice(left, left + self.width)

    def blocks(self, side: int) -> Iterator["Rectangle"]:
        """The rectangle in pieces of at most so many pixels to a side."""
        for top in range(self.top, self.bottom, side):
            for left in range(self.left, self.right, side):
                yield Rectangle(top, left, min(top + side, self.bottom), min(left + side, self.right))

    def centres(self) -> Tensor:
        """Coordinates (h, w, 2: x, y) of the centres of its pixels."""
        y, x = torch.arange(self.top, self.bottom) + 0.5, torch.arange(self.left, self.right) + 0.5
        return _places(y, x)


@dataclass(frozen=True)
class Window:
    """A rectangle of a picture, computed on a grid of (height, width) that is as fine as the picture or coarser."""

    left: float  # pixels of the picture
    top: float
    height: float
    width: float
    grid: tuple[int, int]
    picture: tuple[int, int]  # (height, width)
    corner: tuple[int, int] = (0, 0)  # row and column of its first point, on the grid of the window it is a part of

    @classmethod
    def around(cls, points: Tensor, picture: tuple[int, int], finest: int) -> "Window":
        """The window around points (N, 2) in pixels, at most `finest` grid points to a side."""
        low, high = points.amin(0), points.amax(0)
        margin = MARGIN * float((high - low).amax())
        left, top = (max(0, floor(float(each) - margin)) for each in low)
        right = min(picture[1], ceil(float(high[0]) + margin))
        bottom = min(picture[0], ceil(float(high[1]) + margin))
        height, width = max(0, bottom - top), max(0, right - left)
        scale = min(1.0, finest / max(height, width, 1))
        return cls(left, top, height, width, (round(height * scale), round(width * scale)), picture)

    @property
    def step(self) -> float:
        """Pixels of the picture from one grid point to the next."""
        return self.height / self.grid[0]

    @property
    def slices(self) -> tuple[slice, slice]:
        """Where the grid's points lie on the grid of the window it is a part of."""
        return tuple(slice(start, start + size) for start, size in zip(self.corner, self.grid, strict=True))  # type: ignore[return-value]

    @property
    def rectangle(self) -> Rectangle:
        """The pixels that it reaches into."""
        low, high = (floor(self.top), floor(self.left)), (self.top + self.height, self.left + self.width)
        return Rectangle(*low, *(min(ceil(end - 1e-6), size) for end, size in zip(high, self.picture, strict=True)))

    def part(self, of: Rectangle) -> "Window":
        """The window of some of the grid."""
        down, across = self.height / self.grid[0], self.width / self.grid[1]
        return Window(
            left=self.left + of.left * across,
            top=self.top + of.top * down,
            height=of.height * down,
            width=of.width * across,
            grid=(of.height, of.width),
            picture=self.picture,
            corner=(self.corner[0] + of.top, self.corner[1] + of.left),
        )

    def part_around(self, points: Tensor, margin: int) -> "Window | None":
        """The part around points (N, 2) in pixels, and so many grid points more; None where they leave no room."""
        places = self.on_grid(points)
        left, top = (int(each) - margin for each in places.amin(0).floor().clamp(min=-1e6))
        right, bottom = (int(each) + margin + 1 for each in places.amax(0).ceil().clamp(max=1e6))
        found = Rectangle(max(0, top), max(0, left), min(bottom, self.grid[0]), min(right, self.grid[1]))
        return self.part(found) if found.height > 0 and found.width > 0 else None

    def fading(self, over: float) -> Tensor:
        """1 in the middle of the grid (h, w), falling to 0 at its sides over so many points."""
        rows, columns = (torch.arange(size) + 0.5 for size in self.grid)
        down, across = (torch.minimum(each, each.flip(0)) / over for each in (rows, columns))
        return torch.minimum(down[:, None], across).clamp(max=1)

    def on_grid(self, points: Tensor) -> Tensor:
        """Points (..., 2: x and y in pixels) as column and row, in grid steps from the window's corner."""
        pitch = points.new_tensor([self.width / self.grid[1], self.height / self.grid[0]])
        return (points - points.new_tensor([self.left, self.top])) / pitch

    @property
    def raster(self) -> tuple[int, int]:
        """The grid and some room, so that the shorter side is a power of two: NDC are exact then, and no seams open."""
        side = 1 << (min(self.grid) - 1).bit_length()
        return max(self.grid[0], side), max(self.grid[1], side)

    def ndc(self, points: Tensor) -> Tensor:
        """Points (B, V, 3: x and y in pixels, depth) as NDC of the raster."""
        rows, columns = self.raster
        half = min(rows, columns) / 2
        x, y = _snapped(self.on_grid(points[..., :2])).unbind(-1)
        # Weights of tiny triangles do not quite sum to one: near 0 that is no depth to speak of.
        depth = points[..., 2] - points[..., 2].amin() + _NEAR
        return torch.stack([(columns / 2 - x) / half, (rows / 2 - y) / half, depth], -1)

    def centres(self) -> Tensor:
        """Pixel coordinates (h, w, 2) of the grid's points."""
        rows, columns = self.grid
        y = self.top + (torch.arange(rows) + 0.5) * (self.height / rows)
        x = self.left + (torch.arange(columns) + 0.5) * (self.width / columns)
        return _places(y, x)

    def centres_of(self, flat: Tensor) -> Tensor:
        """Pixel coordinates (N, 2) of some of the grid's points."""
        return self.centres().permute(2, 0, 1).flatten(1).index_select(1, flat).T

    def fine(self, values: Tensor, block: Rectangle) -> Tensor:
        """Values (C, h, w) on the grid at a block of the picture's pixels."""
        if self.grid == (self.height, self.width):
            top, left = int(self.top), int(self.left)
            return values[:, block.top - top : block.bottom - top, block.left - left : block.right - left]
        return self.read(values, block.centres())

    def read(self, values: Tensor, places: Tensor, *, mode: str = "bilinear") -> Tensor:
        """Values (C, h, w) on the grid at places (n, m, 2) in pixels, (C, n, m)."""
        return sampled(values, self.on_grid(places), mode=mode)


def _places(y: Tensor, x: Tensor) -> Tensor:
    """Places (h, w, 2) on some rows and columns; in memory all x come before all y, or arithmetic is slow."""
    return torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1]).permute(1, 2, 0)


def _snapped(place: Tensor) -> Tensor:
    """Places (..., 2) on a fine raster a little aside: hardly an edge then passes exactly through a point of the grid.

    Through such a point one sees what lies behind, as neither triangle beside the edge covers it.
    """
    fine = torch.round(place.double() * _FINE)
    return (fine + fine.new_tensor(_ASIDE)).to(place) / _FINE


def pixels(ndc: Tensor, picture: tuple[int, int]) -> Tensor:
    """NDC (B, V, 3) of a picture of (height, width) as x and y in pixels, centres at halves, and depth."""
    height, width = picture
    half = min(height, width) / 2
    return torch.stack([width / 2 - ndc[..., 0] * half, height / 2 - ndc[..., 1] * half, ndc[..., 2]], -1)


def sampled(picture: Tensor, places: Tensor, *, mode: str = "bilinear") -> Tensor:
    """A picture (C, H, W) at places (h, w, 2) in pixels, (C, h, w); beyond the border its edge goes on."""
    share = places * (2 / places.new_tensor(picture.shape[:-3:-1])) - 1
    found: Tensor = grid_sample(picture[None], share[None], mode=mode, padding_mode="border", align_corners=False)[0]
    return found

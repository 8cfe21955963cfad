"""The part of a picture that a head can change, and the grid on which its motion is computed."""

from dataclasses import dataclass
from math import ceil, floor

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

_NEAR = 0.02  # metres
_FINE = 64  # subdivisions of the grid that vertices are snapped to
MARGIN = 0.30  # of the head's extent, kept around it for hair and for what moves with it


@dataclass(frozen=True)
class Window:
    """A rectangle of a picture, computed on a grid of (height, width) that is as fine as the picture or coarser."""

    left: int
    top: int
    height: int
    width: int
    grid: tuple[int, int]
    picture: tuple[int, int]  # (height, width)

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
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def ndc(self, points: Tensor) -> Tensor:
        """Points (B, V, 3: x and y in pixels, depth) as NDC of the grid."""
        rows, columns = self.grid
        half = min(rows, columns) / 2
        x = (columns / 2 - _snapped((points[..., 0] - self.left) * columns / self.width)) / half
        y = (rows / 2 - _snapped((points[..., 1] - self.top) * rows / self.height)) / half
        # Weights of tiny triangles do not quite sum to one: near 0 that is no depth to speak of.
        return torch.stack([x, y, points[..., 2] - points[..., 2].amin() + _NEAR], -1)

    def centres(self, size: tuple[int, int]) -> Tensor:
        """Pixel coordinates (h, w, 2) of the centres of a raster of any size laid over the window."""
        rows, columns = size
        y = self.top + (torch.arange(rows) + 0.5) * (self.height / rows)
        x = self.left + (torch.arange(columns) + 0.5) * (self.width / columns)
        return torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1)

    def fine(self, values: Tensor) -> Tensor:
        """Values (C, h, w) on the grid at every pixel of the window (C, height, width)."""
        if self.grid == (self.height, self.width):
            return values
        found: Tensor = interpolate(values[None], (self.height, self.width), mode="bilinear", align_corners=False)[0]
        return found


def _snapped(place: Tensor) -> Tensor:
    """Places on a fine raster, a quarter of a step aside: no edge then passes exactly through a point of the grid."""
    return (torch.round(place.double() * _FINE) + 0.25).to(place) / _FINE


def pixels(ndc: Tensor, picture: tuple[int, int]) -> Tensor:
    """NDC (B, V, 3) of a picture of (height, width) as x and y in pixels, centres at halves, and depth."""
    height, width = picture
    half = min(height, width) / 2
    return torch.stack([width / 2 - ndc[..., 0] * half, height / 2 - ndc[..., 1] * half, ndc[..., 2]], -1)


def sampled(picture: Tensor, places: Tensor, *, mode: str = "bilinear") -> Tensor:
    """A picture (C, H, W) at places (h, w, 2) in pixels, (C, h, w); beyond the border its edge goes on."""
    height, width = picture.shape[-2:]
    share = places / places.new_tensor([width, height]) * 2 - 1
    found: Tensor = grid_sample(picture[None], share[None], mode=mode, padding_mode="border", align_corners=False)[0]
    return found

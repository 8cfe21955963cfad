"""Which triangle is nearest at each pixel: small blocks of pixels laid over triangles, all of one shape at once.

A block ("stamp") of 2, 4 or 6 pixels a side holds most triangles of a head. Larger ones are cut into the rows of pixels
between their edges, and rows are stamped too. Every pixel's weights and depth are those of the final pass, so that the
winner depends neither on the device nor on what else is drawn in the same call.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import threshold

from faceforge.face3d.triangles import (
    EPSILON,
    Triangles,
    countable,
    depth,
    doubled_area,
    edges,
    extremes,
    facing,
    in_space,
    select,
)

SIDES = (2, 4, 6)
LENGTHS = (4, 8, 16)
SLACK = 0.01  # of a pixel, for the rounding of pixel coordinates
ROUNDING = 1e-6  # more than a difference of two products can be off by, as a share of their sizes
NOTHING = 0x7F800000 << 32  # the bits of an infinite depth, above a triangle's index


@dataclass(frozen=True)
class Canvas:
    """What all pictures of a call share."""

    x: Tensor  # (W,) NDC of the centres of columns
    y: Tensor  # (H,) and of rows
    cull_backfaces: bool
    perspective_correct: bool
    batch: int  # rows and pixels worked on at once

    @classmethod
    def like(
        cls, vertices: Tensor, size: tuple[int, int], *, cull_backfaces: bool, perspective_correct: bool
    ) -> "Canvas":
        y, x = (_centres(side, min(size), vertices) for side in size)
        batch = 1 << 16 if vertices.is_cpu else 1 << 22  # on a CPU, what fits its cache
        return cls(x, y, cull_backfaces, perspective_correct, batch)

    @property
    def scale(self) -> float:
        """Pixels per unit."""
        return min(len(self.x), len(self.y)) / 2


@dataclass(frozen=True)
class Stamps:
    """Blocks of pixels, n of one shape (rows, columns), each over a triangle and for its box of pixels.

    Where a block is larger than its box, it repeats the last row or column.
    """

    shape: tuple[int, int]
    triangle: Tensor  # (n,)
    box: Tensor  # (4, n): first column, first row, last column, last row; torch picks floats faster than integers

    def __len__(self) -> int:
        return len(self.triangle)

    def part(self, start: int, stop: int, shape: tuple[int, int] | None = None) -> "Stamps":
        return Stamps(shape or self.shape, self.triangle[start:stop], self.box[:, start:stop])

    def select(self, index: Tensor) -> "Stamps":
        return Stamps(self.shape, self.triangle.index_select(0, index), self.box.index_select(1, index))


def nearest(triangles: Triangles, pictures: int, canvas: Canvas) -> Tensor:
    """The index of the triangle seen at each pixel, (pictures * H * W,); -1 where there is none."""
    keys = triangles.picture.new_full((pictures * len(canvas.y) * len(canvas.x),), NOTHING)
    for start in range(0, len(triangles), canvas.batch):
        part = triangles.part(start, start + canvas.batch)
        for stamps in _stamps(part, canvas):
            _press(stamps, part, start, canvas, keys)
    return torch.where(keys < NOTHING, keys & 0xFFFFFFFF, -1)


def _centres(count: int, shorter: int, like: Tensor) -> Tensor:
    reach = count / shorter
    index = torch.arange(count - 1, -1, -1, dtype=like.dtype, device=like.device)
    return (2 * reach * index + reach) / count - reach


def _stamps(triangles: Triangles, canvas: Canvas) -> Iterator[Stamps]:
    """Stamps over every pixel that a drawn triangle may hold, one shape after the other."""
    box = _boxes(triangles.corners, canvas)
    width, height = box[2] - box[0] + 1, box[3] - box[1] + 1
    drawn = _drawn(triangles.corners, canvas) & (torch.minimum(width, height) > 0)
    boxes = Stamps((0, 0), torch.arange(len(triangles), device=box.device), box)
    *small, large = _by_size(boxes, torch.maximum(width, height) * drawn, [(side, side) for side in SIDES])
    yield from small
    for rows in _rows(large, triangles, canvas):
        *short, long = _by_size(rows, rows.box[2] - rows.box[0] + 1, [(1, length) for length in LENGTHS])
        yield from short
        yield from _pieces(long)


def _by_size(stamps: Stamps, size: Tensor, shapes: list[tuple[int, int]]) -> Iterator[Stamps]:
    """Stamps that fit each shape and not the one before, then those that fit none; a size below 1 is left out."""
    limits = [0, *(columns for _, columns in shapes)]
    kinds = [sum(each > limit for limit in limits) for each in range(limits[-1] + 2)]
    kind = torch.tensor(kinds, dtype=torch.uint8, device=size.device).index_select(
        0, size.clamp(0, limits[-1] + 1).int()
    )
    ordered = stamps.select(kind.argsort())
    ends = torch.bincount(kind, minlength=len(limits) + 1).cumsum(0).tolist()
    for (start, stop), shape in zip(pairwise(ends), [*shapes, shapes[-1]], strict=True):
        yield ordered.part(start, stop, shape)


def _boxes(corners: Tensor, canvas: Canvas) -> Tensor:
    """The pixels whose centres are in closed bounding boxes, (4, N); the first lie behind the last where none are."""
    lowest, highest = extremes(corners[:2])
    first, last = [], []
    for low, high, centre in zip(lowest, highest, (canvas.x, canvas.y), strict=True):
        start, stop = _range(low, high, centre, canvas.scale)
        first.append(start + (centre.index_select(0, start.clamp(max=len(centre) - 1).int()) > high))
        last.append(stop - (centre.index_select(0, stop.clamp(min=0).int()) < low).to(stop))
    return torch.stack([*first, *last])


def _range(low: Tensor, high: Tensor, centre: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """First and last index whose centre may be between two bounds; centres descend."""
    end = len(centre) - 1
    first = (end / 2 - SLACK - high * scale).ceil_().clamp_(0, end + 1)
    last = (end / 2 + SLACK - low * scale).floor_().clamp_(-1, end)
    return first, last


def _drawn(corners: Tensor, canvas: Canvas) -> Tensor:
    """Neither edge-on, nor reaching behind the viewer, nor (where those are culled) seen from behind."""
    area = facing(corners)
    lowest, _ = extremes(corners[2:])
    drawn = (area if canvas.cull_backfaces else area.abs()) > EPSILON
    drawn &= doubled_area(corners) != 0
    return drawn & (lowest[0] >= EPSILON) & countable(corners)


def _rows(boxes: Stamps, triangles: Triangles, canvas: Canvas) -> Iterator[Stamps]:
    """Boxes cut into their rows, each as long as the triangle may reach in it."""
    for part, owner, number in _repeated(boxes, (boxes.box[3] - boxes.box[1] + 1).long(), canvas.batch):
        triangle = part.triangle.index_select(0, owner)
        left, top, right, _ = part.box.index_select(1, owner)
        row = top + number
        first, last = _span(select(triangles.corners[:2], triangle), row, canvas)
        yield Stamps((1, 0), triangle, torch.stack([torch.maximum(first, left), row, torch.minimum(last, right), row]))


def _pieces(rows: Stamps) -> Iterator[Stamps]:
    """Rows longer than a stamp under several of them."""
    length = rows.shape[1]
    counts = ((rows.box[2] - rows.box[0] + length) / length).long()
    for part, owner, number in _repeated(rows, counts, 1 << 22):
        pieces = part.select(owner)
        left, top, right, bottom = pieces.box
        left = left + length * number
        box = torch.stack([left, top, torch.minimum(left + length - 1, right), bottom])
        yield Stamps(rows.shape, pieces.triangle, box)


def _repeated(stamps: Stamps, counts: Tensor, most: int) -> Iterator[tuple[Stamps, Tensor, Tensor]]:
    """Stamps in parts, which of each part as often as it counts, and the number of each repetition.

    The counts of a part add up to about `most`.
    """
    ends = counts.cumsum(0)
    marks = torch.arange(0, int(ends[-1]), most, device=ends.device) if len(ends) else ends
    for start, stop in pairwise(sorted({*torch.searchsorted(ends, marks, right=True).tolist(), len(ends)})):
        repeats = counts[start:stop]
        owner = torch.repeat_interleave(torch.arange(len(repeats), device=ends.device), repeats)
        before = repeats.cumsum(0) - repeats
        number = torch.arange(len(owner), device=ends.device) - before.index_select(0, owner)
        yield stamps.part(start, stop), owner, number.to(stamps.box)


def _span(corners: Tensor, row: Tensor, canvas: Canvas) -> tuple[Tensor, Tensor]:
    """First and last column of triangles (2, 5, n) in rows of pixels, no fewer than rounded edge functions cover."""
    from_x, from_y = corners[0, 1:4], corners[1, 1:4]
    sign = doubled_area(corners).sign()
    slope = (corners[1, 2:5] - from_y) * sign
    level = (canvas.y.index_select(0, row.int()) - from_y) * (corners[0, 2:5] - from_x) * sign
    reach = from_x.abs() + len(canvas.x) / (2 * canvas.scale)
    doubt = (reach * slope.abs()).add_(level.abs()).mul_(ROUNDING)
    crossing = (level - doubt).div_(slope).add_(from_x)
    low = torch.where(slope > 0, crossing, -torch.inf)
    high = torch.where(slope < 0, crossing, torch.inf)
    low, high = (
        torch.maximum(torch.maximum(low[0], low[1]), low[2]),
        torch.minimum(torch.minimum(high[0], high[1]), high[2]),
    )
    return _range(low, high, canvas.x, canvas.scale)


def _press(stamps: Stamps, triangles: Triangles, first: int, canvas: Canvas, keys: Tensor) -> None:
    """Lower the keys of all covered pixels to (depth, triangle) where that is nearer."""
    step = canvas.batch // (stamps.shape[0] * stamps.shape[1])
    for start in range(0, len(stamps), step):
        part = stamps.part(start, start + step)
        rows, columns = (
            torch.minimum(low + torch.arange(count, dtype=low.dtype, device=low.device)[:, None], high).long()
            for count, low, high in zip(part.shape, (part.box[1], part.box[0]), (part.box[3], part.box[2]), strict=True)
        )
        z = _depths(triangles.corners_of(part.triangle), columns, rows, canvas)
        key = z.view(torch.int32).long().bitwise_left_shift_(32).bitwise_or_(part.triangle + first)
        picture = triangles.picture.index_select(0, part.triangle)
        line = (picture * len(canvas.y) + rows) * len(canvas.x)
        keys.scatter_reduce_(0, (line[:, None] + columns).view(-1), key.view(-1), "amin")


def _depths(corners: Tensor, columns: Tensor, rows: Tensor, canvas: Canvas) -> Tensor:
    """Float32 depths of triangles (3, 5, n) at columns (w, n) of rows (h, n), (h, w, n); infinite outside."""
    x, y = (
        centre.index_select(0, index.view(-1)).view(index.shape)
        for centre, index in ((canvas.x, columns), (canvas.y, rows))
    )
    along, across = edges(corners[:2, 1:4, None], corners[:2, 2:5, None], x, y)
    weights = (along[:, None] - across[:, :, None]).div_(doubled_area(corners))
    z = corners[2, :3, None, None]
    if canvas.perspective_correct:
        weights = in_space(weights, z)
    # one weight not above 0 makes the whole sum infinite: no mask is needed
    return depth(threshold(weights, 0.0, torch.inf, inplace=True), z).float()

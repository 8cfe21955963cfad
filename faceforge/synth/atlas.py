"""The texture atlas: where on the average face each texel lies, so that layers can be painted by anatomy."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from faceforge.face3d.embedded.form import landmarks, rest
from faceforge.face3d.embedded.grid import COLUMNS, HALF, ROWS
from faceforge.face3d.embedded.parts import SKIN_WIDTH
from faceforge.face3d.embedded.traits import TRAITS, Traits


@dataclass(frozen=True)
class Atlas:
    """Places of the skin's texels on the average face, in centimetres, each (h, w); and by grid row and column."""

    x: Tensor
    y: Tensor
    z: Tensor
    row: Tensor
    column: Tensor  # from the midline
    size: tuple[int, int]  # of the whole atlas, tiles included

    @property
    def side(self) -> Tensor:
        return self.x.abs()

    def tile(self, rectangle: tuple[float, float, float, float]) -> tuple[slice, slice]:
        """The texels (rows, columns) of a part's rectangle."""
        left, bottom, width, height = rectangle
        high, wide = self.size
        return (
            slice(round((1 - bottom - height) * high), round((1 - bottom) * high)),
            slice(round(left * wide), round((left + width) * wide)),
        )


@cache
def atlas(high: int, device: torch.device) -> Atlas:
    """The atlas of a height in texels; kept, as every portrait of that height shares it."""
    average = Traits(torch.zeros(1, len(TRAITS), dtype=torch.float64))
    skin = rest(average).skin[0]
    wide = round(high / SKIN_WIDTH)
    columns = round(wide * SKIN_WIDTH)
    grid = torch.stack(
        [
            *skin.unbind(-1),
            torch.arange(ROWS, dtype=skin.dtype)[:, None].expand(ROWS, COLUMNS),
            torch.arange(-HALF, HALF + 1, dtype=skin.dtype)[None].expand(ROWS, COLUMNS),
        ]
    )
    # Texel centres lie between grid vertices as texture sampling without aligned corners sees them.
    u = ((torch.arange(columns, dtype=skin.dtype) + 0.5) / wide / SKIN_WIDTH).clamp(0, 1) * 2 - 1
    v = ((torch.arange(high, dtype=skin.dtype) + 0.5) / high) * 2 - 1
    where = torch.stack(torch.meshgrid(v, u, indexing="ij")[::-1], -1)[None]
    placed = torch.nn.functional.grid_sample(grid[None], where, align_corners=True, padding_mode="border")[0]
    x, y, z, row, column = placed.float().to(device).unbind(0)
    return Atlas(x, y, z, row, column, (high, wide))


def average_landmarks() -> dict[str, float]:
    """Feature positions of the average face, by name, in centimetres."""
    at = landmarks(Traits(torch.zeros(1, len(TRAITS), dtype=torch.float64)))
    return {name: float(value) for name, value in vars(at).items()}

"""Upper lashes as strips of comb along the lids."""

from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.grid import COLUMN, HALF, ROW, strip


def strips(skin: Tensor) -> Tensor:
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

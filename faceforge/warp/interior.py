"""What a photograph with its mouth shut or its lids down does not show: the head's own teeth, tongue and eyes."""

from itertools import pairwise

import torch
from torch import Tensor

from faceforge.face3d import light as lights
from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.grid import COLUMN, COLUMNS, HALF, ROW, ROWS
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.warp.anatomy import mouth_inside, vertices_of
from faceforge.warp.plate import Plate
from faceforge.warp.posed import Posed, Seen
from faceforge.warp.target import Target

# Display values under a light that shades the front of the face as 1.
_COLOURS = {
    "lining": (0.50, 0.24, 0.22),
    "teeth": (0.80, 0.77, 0.71),
    "tongue": (0.72, 0.42, 0.40),
    "eye": (0.88, 0.85, 0.83),
    "iris": (0.34, 0.27, 0.21),
    "pupil": (0.05, 0.05, 0.06),
}
_AHEAD = (0.0, 0.0, 1.0)
_FEW = 60  # grid points
_PUPIL_RINGS, _IRIS_RINGS = 2, 5  # where pupil and iris end, counted from the eyeball's pole


def interior(plate: Plate, seen: Seen, posed: Posed, target: Target) -> Tensor:
    """Colours (N, 3) of grid points on the mouth's inside or on an eye."""
    level = lights.shade(torch.tensor([[_AHEAD]]), target.light.float())[0, 0].clamp(0.1, 1.2)
    return seen.mixed(_painted(plate, posed)) * level


def _painted(plate: Plate, posed: Posed) -> Tensor:
    """Colours of vertices (V, 3), darker the deeper they lie in the mouth."""
    starts = first_vertices()
    colours = torch.ones(plate.head.vertex_count, 3)
    for name, following in pairwise(starts):
        kind = name.split("_")[0]
        if kind in _COLOURS:
            colours[starts[name] : starts[following]] = torch.tensor(_COLOURS[kind])
    mouth = mouth_inside()
    grid = posed.vertices[: ROWS * COLUMNS].reshape(ROWS, COLUMNS, 3)
    above, below = grid[ROW["seam_up"], HALF], grid[ROW["seam_low"], HALF]
    deep = ((above + below) / 2 - posed.vertices[mouth]).norm(dim=1) * 100
    wide = smoothstep(0.1, 2.0, (above - below).norm() * 100)
    colours[vertices_of("teeth_up").start : vertices_of("teeth_low").stop] = _brightest(plate, "mouth", "teeth")
    colours[mouth] *= (smoothstep(6.0, 0.3, deep) * (0.35 + 0.65 * wide))[:, None]
    white = _brightest(plate, "eye", "eye")
    for side, sign in (("right", -1), ("left", 1)):
        ball = slice(starts[f"eye_{side}"], starts[f"eye_{side}"] + 13 * 32)
        colours[ball] = _eye(white)
        lid = grid[ROW["lid_up"], HALF + sign * (COLUMN["inner"] + COLUMN["outer"]) // 2]
        below_lid = (lid[1] - posed.vertices[ball, 1]) * 100
        colours[ball] *= (0.45 + 0.55 * smoothstep(-0.02, 0.40, below_lid))[:, None]
    return colours


def _brightest(plate: Plate, kind: str, plain: str) -> Tensor:
    """The colour (3,) of teeth or of the white of eyes: the brighter part of what is shown of them, or a plain one."""
    shown = plate.openings[kind] > 0.5
    if int(shown.sum()) < _FEW:
        return torch.tensor(_COLOURS[plain])
    colours = plate.colours[:, shown]
    bright = colours.mean(0) >= colours.mean(0).quantile(0.7)
    level = lights.shade(torch.tensor([[_AHEAD]]), plate.fit.light.float())[0, 0].clamp(0.1, 1.2)
    return colours[:, bright].mean(1) / level


def _eye(white: Tensor) -> Tensor:
    """An eyeball's vertices: pupil, iris and white, by their rings around the pupil."""
    rings = white.repeat(13, 32, 1)
    rings[:_PUPIL_RINGS] = torch.tensor(_COLOURS["pupil"])
    rings[_PUPIL_RINGS:_IRIS_RINGS] = torch.tensor(_COLOURS["iris"])
    return rings.reshape(-1, 3)

"""Vertices that stand in for each other: faces are nearly symmetric, eyes around their pupils."""

from functools import cache

import torch
from torch import Tensor

from faceforge.face3d.embedded.grid import COLUMNS, ROWS
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.face3d.head import HeadParams


def mirrored(head: EmbeddedHead) -> Tensor:
    """For every vertex (V,) its twin: across the midline, for eyes across the horizontal through the pupil."""
    return _twins().to(head.faces.device)


@cache
def _twins() -> Tensor:
    head, starts = EmbeddedHead(), first_vertices()
    rest = head(HeadParams()).vertices[0]
    twins = torch.arange(head.vertex_count)
    grid = twins[: ROWS * COLUMNS].reshape(ROWS, COLUMNS)
    twins = torch.cat([grid.flip(1).reshape(-1), twins[ROWS * COLUMNS :]])
    for part in [name for name in starts if name not in ("end", "shoulders")]:
        own = _span(part)
        points = rest[own].clone()
        if part.startswith("eye_"):
            points[:, 1] = 2 * points[:, 1].mean() - points[:, 1]
            other = own
        else:
            points[:, 0] = -points[:, 0]
            other = _span(_opposite(part))
        twins[own] = torch.cdist(points, rest[other]).argmin(1) + other.start
    return twins


def _span(part: str) -> slice:
    names = list(first_vertices())
    return slice(first_vertices()[part], first_vertices()[names[names.index(part) + 1]])


def _opposite(part: str) -> str:
    if part.endswith("_left"):
        return part.removesuffix("left") + "right"
    return part.removesuffix("right") + "left" if part.endswith("_right") else part

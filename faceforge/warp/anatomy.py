"""Which vertices and faces of the embedded head are what, and which stand in for each other."""

from functools import cache

import torch
from torch import Tensor

from faceforge.face3d.embedded.curves import smoothstep
from faceforge.face3d.embedded.grid import COLUMNS, ROWS
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.face3d.embedded.topology import first_vertices
from faceforge.face3d.head import HeadParams

INNER = {"eye": ("eye",), "mouth": ("lining", "teeth", "tongue")}  # parts that skin opens to
_CLOTHED_CM, _BARE_CM = -12.5, -9.0  # heights of the neck between which a collar may begin


def vertices_of(part: str) -> slice:
    """The vertices of one part that is not skin."""
    names = list(first_vertices())
    return slice(first_vertices()[part], first_vertices()[names[names.index(part) + 1]])


def mouth_inside() -> slice:
    """The vertices of lining, teeth and tongue."""
    return slice(first_vertices()["lining_up"], first_vertices()["eye_right"])


def faces_of(head: EmbeddedHead, kinds: tuple[str, ...]) -> Tensor:
    """Which faces (F,) belong to parts of those kinds."""
    table = torch.zeros(len(head.faces), dtype=torch.bool)
    for name, faces in head.parts.items():
        table[faces] = name.startswith(kinds)
    return table


@cache
def bare() -> Tensor:
    """How surely each vertex (V, 1) is skin and not clothes: 1 on the head, falling along the neck."""
    rest = EmbeddedHead()(HeadParams()).vertices[0].float()
    sure = smoothstep(_CLOTHED_CM, _BARE_CM, rest[:, 1:2] * 100)
    sure[vertices_of("shoulders")] = 0
    return sure


@cache
def twins() -> Tensor:
    """For every vertex (V,) its twin: across the midline, for eyes across the horizontal through the pupil."""
    head, starts = EmbeddedHead(), first_vertices()
    rest = head(HeadParams()).vertices[0]
    twins = torch.arange(head.vertex_count)
    grid = twins[: ROWS * COLUMNS].reshape(ROWS, COLUMNS)
    twins = torch.cat([grid.flip(1).reshape(-1), twins[ROWS * COLUMNS :]])
    for part in [name for name in starts if name not in ("end", "shoulders")]:
        own = vertices_of(part)
        points = rest[own].clone()
        if part.startswith("eye_"):
            points[:, 1] = 2 * points[:, 1].mean() - points[:, 1]
            other = own
        else:
            points[:, 0] = -points[:, 0]
            other = vertices_of(_opposite(part))
        twins[own] = torch.cdist(points, rest[other]).argmin(1) + other.start
    return twins


def _opposite(part: str) -> str:
    if part.endswith("_left"):
        return part.removesuffix("left") + "right"
    return part.removesuffix("right") + "left" if part.endswith("_right") else part

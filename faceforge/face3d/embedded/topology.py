"""The whole head's triangles, texture coordinates and parts: the skin first, then every patch."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from faceforge.face3d.embedded.grid import COLUMNS, ROWS, skin_faces, skin_uv
from faceforge.face3d.embedded.parts import PATCHES, SKIN_WIDTH, eyeball


@cache
def first_vertices() -> dict[str, int]:
    """Where the vertices of each patch begin; 'end' is the number of vertices."""
    starts, place = {}, ROWS * COLUMNS
    for patch in PATCHES:
        starts[patch.name] = place
        place += patch.rows * patch.columns
    return {**starts, "end": place}


@cache
def triangles() -> tuple[Tensor, dict[str, Tensor]]:
    """All triangles (F, 3), and which of them belong to each part."""
    pieces = {"skin": skin_faces()} | {patch.name: patch.faces(first_vertices()[patch.name]) for patch in PATCHES}
    parts, place = {}, 0
    for name, faces in pieces.items():
        parts[name] = torch.arange(place, place + len(faces))
        place += len(faces)
    return torch.from_numpy(np.concatenate(list(pieces.values())).astype(np.int64)), parts


@cache
def texture_coordinates() -> Tensor:
    """One texture coordinate per vertex (V, 2); the eyes are laid out around the pupil."""
    skin = skin_uv() * torch.tensor([SKIN_WIDTH, 1.0], dtype=torch.float64)
    pieces = [skin]
    for patch in PATCHES:
        left, bottom, width, height = patch.tile
        if patch.name.startswith("eye_"):
            _, polar = eyeball(skin.device)
            share = (0.5 + polar.reshape(-1, 2) / 3.8).clamp(0.01, 0.99)
            pieces.append(torch.stack([left + width * share[:, 0], bottom + height * share[:, 1]], -1))
        else:
            pieces.append(patch.uv())
    return torch.cat(pieces)

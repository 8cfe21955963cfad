"""Landmarks that sit on triangles: fixed points of the face, and a jaw contour that moves with the view."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from faceforge.errors import BadHead
from faceforge.face3d.head import HeadMesh
from faceforge.face3d.skinning import yaw_deg

CONTOUR_ROWS = 79
_MOST_DEG = 39  # the table has one row per degree up to this, on either side


@dataclass(frozen=True, eq=False)
class Points:
    """Points on triangles: which triangle (..., N), and the weights of its corners (..., N, 3)."""

    faces: Tensor
    weights: Tensor

    def on(self, vertices: Tensor, triangles: Tensor) -> Tensor:
        """The places of the same N points on every head, (B, N, 3)."""
        corners = vertices[:, triangles[self.faces]]
        return (corners * self.weights[..., None]).sum(-2)

    def row(self, rows: Tensor) -> Points:
        """Of a table of points, one row for each of B heads: (B, N)."""
        return Points(self.faces[rows], self.weights[rows])

    def on_each(self, vertices: Tensor, triangles: Tensor) -> Tensor:
        """The places of each head's own N points, (B, N, 3)."""
        heads = torch.arange(len(vertices), device=vertices.device)[:, None, None]
        corners = vertices[heads, triangles[self.faces]]
        return (corners * self.weights[..., None]).sum(-2)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Points:
        return Points(self.faces.to(device), self.weights.to(device, dtype))


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The 68 iBUG landmarks as FLAME's users define them, and MediaPipe's where they were given."""

    inner: Points  # 51: brows, nose, eyes, mouth
    contour: Points  # (79, 17): the jaw line, by yaw
    full: Points  # 68 that stay where they are on the skin
    mediapipe: Points | None = None  # 105
    mediapipe_indices: Tensor | None = None  # (105,) which points of MediaPipe's own mesh those are

    def seen(self, mesh: HeadMesh, triangles: Tensor) -> Tensor:
        """The 17 + 51 landmarks (B, 68, 3), the contour where the jaw ends for a viewer on the z axis."""
        if mesh.turn is None:
            raise BadHead("This mesh does not say how its head is turned. Give the one that the head model returned.")
        contour = self.contour.row(contour_rows(mesh.turn)).on_each(mesh.vertices, triangles)
        return torch.cat([contour, self.inner.on(mesh.vertices, triangles)], 1)

    def check(self, triangles: int, where: str) -> None:
        """Refuse points on triangles that are not there, and tables of another size."""
        given = {
            "inner": (self.inner, (51,)),
            "contour": (self.contour, (CONTOUR_ROWS, 17)),
            "full": (self.full, (68,)),
        }
        if self.mediapipe is not None:
            given["mediapipe"] = (self.mediapipe, tuple(self.mediapipe.faces.shape[:1]))
        for name, (points, shape) in given.items():
            index, weights = points.faces, points.weights
            if index.shape != shape or weights.shape != (*shape, 3) or not torch.isfinite(weights).all():
                raise BadHead(f"{where!r}: landmarks {name!r} are not {shape} points. Convert it again.")
            if not 0 <= int(index.min()) <= int(index.max()) < triangles:
                raise BadHead(f"{where!r}: landmarks {name!r} lie on faces beyond {triangles - 1}. Convert it again.")

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Landmarks:
        return Landmarks(
            self.inner.to(device, dtype),
            self.contour.to(device, dtype),
            self.full.to(device, dtype),
            self.mediapipe and self.mediapipe.to(device, dtype),
            None if self.mediapipe_indices is None else self.mediapipe_indices.to(device),
        )


def contour_rows(turn: Tensor) -> Tensor:
    """The row of the contour table for heads turned by (B, 3, 3): 0..39 to their left, 40..78 to their right."""
    # FLAME's own helper has the opposite sign; the encoders that RigFace and MagicPortrait use have this one.
    degrees = yaw_deg(turn).clamp(max=_MOST_DEG).round().long()
    right = torch.where(degrees < -_MOST_DEG, CONTOUR_ROWS - 1, _MOST_DEG - degrees)
    return torch.where(degrees < 0, right, degrees)

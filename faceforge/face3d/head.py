"""What every head model offers: named action units in, its own coefficients, and posed vertices out.

Metres; x to the subject's left, y up, z out of the face. Left and right are the subject's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

JOINTS = ("root", "neck", "jaw", "left_eye", "right_eye")


@dataclass(frozen=True)
class HeadParams:
    """One pose of each of B heads. None stands for zeros; rotations are axis-angle, in radians."""

    identity: Tensor | None = None  # (B, I)
    expression: Tensor | None = None  # (B, E)
    rotation: Tensor | None = None  # (B, 3) of the whole head about its root joint
    neck: Tensor | None = None  # (B, 3)
    jaw: Tensor | None = None  # (B, 3)
    eyes: Tensor | None = None  # (B, 2, 3) left, right
    eyelids: Tensor | None = None  # (B, 2) left, right; 0 as modelled, 1 closed
    translation: Tensor | None = None  # (B, 3) after everything else


@dataclass(frozen=True)
class HeadMesh:
    """Posed heads: vertices (B, V, 3) and joints (B, 5, 3) in the order of JOINTS."""

    vertices: Tensor
    joints: Tensor
    turn: Tensor | None = None  # (B, 3, 3) root and neck together, for models whose landmarks depend on it


class HeadModel(Protocol):
    """A head of fixed topology that identity, expression and joints deform."""

    faces: Tensor  # (F, 3) counter-clockwise seen from outside
    uv: Tensor  # (T, 2) in 0..1, v up
    uv_faces: Tensor  # (F, 3) into uv
    parts: Mapping[str, Tensor]  # name of a part -> indices of its faces; every face belongs to one
    identity_names: tuple[str, ...]
    expression_names: tuple[str, ...]

    def __call__(self, params: HeadParams) -> HeadMesh:
        """The posed heads."""
        ...

    def from_aus(self, aus: Mapping[str, float]) -> HeadParams:
        """FACS intensities (0..5, sided codes allowed) as this model's coefficients, for one head."""
        ...

    def landmarks68(self, mesh: HeadMesh) -> Tensor:
        """The iBUG landmarks of posed heads, (B, 68, 3); the jaw contour follows the view down the z axis."""
        ...

"""What 70 points of a face can look like together: a mean, and the directions in which faces differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faceforge.face.found import Points

Numbers = NDArray[np.float64]

_ROUNDS = 8
_DOUBT = 2.5  # deviations beyond which a point is believed less


@dataclass(frozen=True, eq=False)
class Fit:
    """A face-like set of points (70, 2) near those that were given, its roll, and where it lies among faces."""

    points: Points
    roll_deg: float
    coefficients: Numbers  # (K,) in standard deviations
    error: float  # root mean square distance from what was given, in sides of the face


@dataclass(frozen=True, eq=False)
class Shapes:
    """Faces held upright in a square of side 1 about 0."""

    mean: Numbers  # (70, 2)
    basis: Numbers  # (K, 70, 2), scaled by the standard deviations
    turns: Numbers  # (1 + K + pairs, 2) yaw and pitch in degrees from the coefficients

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> Shapes:
        """From stored tensors of these names."""
        return cls(**{each.name: tensors[each.name].double().numpy() for each in fields(cls)})

    @classmethod
    def learned(cls, points: Points, angles: Numbers, kept: int = 40) -> Shapes:
        """From upright points (N, 70, 2) in squares of side 1, and yaw and pitch (N, 2)."""
        mean = points.mean(0)
        for _ in range(2):  # what is left to the directions is neither size nor place nor roll
            points = np.stack([_onto(each, mean) for each in points])
            mean = points.mean(0)
        _, spread, axes = np.linalg.svd((points - mean).reshape(len(points), -1), full_matrices=False)
        basis = axes[:kept] * (spread[:kept, None] / np.sqrt(len(points)))
        found = cls(mean, basis.reshape(kept, *mean.shape), np.zeros((1, 2)))
        seen = _terms((points - mean).reshape(len(points), -1) @ (basis / (basis**2).sum(1, keepdims=True)).T)
        ridge = seen.T @ seen + 1e-3 * len(points) * np.eye(seen.shape[1])
        turns = np.linalg.solve(ridge, seen.T @ angles).astype(np.float64)
        return cls(found.mean, found.basis, turns)

    def stored(self) -> dict[str, Tensor]:
        """Tensors to keep."""
        return {each.name: torch.from_numpy(getattr(self, each.name)) for each in fields(self)}

    def yaw_pitch_deg(self, coefficients: Numbers) -> tuple[float, float]:
        """How the head is turned."""
        yaw, pitch = (_terms(coefficients[None]) @ self.turns)[0]
        return float(np.clip(yaw, -90, 90)), float(np.clip(pitch, -60, 60))

    def fit(self, points: Points, deviation: Numbers) -> Fit:
        """The likeliest face behind points (70, 2) of given standard deviations (70,), outliers believed less."""
        count = len(self.basis)
        coefficients, weight = np.zeros(count), 1 / deviation**2
        for _ in range(_ROUNDS):
            shape = self.mean + np.tensordot(coefficients, self.basis, 1)
            scale, turn, shift = _similarity(shape, points, weight)
            apart = np.hypot(*(points - (scale * shape @ turn.T + shift)).T)
            weight = 1 / (deviation**2 * (1 + (apart / (_DOUBT * deviation)) ** 2))
            own = (points - shift) @ turn / scale - self.mean
            strength = weight * scale**2
            matrix = np.einsum("kni,lni,n->kl", self.basis, self.basis, strength) + np.eye(count)
            coefficients = np.linalg.solve(matrix, np.einsum("kni,ni,n->k", self.basis, own, strength))
        fitted = scale * (self.mean + np.tensordot(coefficients, self.basis, 1)) @ turn.T + shift
        error = float(np.sqrt(((points - fitted) ** 2).sum(1).mean())) / scale
        return Fit(fitted, float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0]))), coefficients, error)


def _onto(shape: Points, mean: Points) -> Points:
    """A shape brought as near to the mean as size, place and roll can bring it."""
    scale, turn, shift = _similarity(shape, mean, np.ones(len(mean)))
    return scale * shape @ turn.T + shift


def _similarity(shape: Points, points: Points, weight: Numbers) -> tuple[float, Numbers, Numbers]:
    """Scale, turn (2, 2) and shift (2,) that bring a shape nearest to points, without mirroring it."""
    share = (weight / weight.sum())[:, None]
    from_middle, to_middle = (share * shape).sum(0), (share * points).sum(0)
    x, y = (shape - from_middle).T
    u, v = (points - to_middle).T
    weight = share[:, 0]
    along, across = (weight * (x * u + y * v)).sum(), (weight * (x * v - y * u)).sum()
    scale = float(np.hypot(along, across) / (weight * (x**2 + y**2)).sum())
    cosine, sine = np.array([along, across]) / max(float(np.hypot(along, across)), 1e-12)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return scale, turn, to_middle - scale * turn @ from_middle


def _terms(coefficients: Numbers) -> Numbers:
    """1, each coefficient, and the products of the first six, (N, 1 + K + 21)."""
    first = coefficients[:, :6]
    row, column = np.triu_indices(first.shape[1])
    return np.concatenate([np.ones((len(coefficients), 1)), coefficients, first[:, row] * first[:, column]], 1)

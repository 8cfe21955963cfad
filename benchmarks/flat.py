"""What the warp has to beat: a face's own pixels moved by flat fields of its action units, without any head."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

IRISES_CM, EYES_CM, FULL = 6.3, 3.55, 5.0
STEPS = 6  # towards the place that moves here

# Hills on both sides of the face: where (away from the midline, up), how wide, and the push at full intensity.
PUSHES: dict[str, tuple[tuple[float, float, float, float, float, float], ...]] = {
    "AU1": ((1.3, 5.35, 1.7, 1.15, -0.03, 0.80), (1.5, 7.4, 2.2, 1.6, 0.0, 0.34)),
    "AU2": ((4.3, 5.5, 1.75, 1.3, 0.12, 0.80), (4.2, 7.3, 2.1, 1.6, 0.0, 0.32)),
    "AU4": ((2.4, 5.45, 2.3, 1.1, -0.24, -0.58), (1.0, 5.2, 0.9, 1.0, -0.22, -0.22)),
    "AU5": ((3.15, 4.1, 1.4, 0.42, 0.0, 0.40),),
    "AU12": ((2.3, -3.6, 1.75, 1.45, 0.88, 0.80), (3.7, -0.7, 1.5, 1.4, 0.12, 0.60)),
    "AU15": ((2.6, -3.6, 1.3, 1.15, 0.60, -0.72), (2.8, -4.9, 1.0, 0.9, 0.06, -0.34)),
    "AU20": ((2.3, -3.6, 1.75, 1.45, 0.98, -0.12),),
    "AU43": ((3.15, 3.9, 1.4, 0.42, 0.0, -0.80),),
}


def flat_warp(picture: NDArray[np.uint8], irises: NDArray[np.float64], aus: Mapping[str, float]) -> NDArray[np.uint8]:
    """A picture (H, W, 3) with its pixels moved; irises (2, 2) are the subject's left and right."""
    across = torch.from_numpy(irises[0] - irises[1]).float()
    per_cm = float(across.norm()) / IRISES_CM
    along = across / across.norm()
    up = torch.stack([along[1], -along[0]])
    middle = torch.from_numpy(irises.mean(0)).float() + EYES_CM * per_cm * -up
    height, width = picture.shape[:2]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    here = torch.stack([x, y], -1) - middle
    wanted = torch.stack([here @ along, here @ up], -1) / per_cm
    was = wanted
    for _ in range(STEPS):
        was = wanted - _moved(was, aus)
    places = middle + per_cm * (was[..., :1] * along + was[..., 1:] * up)
    share = places / torch.tensor([width, height]) * 2 - 1
    pixels = torch.from_numpy(picture.copy()).float().permute(2, 0, 1)[None]
    found = grid_sample(pixels, share[None], mode="bicubic", padding_mode="border", align_corners=False)
    return found[0].clamp(0, 255).round().byte().permute(1, 2, 0).numpy()


def _moved(places: Tensor, aus: Mapping[str, float]) -> Tensor:
    """How far the units move places (H, W, 2) in centimetres."""
    side, sign = places[..., 0].abs(), torch.tanh(places[..., 0] / 0.25)
    moved = torch.zeros_like(places)
    for code, intensity in aus.items():
        for x, y, wide, high, outward, upward in PUSHES[code]:
            hill = torch.exp(-(((side - x) / wide) ** 2) - ((places[..., 1] - y) / high) ** 2) * intensity / FULL
            moved += torch.stack([hill * outward * sign, hill * upward], -1)
    return moved

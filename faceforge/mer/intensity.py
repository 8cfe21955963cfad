"""The intensity judge: by how much each action unit differs between two pictures, as a small network sees them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from faceforge.aus import ORDERS
from faceforge.mer.framing import frames
from faceforge.mer.judges import Facts
from faceforge.mer.looking import looker
from faceforge.mer.pairs import PairNetwork, inner
from faceforge.mer.shipped import shipped

ASSET = "judge-intensity.safetensors"
_MOST = 5.0  # FACS units


class IntensityJudge:
    """Learned from synthetic people alone; the two pictures are compared, neither is read on its own."""

    codes: Sequence[str] = ORDERS["disfa12"]

    def __init__(self, weights: Path | None = None) -> None:
        self._shipped = shipped(ASSET, PairNetwork(len(self.codes)), weights)
        self.facts = Facts("intensity", finder="embedded", weights=self._shipped.sha256)

    @torch.inference_mode()
    def delta(self, source: Image.Image, edited: Image.Image) -> Sequence[float]:
        """Changes (12,) in FACS units: exactly 0 for equal pictures, of the other sign for exchanged ones."""
        seen = looker().pair(source, edited)
        crops = frames(*(each.face for each in seen))
        before, after = (_grey(crop.cut(each.image)) for crop, each in zip(crops, seen, strict=True))
        found: Tensor = self._shipped.network(before, after)[0]
        return found.clamp(-_MOST, _MOST).tolist()


def _grey(frame: Image.Image) -> Tensor:
    """What the network looks at, (1, 1, 80, 80) in 0..1."""
    return inner(torch.from_numpy(np.array(frame.convert("L"), np.float32))[None, None] / 255)

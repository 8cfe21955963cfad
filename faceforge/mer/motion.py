"""The motion judge: which action units set in between two pictures, by how the skin moved and by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from faceforge.aus import ORDERS
from faceforge.face.found import Points
from faceforge.mer.detectors.infused import SIDE, Infused
from faceforge.mer.flow import DEFAULT, FlowBackend, backend, flow_between
from faceforge.mer.framing import frame
from faceforge.mer.judges import Facts
from faceforge.mer.looking import Seen, looker
from faceforge.mer.presets import metric
from faceforge.mer.shipped import shipped

ASSET = "judge-motion.safetensors"
_LEAST = 0.15  # of -1..1


class MotionJudge:
    """A two-branch network under the preset `metric`, learned from synthetic people alone.

    A unit that sets in is one that moves the skin on the way there; one that is released moves it on the way back.
    """

    codes: Sequence[str] = ORDERS["disfa12"]

    def __init__(self, flow: str = DEFAULT, weights: Path | None = None) -> None:
        self._shipped = shipped(ASSET, Infused(len(self.codes)), weights)
        self._flow = backend(flow)
        self.facts = Facts(
            "motion", finder="embedded", weights=self._shipped.sha256, flow=flow, preset="metric", unit="motion",
            least=_LEAST,
        )  # fmt: skip

    def delta(self, source: Image.Image, edited: Image.Image) -> Sequence[float]:
        """How surely each unit set in, less how surely it was released, (12,) in -1..1."""
        one, other = looker().pair(source, edited)
        forth, back = self._set_in(one, other), self._set_in(other, one)
        return (forth - back).tolist()

    @torch.inference_mode()
    def _set_in(self, source: Seen, edited: Seen) -> Tensor:
        """The likelihood (12,) that units set in."""
        crop = frame(source.face)
        before, after = (np.asarray(crop.cut(each.image)) for each in (source, edited))
        seen = channels(before, after, crop.to_crop(source.face.landmarks), self._flow)
        answer: Tensor = self._shipped.network(torch.from_numpy(seen).float()[None])[0]
        return torch.sigmoid(answer)


def channels(
    before: NDArray[np.uint8], after: NDArray[np.uint8], landmarks: Points, by: FlowBackend
) -> NDArray[np.floating[Any]]:
    """Flow channels (3, 64, 64) between two frames; landmarks (68, 2) are those of the first."""
    return metric(flow_between(before, after, by), landmarks, SIDE)

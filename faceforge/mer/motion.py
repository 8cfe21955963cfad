"""The motion judge: which action units set in between two pictures, by how the skin moved and by nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.face.found import Points
from faceforge.mer.detectors.sssnet import SIDE as SIDE
from faceforge.mer.flow import FlowBackend, backend, flow_between
from faceforge.mer.presets import metric


def channels(
    before: NDArray[np.uint8], after: NDArray[np.uint8], landmarks: Points, by: FlowBackend | None = None
) -> NDArray[np.floating[Any]]:
    """Flow channels (3, 64, 64) of the preset `metric` between two crops; landmarks (68, 2) are those of the first."""
    return metric(flow_between(before, after, by or backend()), landmarks, SIDE)

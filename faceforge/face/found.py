"""What is known of one face that was found in a picture."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Face:
    """One face. Pixels have x right and y down, their centres at halves; left and right are the subject's."""

    landmarks: Points  # (68, 2) in iBUG's order
    size: tuple[int, int]  # (height, width) of the picture
    backend: str  # who found it
    score: float = 1.0  # how sure the backend is, 0..1
    irises: Points | None = None  # (2, 2) centres of the left and the right iris
    mesh: Points | None = None  # (478, 3) in MediaPipe's topology, z in pixels
    yaw_deg: float = 0.0  # positive turns to the picture's right
    pitch_deg: float = 0.0  # positive looks up
    roll_deg: float = 0.0  # positive leans clockwise as the viewer sees it
    gaze_deg: tuple[float, float] | None = None  # the eyes' yaw and pitch within the head
    aus: Mapping[str, float] | None = None  # FACS 0..5, where the backend measures them
    blendshapes: Mapping[str, float] | None = None  # what MediaPipe itself says of the expression, 0..1

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the landmarks."""
        low, high = self.landmarks.min(0), self.landmarks.max(0)
        return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    @property
    def area(self) -> float:
        """Square pixels of the box."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)

    @property
    def eye_distance(self) -> float:
        """Pixels between the middles of the two eyes."""
        right, left = self.landmarks[36:42].mean(0), self.landmarks[42:48].mean(0)
        return float(np.hypot(*(left - right)))

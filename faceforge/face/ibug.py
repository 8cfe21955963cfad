"""The 68 points of iBUG: where they lie in MediaPipe's mesh, and what each run of them outlines."""

import numpy as np

from faceforge.face.found import Points

# Of MediaPipe's 478 points, those nearest to the 68 of iBUG.
IN_MEDIAPIPE = (
    *(127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356),
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87),
)
REGIONS = {"all": (0, 68), "jaw": (0, 17), "brows": (17, 27), "nose": (27, 36), "eyes": (36, 48), "mouth": (48, 68)}


def from_mediapipe(mesh: Points) -> Points:
    """The 68 points (68, 2) of a mesh (478, 2 or 3) in the same pixels."""
    return np.asarray(mesh[list(IN_MEDIAPIPE), :2], np.float64)


def turned(points: Points) -> float:
    """How the eyes' line leans, in radians, clockwise as the viewer sees it."""
    across = points[42:48].mean(0) - points[36:42].mean(0)
    return float(np.arctan2(across[1], across[0]))


def outline(points: Points, *, forehead: float = 0.5) -> Points:
    """A closed line (22, 2) around the face: the jaw, and brows lifted by a share of the way from brows to chin."""
    up = points[[17, 19, 24, 26]].mean(0) - points[8]
    raised = points[[26, 24, 21, 19, 17]] + forehead * np.array([0.55, 1, 1.1, 1, 0.55])[:, None] * up
    return np.concatenate([points[:17], raised])

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

"""Faces by MediaPipe's Face Landmarker: 478 points, pose and blendshapes."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import BadWeights, MissingPackage
from faceforge.face.found import Face, Points
from faceforge.face.ibug import from_mediapipe


class MediaPipeFinder:
    """Keeps one landmarker open; its file as given, or as `$FACEFORGE_LANDMARKER` says."""

    name = "mediapipe"

    def __init__(self, model: str | Path | None = None, most: int = 8) -> None:
        named = model or os.environ.get("FACEFORGE_LANDMARKER")
        path = Path(named) if named else Path(__file__).parents[3] / "shared/data/face_landmarker.task"
        if not path.is_file():
            raise BadWeights(f"There is no landmark model at {str(path)!r}. Set FACEFORGE_LANDMARKER to its path.")
        with silence():  # its libraries greet on standard error, past Python
            try:
                import mediapipe
                from mediapipe.tasks.python import BaseOptions, vision
            except ImportError as error:
                raise MissingPackage(
                    "mediapipe is not installed. Install it with: pip install 'faceforge[faces]'"
                ) from error
            options = vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(path)),
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
                num_faces=most,
            )
            self._tool = vision.FaceLandmarker.create_from_options(options)
        self._mediapipe = mediapipe

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        """All faces in an RGB picture (height, width, 3)."""
        data = np.ascontiguousarray(image)
        with silence():
            found = self._tool.detect(self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=data))
        both = zip(found.face_landmarks, found.facial_transformation_matrixes, strict=True)
        return [_face(_mesh(points, data.shape), np.asarray(matrix), data.shape) for points, matrix in both]


def _mesh(points: Any, shape: tuple[int, ...]) -> Points:
    height, width = shape[:2]
    return np.array([[each.x * width, each.y * height, each.z * width] for each in points], np.float64)


def _face(mesh: Points, matrix: NDArray[np.float64], shape: tuple[int, ...]) -> Face:
    turn = matrix[:3, :3]
    return Face(
        landmarks=from_mediapipe(mesh),
        size=(shape[0], shape[1]),
        backend="mediapipe",
        irises=mesh[[473, 468], :2],
        mesh=mesh,
        yaw_deg=float(np.degrees(np.arctan2(turn[0, 2], turn[2, 2]))),
        pitch_deg=float(np.degrees(np.arcsin(np.clip(turn[1, 2], -1, 1)))),
        roll_deg=float(-np.degrees(np.arctan2(turn[1, 0], turn[1, 1]))),
    )


@contextmanager
def silence() -> Iterator[None]:
    """Nothing on standard error, not even from libraries that write past Python."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)

"""Faces by MediaPipe's Face Landmarker: 478 points, pose, gaze and expression."""

import os
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import BadWeights, MissingPackage
from faceforge.face.found import Face, Points
from faceforge.face.ibug import from_mediapipe
from faceforge.face.readings import action_units, gaze_deg
from faceforge.face.search import Window, distinct, piece, windows
from faceforge.io.download import Remote, fetched
from faceforge.io.files import existing_file

Pixels = NDArray[np.uint8]

MODEL = Remote(
    url="https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task",
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    size=3_758_596,
)
_IRISES = (473, 468)  # the subject's left and right
_ROUND = 2.0  # a face's own square, in sizes of its box
_MOST = 16  # faces in one window


def model_file(given: str | Path | None = None) -> Path:
    """The landmarker's file: as given, as `$FACEFORGE_LANDMARKER` says, or fetched once from its official address."""
    named = given or os.environ.get("FACEFORGE_LANDMARKER")
    return existing_file(named, BadWeights) if named else fetched(MODEL)


@dataclass(frozen=True)
class Seen:
    """One face in one window, in the pixels of the picture."""

    mesh: Points  # (478, 3)
    turn: NDArray[np.float64]  # (3, 3) from the face's axes to x right, y up, z to the viewer
    blendshapes: dict[str, float]


class MediaPipeFinder:
    """One open landmarker, shown the whole picture and parts of it: its own detector misses small faces."""

    name = "mediapipe"

    def __init__(self, model: str | Path | None = None) -> None:
        path = model_file(model)
        self._lock = threading.Lock()
        with silence():  # its libraries greet on standard error, past Python
            self._mediapipe, self._tool = _opened(path)
            self.look(np.zeros((64, 64, 3), np.uint8))
        weakref.finalize(self, _closed, self._tool)

    def find(self, image: Pixels) -> list[Face]:
        """All faces in an RGB picture (height, width, 3), each measured on its own part of it."""
        found = distinct(seen for window in windows(image) for seen in self._within(image, window))
        return [_face(self._closer(image, each), image.shape) for each in found]

    def look(self, image: Pixels) -> list[Seen]:
        """What the landmarker itself says of a picture, at once and as it is."""
        data = np.ascontiguousarray(image)
        with self._lock:
            found = self._tool.detect(self._mediapipe.Image(self._mediapipe.ImageFormat.SRGB, data))
        each = zip(found.face_landmarks, found.facial_transformation_matrixes, found.face_blendshapes, strict=True)
        return [_seen(points, matrix, scores, data.shape) for points, matrix, scores in each]

    def _within(self, image: Pixels, window: Window) -> list[Seen]:
        part, scale = piece(image, window)
        return [_moved(each, window, scale) for each in self.look(part)]

    def _closer(self, image: Pixels, seen: Seen) -> Seen:
        """The same face on a square of its own; as it was where it is not found there again."""
        own = Window.around(seen.mesh[:, :2], _ROUND)
        again = distinct(self._within(image, own), near=seen)
        return again[0] if again else seen


def _opened(path: Path) -> tuple[Any, Any]:
    try:
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision
    except ImportError as error:
        raise MissingPackage("mediapipe is not installed. Install it with: pip install 'faceforge[faces]'") from error
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(path)),
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
        num_faces=_MOST,
    )
    try:
        return mediapipe, vision.FaceLandmarker.create_from_options(options)
    except (RuntimeError, ValueError, OSError) as reason:
        raise BadWeights(
            f"{str(path)!r} is no landmark model. Delete it, or point $FACEFORGE_LANDMARKER to face_landmarker.task."
        ) from reason


def _closed(tool: Any) -> None:
    try:
        with silence():
            tool.close()
    except RuntimeError:  # the program ends, and the threads that MediaPipe closes with are gone already
        tool._handle = None


def _seen(points: Any, matrix: Any, scores: Any, shape: tuple[int, ...]) -> Seen:
    height, width = shape[:2]
    mesh = np.array([[each.x * width, each.y * height, each.z * width] for each in points], np.float64)
    turn, _, other = np.linalg.svd(np.asarray(matrix, np.float64)[:3, :3])
    return Seen(mesh, turn @ other, {each.category_name: float(each.score) for each in scores})


def _moved(seen: Seen, window: Window, scale: float) -> Seen:
    return Seen(seen.mesh / scale + (window.left, window.top, 0), seen.turn, seen.blendshapes)


def _face(seen: Seen, shape: tuple[int, ...]) -> Face:
    turn = seen.turn
    return Face(
        landmarks=from_mediapipe(seen.mesh),
        size=(shape[0], shape[1]),
        backend=MediaPipeFinder.name,
        irises=seen.mesh[list(_IRISES), :2],
        mesh=seen.mesh,
        yaw_deg=float(np.degrees(np.arctan2(turn[0, 2], turn[2, 2]))),
        pitch_deg=float(np.degrees(np.arcsin(np.clip(turn[1, 2], -1, 1)))),
        roll_deg=float(np.degrees(np.arctan2(-turn[1, 0], turn[1, 1]))),
        gaze_deg=gaze_deg(seen.blendshapes),
        aus=action_units(seen.blendshapes),
        blendshapes=seen.blendshapes,
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

"""What recipes can name: objectives, which turn a batch into losses, and readers, which have a batch for every step."""

from collections.abc import Callable
from typing import Any

from torch import nn

from faceforge_training.faces import face_crops, face_scenes
from faceforge_training.finder import FaceObjective, PointObjective

OBJECTIVES: dict[str, Callable[..., nn.Module]] = {"face-map": FaceObjective, "face-points": PointObjective}
READERS: dict[str, Callable[..., Any]] = {"face-crops": face_crops, "face-scenes": face_scenes}

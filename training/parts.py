"""What recipes can name: objectives, which turn a batch into losses, readers, which have a batch for every step, and
validations, which turn an objective into figures and pictures."""

from collections.abc import Callable
from typing import Any

from torch import nn

from faceforge_training.album import face_people
from faceforge_training.autoencoder import VaeObjective
from faceforge_training.diffusion import DenoiseObjective
from faceforge_training.editing import face_edits, face_pictures, face_portraits
from faceforge_training.faces import face_crops, face_scenes
from faceforge_training.finder import FaceObjective, PointObjective
from faceforge_training.footage import frame_pairs, frame_portraits
from faceforge_training.judges import ChangeObjective, IdentityObjective, OnsetObjective
from faceforge_training.motions import face_motions
from faceforge_training.pairs import face_pairs
from faceforge_training.validating import edit_validation, portrait_validation, vae_validation

OBJECTIVES: dict[str, Callable[..., nn.Module]] = {
    "face-map": FaceObjective,
    "face-points": PointObjective,
    "au-change": ChangeObjective,
    "au-onset": OnsetObjective,
    "identity": IdentityObjective,
    "denoise": DenoiseObjective,
    "vae": VaeObjective,
}
READERS: dict[str, Callable[..., Any]] = {
    "face-crops": face_crops,
    "face-scenes": face_scenes,
    "face-pairs": face_pairs,
    "face-motions": face_motions,
    "face-people": face_people,
    "face-edits": face_edits,
    "face-portraits": face_portraits,
    "face-pictures": face_pictures,
    "frame-pairs": frame_pairs,
    "frame-portraits": frame_portraits,
}
VALIDATIONS: dict[str, Callable[..., Any]] = {
    "edits": edit_validation,
    "portraits": portrait_validation,
    "vae": vae_validation,
}

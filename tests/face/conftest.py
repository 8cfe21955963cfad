"""Portraits with known faces, and the landmarker where its file is at hand."""

import pytest

from benchmarks.landmarker import found_model
from faceforge.face import Face
from faceforge.face.mediapipe import MediaPipeFinder
from faceforge.synth import Portrait, photograph, sample
from faceforge.synth.shots import Camera


def known(portrait: Portrait) -> Face:
    """The face of a portrait, as a perfect finder would give it."""
    sitting, size = portrait.sitting, portrait.image.shape[:2]
    return Face(
        portrait.landmarks, size, "known", 1.0, None, None, sitting.yaw_deg, sitting.pitch_deg, sitting.roll_deg
    )


@pytest.fixture(scope="session")
def finder() -> MediaPipeFinder:
    model = found_model()
    if model is None:
        pytest.skip("no landmark model (set FACEFORGE_LANDMARKER)")
    return MediaPipeFinder(model)


@pytest.fixture(scope="session")
def plain() -> Portrait:
    """Somebody who looks ahead, 384 pixels."""
    straight = dict.fromkeys(("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"), 0.0)
    return photograph([sample(300, **straight, camera=Camera(), occluder=None, aus={})], 384)[0]

"""Draws sample.png: a portrait of nobody, so that every command has a face to work on out of the box.

Run it again with `python -m faceforge.assets.make_sample`; nobody's photograph went into it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from faceforge.synth.photo import Photo
from faceforge.synth.portrait import portrait as drawn

SEED, SIDE = 34, 512


def portrait() -> Image.Image:
    """The sample as 512 x 512 RGB: a resting face that looks at the viewer."""
    pose: dict[str, Any] = {
        "yaw_deg": -5.0,
        "pitch_deg": 2.0,
        "roll_deg": 0.0,
        "gaze_yaw_deg": 4.0,
        "gaze_pitch_deg": 0.0,
    }
    return Image.fromarray(drawn(SEED, size=SIDE, aus={}, photo=Photo(), **pose).image)


if __name__ == "__main__":
    portrait().save(Path(__file__).with_name("sample.png"), optimize=True)

"""Motion from a list of EditSpecs, one for each frame."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from faceforge.errors import BadMotion
from faceforge.io.video import evenly
from faceforge.motion.motion import Motion, by_side
from faceforge.spec import EditSpec

_MOVES = {"aus", "yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"}


def of_specs(specs: Sequence[EditSpec], fps: float) -> Motion:
    """One frame for each wish. What a motion cannot hold, such as a light, belongs to the wish for all frames."""
    if not specs:
        raise BadMotion("A list of no wishes moves nothing. Give one EditSpec for each frame.")
    for number, spec in enumerate(specs):
        other = sorted(spec.model_fields_set - _MOVES)
        if other:
            raise BadMotion(f"The wish of frame {number} sets {other[0]!r}, which is no motion. Set it for all frames.")
    units = tuple(dict.fromkeys(code for spec in specs for code in spec.aus))
    codes, aus = by_side(units, np.array([[spec.aus.get(code, 0.0) for code in units] for spec in specs]))
    count = len(specs)
    return Motion(
        times=np.array(evenly(count, fps)),
        end=count / fps,
        codes=codes,
        aus=aus,
        pose_deg=np.array([[spec.yaw_deg, spec.pitch_deg, spec.roll_deg] for spec in specs]),
        gaze_deg=np.array([[spec.gaze_yaw_deg, spec.gaze_pitch_deg] for spec in specs]),
        relative=True,
        seen=np.ones(count, bool),
        shots=np.zeros(count, np.int64),
        source={"kind": "wishes", "fps": fps},
    )


def of_json(text: str, fps: float) -> Motion:
    """The same from a JSON list of specs."""
    try:
        listed: Any = json.loads(text)
    except (ValueError, RecursionError) as reason:
        raise BadMotion(
            f'This is not JSON ({reason}). Give a list of edit specs: [{{"aus": {{"AU12": 1}}}}].'
        ) from reason
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise BadMotion("A motion in JSON is a list of edit specs, one for each frame.")
    return of_specs([EditSpec.from_json(json.dumps(each)) for each in listed], fps)

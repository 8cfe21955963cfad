"""What a browser says of a pull or of a light that was dragged becomes sliders and a picture, or a refusal."""

from typing import Any

import pytest

from faceforge.errors import BadSpec
from faceforge_demos.controls import spec_of
from faceforge_demos.lighting import lit
from faceforge_demos.pulling import pull
from faceforge_demos.session import Session
from tests.demos.wishes import wish

CORNER = [307 / 512, 328 / 512]  # of the sample's mouth, on its own left


def test_a_corner_of_the_mouth_pulled_up_and_out_smiles(opened: Session) -> None:
    edit = pull(opened, wish(yaw_deg=5.0), {"pull": [*CORNER, 313 / 512, 321 / 512]})
    assert edit.values["AU12"] > 0.5
    assert edit.values["yaw_deg"] == 5.0
    assert opened.current is edit


@pytest.mark.parametrize(
    "sent",
    [None, {}, {"pull": 3}, {"pull": [0.5, 0.5, 0.5]}, {"pull": [0.5, 0.5, 0.5, 2]}, {"pull": [0.5, 0.5, "a", 0.5]}]
    + [{"pull": [0.5, 0.5, each, 0.5]} for each in (float("nan"), float("inf"), True, None)],
)
def test_what_is_no_pull_is_refused(opened: Session, sent: Any) -> None:
    edits = list(opened.edits)
    with pytest.raises(BadSpec, match="four shares"):
        pull(opened, wish(), sent)
    assert opened.edits == edits


def test_a_light_that_was_dragged_is_a_direction() -> None:
    assert spec_of(lit(wish(AU12=1.0), {"across": -40, "up": 25})).light == (-40.0, 25.0)


@pytest.mark.parametrize(
    "sent",
    [None, {}, {"across": 1}, {"across": 91, "up": 0}, {"across": "1", "up": 0}, {"across": float("nan"), "up": 0}],
)
def test_what_is_no_light_is_refused(sent: Any) -> None:
    with pytest.raises(BadSpec, match="degrees from -90 to 90"):
        lit(wish(), sent)

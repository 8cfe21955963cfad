"""Pulls on a face: the unit that makes a motion is found by it, and brings the skin there."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from faceforge import assets
from faceforge.aus import UNITS
from faceforge.errors import BadSpec
from faceforge.io.pictures import read_picture
from faceforge.reading import Reader
from faceforge.spec import EditSpec
from faceforge.warp.plate import Plate
from faceforge.warp.pull import Point, pulled
from faceforge.warp.target import target

NOTHING = EditSpec()


@pytest.fixture(scope="module")
def plate() -> Plate:
    photograph = Reader("embedded").read(read_picture(Path(assets.__file__).with_name("sample.png")))
    return photograph.plate(photograph.readings(1)[0])


def shown(plate: Plate, spec: EditSpec) -> Tensor:
    """Where each vertex is seen, (V, 2)."""
    return plate.posed(target(plate.fit, spec, plate.head).params).points[:, :2]


def farthest(plate: Plate, before: EditSpec, after: EditSpec) -> tuple[int, Point, Point]:
    """The skin in front that one edit moves most from where another left it: which, from where, to where."""
    one, other = shown(plate, before), shown(plate, after)
    shift = (other - one).norm(dim=1)
    front = torch.zeros(len(shift), dtype=torch.bool)
    front[plate.head.faces[plate.skin].flatten()] = True
    front &= plate.posed(plate.fit.params).normals[:, 2] > 0
    vertex = int(shift.where(front, -1.0).argmax())
    return vertex, tuple(one[vertex].tolist()), tuple(other[vertex].tolist())


@pytest.mark.parametrize("code", ["AU1", "AU2", "AU4", "AU6", "AU9", "AU10", "AU12", "AU15", "AU17", "AU20", "AU26"])
def test_the_unit_that_makes_a_motion_is_found_by_it(plate: Plate, code: str) -> None:
    vertex, start, end = farthest(plate, NOTHING, EditSpec(aus={code: 2.0}))
    found = pulled(plate, NOTHING, start, end)
    assert max(found.aus, key=lambda each: found.aus[each]) == code
    left = torch.tensor(end) - shown(plate, found)[vertex]
    assert left.norm() < 0.25 * (torch.tensor(end) - torch.tensor(start)).norm()


def test_a_second_pull_goes_on_from_the_first(plate: Plate) -> None:
    smiling, more = EditSpec(aus={"AU12": 1.5}, yaw_deg=10.0), EditSpec(aus={"AU12": 3.0}, yaw_deg=10.0)
    _, start, end = farthest(plate, smiling, more)
    found = pulled(plate, smiling, start, end)
    assert found.aus["AU12"] == pytest.approx(3.0, abs=0.3)
    assert found.yaw_deg == 10.0


def test_pulling_back_ends_where_the_face_was(plate: Plate) -> None:
    smiling = EditSpec(aus={"AU12": 2.0})
    _, start, end = farthest(plate, smiling, NOTHING)
    found = pulled(plate, smiling, start, (2 * end[0] - start[0], 2 * end[1] - start[1]))  # twice as far
    assert found.aus.get("AU12", 0.0) == pytest.approx(0.0, abs=0.05)  # this face smiled by nothing to begin with


def test_only_units_that_may_move_are_moved(plate: Plate) -> None:
    _, start, end = farthest(plate, NOTHING, EditSpec(aus={"AU12": 2.0}))
    assert set(pulled(plate, NOTHING, start, end, ["AU20", "AU26"]).aus) <= {"AU20", "AU26"}
    assert pulled(plate, NOTHING, start, end, []) == NOTHING


def test_no_pull_is_no_edit(plate: Plate) -> None:
    _, start, _ = farthest(plate, NOTHING, EditSpec(aus={"AU12": 2.0}))
    assert pulled(plate, NOTHING, start, start, UNITS) == NOTHING


def test_a_pull_beside_the_face_is_refused(plate: Plate) -> None:
    with pytest.raises(BadSpec, match=r"no face at \(3, 4\)"):
        pulled(plate, NOTHING, (3.0, 4.0), (30.0, 40.0))

"""What a posed head shows of itself."""

import pytest
import torch

from faceforge.face3d.raster import rasterize
from faceforge.warp.posed import visible
from faceforge.warp.target import target
from tests.warp.test_warp import EDITS, plate


@pytest.mark.parametrize("name", ["turned", "raised", "open mouth"])
def test_leaving_out_the_backs_of_skin_changes_nothing_of_what_is_seen_from_the_front(name: str) -> None:
    posed = plate().posed(target(plate().fit, EDITS[name], plate().head).params)
    window, faces = plate().window, plate().head.faces
    mesh = window.ndc(posed.points[None])
    left = visible(window.on_grid(posed.points[:, :2]), faces, plate().skin, window.grid)
    some, every = (rasterize(mesh, each, window.raster).pix_to_face for each in (faces[left], faces))
    front = rasterize(mesh, faces, window.raster, cull_backfaces=True).pix_to_face
    same = torch.where(some < 0, -1, left[some.clamp(min=0)]) == every
    assert len(left) < 0.8 * len(faces)
    assert bool(same[front == every].all())
    assert int((~same).sum()) < 5

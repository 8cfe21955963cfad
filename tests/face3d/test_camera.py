"""Laws of the cameras: where things land on pictures, and that crops and pictures agree."""

from typing import Any

import pytest
import torch
from torch import Tensor

from faceforge.errors import BadMesh
from faceforge.face3d.camera import CROP, Camera, Perspective, ScaledOrthographic, ndc
from faceforge.face3d.raster import rasterize
from tests.face3d.shapes import ball

FRONT = Perspective.at(torch.tensor([[0.0, 0.0, 5.0]]), torch.zeros(1, 3), fov_deg=40)
FLAT = ScaledOrthographic(torch.tensor([[1.2, 0.0, 0.0]]))


def lands(camera: Camera, point: list[float], size: tuple[int, int] = (61, 61)) -> tuple[int, int]:
    """Row and column of the pixel where a small ball at a point is drawn."""
    vertices, faces = ball(6, 8, depth=0.0)
    small = vertices * 0.06 + torch.tensor(point)
    found = rasterize(camera.project(small[None], size), faces, size, perspective_correct=True).covered[0]
    rows, columns = found.nonzero().double().mean(0).round().int().tolist()
    return rows, columns


@pytest.mark.parametrize("camera", [FRONT, FLAT], ids=["perspective", "orthographic"])
def test_the_subjects_left_is_the_right_of_the_picture_and_up_is_up(camera: Camera) -> None:
    assert lands(camera, [0, 0, 0]) == (30, 30)
    assert lands(camera, [0.4, 0, 0])[1] > 34
    assert lands(camera, [0, 0.4, 0])[0] < 26


@pytest.mark.parametrize("camera", [FRONT, FLAT], ids=["perspective", "orthographic"])
def test_what_is_out_of_the_face_is_nearer(camera: Camera) -> None:
    nose, ear = camera.project(torch.tensor([[[0.0, 0, 0.5], [0, 0, -0.5]]]), (64, 64))[0]
    assert nose[2] < ear[2]


@pytest.mark.parametrize("camera", [FRONT, FLAT], ids=["perspective", "orthographic"])
def test_front_faces_stay_front_faces(camera: Camera) -> None:
    vertices, faces = ball(depth=0.0)
    outward = faces.flip(1)  # this ball is wound for the viewer of NDC, and the half-turn to NDC keeps winding
    found = [
        rasterize(camera.project(vertices[None], (64, 64)), each, (64, 64), cull_backfaces=True).zbuf
        for each in (faces, outward)
    ]
    nearest = rasterize(camera.project(vertices[None], (64, 64)), faces, (64, 64)).zbuf
    assert min(float((nearest != each).float().mean()) for each in found) < 0.01


def test_a_crop_of_the_whole_picture_changes_nothing_of_square_ones() -> None:
    vertices, _ = ball()
    whole = torch.diag(torch.tensor([CROP / 512, CROP / 512, 1.0]))[None]
    cropped = ScaledOrthographic(FLAT.scale_shift, whole).image(vertices[None], (512, 512))
    torch.testing.assert_close(cropped, FLAT.image(vertices[None], (512, 512)), atol=1e-5, rtol=0)


def test_a_crop_puts_points_back_where_they_were_cut() -> None:
    crop = torch.tensor([[[0.5, 0.1, -20.0], [-0.1, 0.5, -30.0], [0.0, 0.0, 1.0]]])
    vertices, _ = ball()
    in_crop = (FLAT.image(vertices[None], (300, 400))[..., :2] + 1) / 2 * CROP
    there = ScaledOrthographic(FLAT.scale_shift, crop).image(vertices[None], (300, 400))
    pixels = (there[..., :2] + 1) / 2 * torch.tensor([400.0, 300.0])
    again = torch.cat([pixels, torch.ones_like(pixels[..., :1])], -1) @ crop.mT
    torch.testing.assert_close(again[..., :2], in_crop, atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [(64, 64), (48, 80), (80, 48)])
def test_the_corners_of_an_image_are_those_of_the_picture(size: tuple[int, int]) -> None:
    corners = torch.tensor([[[-1.0, -1, 0], [1, -1, 0], [-1, 1, 0], [1, 1, 0]]])
    reach = torch.tensor([size[1], size[0]]) / min(size)
    expected = -corners[..., :2] * reach
    torch.testing.assert_close(ndc(corners, size)[..., :2], expected)


@pytest.mark.parametrize("fill", [0.5, 0.9])
def test_framing_fills_as_much_of_the_picture_as_asked(fill: float) -> None:
    vertices, faces = ball(depth=0.0)
    heads = torch.stack([vertices * 0.1 + 3, vertices * 20 - 1])
    camera = ScaledOrthographic.framing(heads, fill=fill)
    covered = rasterize(camera.project(heads, (100, 100)), faces, (100, 100)).covered
    for head in covered:
        rows, columns = head.nonzero().T
        assert abs(int(rows.max() - rows.min()) + 1 - 100 * fill) <= 3
        assert abs(int(rows.max() + rows.min()) - 99) <= 2
        assert abs(int(columns.max() + columns.min()) - 99) <= 2


def test_the_field_of_view_reaches_the_edge_of_the_picture() -> None:
    edge = torch.tensor([[[0.0, torch.tan(torch.deg2rad(torch.tensor(20.0))) * 5, 0.0]]])
    torch.testing.assert_close(FRONT.project(edge, (64, 64))[..., 1], torch.ones(1, 1))


def test_a_camera_looks_at_its_target_from_anywhere() -> None:
    eyes, target = torch.tensor([[3.0, 1, 2], [-2, -1, 4], [0.1, 0, -3]]), torch.tensor([[0.2, 0.5, -0.1]])
    camera = Perspective.at(eyes, target.expand(3, -1))
    seen = camera.project(target.expand(3, 1, 3), (64, 64))
    torch.testing.assert_close(seen[..., :2], torch.zeros(3, 1, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen[:, 0, 2], (eyes - target).norm(dim=1))
    torch.testing.assert_close(camera.rotation.det(), torch.ones(3))


def test_points_beside_and_behind_the_viewer_stay_numbers_and_are_not_drawn() -> None:
    points = torch.tensor([[[1.0, 1, 5], [0, 0, 5], [0, 1, 9], [3, 0, 5.00001], [-1, 2, 1e9]]])
    projected = FRONT.project(points, (16, 16))
    assert bool(projected.isfinite().all())
    behind = torch.tensor([[0, 1, 2], [1, 2, 4]])
    assert not rasterize(projected, behind, (16, 16)).covered.any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"fov_deg": 0}, "fov_deg=0"),
        ({"fov_deg": 180.0}, "fov_deg=180"),
        ({"eye": torch.tensor([[0.0, 4.0, 0.0]])}, "straight up or down"),
    ],
)
def test_impossible_views_are_refused(arguments: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {"eye": torch.tensor([[0.0, 0.0, 4.0]]), "target": torch.zeros(1, 3)}
    with pytest.raises(BadMesh, match=words):
        Perspective.at(**{**usual, **arguments})


def test_gradients_reach_vertices_and_cameras() -> None:
    vertices = torch.randn(1, 4, 3, dtype=torch.float64, requires_grad=True)
    scale: Tensor = torch.tensor([[1.5, 0.1, 0.2]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v, s: ScaledOrthographic(s).project(v, (8, 9)), (vertices, scale))
    camera = Perspective(FRONT.rotation.double(), FRONT.translation.double(), 30)
    assert torch.autograd.gradcheck(lambda v: camera.project(v, (8, 9)), (vertices,))

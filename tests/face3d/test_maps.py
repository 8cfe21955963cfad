"""Laws of the condition maps: ranges, what is outside, frames that do not influence each other, and gradients."""

import pytest
import torch
from torch import Tensor

from faceforge.errors import BadMesh
from faceforge.face3d.camera import ScaledOrthographic
from faceforge.face3d.light import preset
from faceforge.face3d.maps import (
    Conditions,
    Texture,
    View,
    clean,
    flame_texture,
    magicportrait,
    published,
    rigface,
    written,
)
from faceforge.face3d.mesh import vertex_normals
from tests.face3d.shapes import ball

SIZE = (48, 40)


def head(scale: float = 1.0) -> tuple[Tensor, Tensor]:
    vertices, faces = ball(16, 24, depth=0.0)
    return vertices[None] * scale, faces.flip(1)


def texture(faces: Tensor, pixels: Tensor | None = None) -> Texture:
    uv = torch.stack([torch.linspace(0, 1, 5), torch.linspace(1, 0, 5)], 1)
    return Texture(torch.rand(1, 3, 8, 8) if pixels is None else pixels, uv, faces % 5)


def seen(vertices: Tensor, faces: Tensor) -> tuple[View, Tensor, Tensor]:
    """The view, depths and normals of heads in front of a camera."""
    camera = ScaledOrthographic.framing(vertices)
    view = View.of(camera.project(vertices, SIZE), faces, SIZE)
    return view, camera.image(vertices, SIZE)[..., 2], vertex_normals(vertices, faces)


def outward(faces: Tensor, vertices: Tensor) -> Tensor:
    centre = vertices[0] - vertices[0].mean(0)
    return faces if float((vertex_normals(vertices, faces)[0] * centre).sum()) > 0 else faces.flip(1)


@pytest.mark.parametrize("maps", [clean, magicportrait])
def test_maps_are_between_0_and_1_and_black_outside(maps: object) -> None:
    assert callable(maps)
    vertices, faces = head()
    view, z, normals = seen(vertices, faces)
    found: Conditions = maps(view, z, normals, texture(faces), preset("rim"))
    outside = (view.coverage == 0).expand(-1, 3, -1, -1)
    assert bool(outside.any())
    for each in (found.render, found.normal, found.depth):
        assert each.shape == (1, 3, *SIZE)
        assert not each.isnan().any()
        assert 0 <= float(each.min()) <= float(each.max()) <= 1
        assert not each[outside].any()


def test_a_face_towards_the_viewer_is_blue_in_both_conventions() -> None:
    vertices, faces = head()
    faces = outward(faces, vertices)
    view, z, normals = seen(vertices, faces)
    middle = SIZE[0] // 2, SIZE[1] // 2
    theirs = magicportrait(view, z, normals, texture(faces), preset("flat")).normal[0, :, *middle]
    ours = clean(view, z, normals, texture(faces), preset("flat")).normal[0, :, *middle]
    assert float(theirs[2]) > 0.9
    assert float(theirs[:2].max()) < 0.3
    assert float(ours[2]) > 0.9
    assert float((ours[:2] - 0.5).abs().max()) < 0.2


def test_normals_point_to_the_right_and_up_of_the_picture() -> None:
    vertices, faces = head()
    faces = outward(faces, vertices)
    view, _, normals = seen(vertices, faces)
    signed = view.normals(normals)[0]
    half = SIZE[1] // 2
    assert float(signed[0, :, half + 3 :].sum()) > 0 > float(signed[0, :, : half - 3].sum())
    assert float(signed[1, : SIZE[0] // 2 - 3].sum()) > 0 > float(signed[1, SIZE[0] // 2 + 3 :].sum())


def test_clean_normals_lose_nothing_where_the_release_clamps() -> None:
    vertices, faces = head()
    view, z, normals = seen(vertices, faces)
    unit = view.unit_normals(normals)
    found = clean(view, z, normals, texture(faces), preset("flat")).normal
    inside = view.coverage.bool().expand_as(unit)
    torch.testing.assert_close((found * 2 - 1)[inside], unit[inside])
    torch.testing.assert_close(unit.norm(dim=1)[view.fragments.covered], torch.ones(int(view.coverage.sum())))


def test_the_depth_of_a_frame_does_not_depend_on_the_others() -> None:
    vertices, faces = head()
    both = torch.cat([vertices, vertices * torch.tensor([1.0, 1.0, 3.0])])
    view, z, _ = seen(both, faces)
    alone, own, _ = seen(vertices, faces)
    torch.testing.assert_close(view.depth(z)[:1], alone.depth(own), atol=1e-6, rtol=0)
    assert float((view.depth_in_call(z)[:1] - alone.depth(own)).abs().max()) > 0.1


def test_depth_is_1_at_the_nearest_vertex_and_falls_away_from_the_viewer() -> None:
    vertices, faces = head()
    view, z, _ = seen(vertices, faces)
    depth = view.depth(z)[view.coverage.bool()]
    order = view.fragments.zbuf[view.fragments.covered].argsort()
    assert float(depth.max()) > 0.97
    # areas have 1e-8 added, so weights of small triangles add up to a little less than 1 and z is off by as much
    assert bool((depth[order].diff() <= 1e-3).all())


def test_a_flat_mesh_has_a_depth() -> None:
    vertices = torch.tensor([[[-1.0, -1, 0], [1, -1, 0], [0, 1, 0]]])
    view, z, _ = seen(vertices, torch.tensor([[0, 1, 2]]))
    inside = view.depth(z)[view.coverage.bool()]
    torch.testing.assert_close(inside, torch.ones_like(inside))


def test_a_texture_of_one_colour_is_seen_in_that_colour() -> None:
    vertices, faces = head()
    view, _, _ = seen(vertices, faces)
    colour = torch.tensor([0.2, 0.5, 0.9])
    found = view.albedo(texture(faces, colour.view(1, 3, 1, 1).expand(1, 3, 16, 16)))
    inside = found.permute(0, 2, 3, 1)[view.fragments.covered]
    torch.testing.assert_close(inside, colour.expand_as(inside))


def test_v_runs_up_the_texture() -> None:
    corners = torch.tensor([[[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]])
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    view, _, _ = seen(corners, faces)
    pixels = torch.zeros(1, 3, 4, 4)
    pixels[:, 0, :2] = 1  # the upper half is red
    uv = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    found = view.albedo(Texture(pixels, uv, faces))[0, 0]
    assert float(found[: SIZE[0] // 2 - 8].sum()) > 10
    assert float(found[SIZE[0] // 2 + 8 :].sum()) == 0


def test_a_texture_of_another_mesh_is_refused() -> None:
    vertices, faces = head()
    view, _, _ = seen(vertices, faces)
    with pytest.raises(BadMesh, match="expected the same"):
        view.albedo(texture(faces[:-1]))


def test_rigfaces_render_is_what_the_renderer_computes_kept_in_range() -> None:
    vertices, faces = head()
    view, z, normals = seen(vertices, faces)
    skin = texture(faces)
    raw = published(view, z, normals, skin, preset("studio")).render
    assert torch.equal(rigface(view, normals, skin, preset("studio")), raw.clamp(0, 1))


def test_bytes_are_rounded_and_clamped() -> None:
    values = torch.tensor([-1.0, 0.0, 0.4 / 255, 0.6 / 255, 127.4 / 255, 1.0, 3.0])
    assert written(values).tolist() == [0, 0, 0, 1, 127, 255, 255]


def test_flames_texture_is_every_second_texel_in_rgb() -> None:
    mean, basis = torch.rand(512, 512, 3) * 255, torch.randn(512, 512, 3, 6)
    found = flame_texture(mean, basis, torch.tensor([[0.0, 0, 0], [1.0, 0, -2]]))
    assert found.shape == (2, 3, 256, 256)
    torch.testing.assert_close(found[0, :, 10, 20], mean[20, 40].flip(0) / 255)
    expected = (mean[20, 40] + basis[20, 40, :, 0] - 2 * basis[20, 40, :, 2]).flip(0) / 255
    torch.testing.assert_close(found[1, :, 10, 20], expected)
    with pytest.raises(BadMesh, match="texture space"):
        flame_texture(mean, basis, torch.zeros(1, 7))


def test_gradients_reach_vertices_light_and_albedo() -> None:
    vertices, faces = ball(5, 7, depth=0.0)
    moved = vertices.double()[None].requires_grad_()
    pixels = torch.rand(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    light = preset("studio").double().requires_grad_()
    camera = ScaledOrthographic(torch.tensor([[0.9, 0.0, 0.0]], dtype=torch.float64))
    uv = torch.rand(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def render(vertices: Tensor, light: Tensor, pixels: Tensor) -> Tensor:
        view = View.of(camera.project(vertices, (6, 7)), faces, (6, 7))
        maps = published(view, vertices[..., 2], vertex_normals(vertices, faces), Texture(pixels, uv, faces % 5), light)
        return maps.render

    assert torch.autograd.gradcheck(render, (moved, light, pixels), eps=1e-7, atol=1e-4)

"""Laws of the rasteriser: against the plain definition, alone or in a batch, and with hopeless geometry."""

import hashlib
import sys
import time
from itertools import product
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from faceforge.errors import BadMesh, MissingPackage
from faceforge.face3d import raster_pytorch3d
from faceforge.face3d.raster import Fragments, interpolate, interpolate_vertices, rasterize
from tests.face3d.shapes import ball, slanted, soup

SIZE = (40, 56)


def by_definition(
    vertices: Tensor, faces: Tensor, size: tuple[int, int], *, cull: bool, perspective: bool
) -> tuple[Tensor, Tensor]:
    """The face at each pixel of one mesh and its depth, (H, W): every pixel asks every triangle, in turn."""
    height, width = size
    reach_x, reach_y = width / min(size), height / min(size)
    x = ((2 * reach_x * torch.arange(width - 1, -1, -1) + reach_x) / width - reach_x)[None]
    y = ((2 * reach_y * torch.arange(height - 1, -1, -1) + reach_y) / height - reach_y)[:, None]
    best, seen = torch.full(size, torch.inf), torch.full(size, -1)
    for number, corners in enumerate(vertices[faces]):
        (x0, y0, z0), (x1, y1, z1), (x2, y2, z2) = corners
        facing = (x0 - x1) * (y2 - y1) - (y0 - y1) * (x2 - x1)
        if corners[:, 2].min() < 1e-8 or facing.abs() <= 1e-8 or (cull and facing < 0):
            continue
        area = (x2 - x0) * (y1 - y0) - (y2 - y0) * (x1 - x0) + 1e-8
        w0 = ((x - x1) * (y2 - y1) - (y - y1) * (x2 - x1)) / area
        w1 = ((x - x2) * (y0 - y2) - (y - y2) * (x0 - x2)) / area
        w2 = ((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / area
        if perspective:
            w0, w1, w2 = w0 * z1 * z2, w1 * z0 * z2, w2 * z0 * z1
            total = (w0 + w1 + w2).clamp(min=1e-8)
            w0, w1, w2 = w0 / total, w1 / total, w2 / total
        boxed = (x >= corners[:, 0].min()) & (x <= corners[:, 0].max())
        boxed = boxed & (y >= corners[:, 1].min()) & (y <= corners[:, 1].max())
        z = w0 * z0 + w1 * z1 + w2 * z2
        nearer = boxed & (w0 > 0) & (w1 > 0) & (w2 > 0) & (z < best)
        best, seen = torch.where(nearer, z, best), torch.where(nearer, number, seen)
    return seen, best.where(seen >= 0, -1)


def equal(one: Fragments, other: Fragments) -> bool:
    pairs = ((one.zbuf, other.zbuf), (one.bary, other.bary), (one.pix_to_face, other.pix_to_face))
    return all(torch.equal(left, right) for left, right in pairs)


@pytest.mark.parametrize(("cull", "perspective"), [*product([False, True], repeat=2)])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), height=st.integers(1, 48), width=st.integers(1, 48))
def test_every_pixel_sees_what_the_definition_says(
    seed: int, height: int, width: int, cull: bool, perspective: bool
) -> None:
    vertices, faces = soup(40, seed)
    found = rasterize(vertices[None], faces, (height, width), cull_backfaces=cull, perspective_correct=perspective)
    seen, depth = by_definition(vertices, faces, (height, width), cull=cull, perspective=perspective)
    assert torch.equal(found.pix_to_face[0], seen)
    assert torch.equal(found.zbuf[0], depth)


# From pytorch3d's own C++ for processors (commit 9381c40), on the same meshes.
RECORDED = {
    (False, False, None): "66e7c5a9a9f9", (False, False, 0.5): "015dc9468816",
    (False, True, None): "98410a40f083", (False, True, 0.5): "fc1667a62020",
    (True, False, None): "afac008cae49", (True, False, 0.5): "104239bbf12f",
    (True, True, None): "53b825b2b2b4", (True, True, 0.5): "2ec6d7b8656b",
}  # fmt: skip


def crossing(batch: int = 2, count: int = 48) -> tuple[Tensor, Tensor]:
    """Triangles that share vertices and cross, some behind the viewer; coordinates that every machine forms alike."""
    number = torch.arange(batch * count * 3)
    turned = (number * 2654435761 + 40503) % 4093
    vertices = (turned.float() / 1024 - 2).view(batch, count, 3) + torch.tensor([0.0, 0.0, 1.5])
    faces = ((torch.arange(count * 3) * 29 + 7 * (torch.arange(count * 3) // 3) ** 2) % count).view(-1, 3)
    return vertices, faces


def digest(found: Fragments) -> str:
    bits = b"".join(each.contiguous().numpy().tobytes() for each in (found.pix_to_face, found.zbuf, found.bary))
    return hashlib.sha256(bits).hexdigest()[:12]


@pytest.mark.parametrize(("cull", "perspective", "clip"), RECORDED)
def test_the_bits_are_those_of_pytorch3d(cull: bool, perspective: bool, clip: float | None) -> None:
    vertices, faces = crossing()
    found = rasterize(vertices, faces, SIZE, cull_backfaces=cull, perspective_correct=perspective, z_clip=clip)
    assert digest(found) == RECORDED[cull, perspective, clip]


@pytest.mark.parametrize("thickness", [1e-3, 1e-5, 1e-7, 3e-8])
def test_slivers_are_drawn_as_the_definition_rounds_them(thickness: float) -> None:
    generator = torch.Generator().manual_seed(5)
    start = torch.rand(60, 1, 3, generator=generator) * 2 - 1
    along = torch.randn(60, 1, 3, generator=generator)
    share = torch.tensor([0.0, 0.5, 1.0])[None, :, None]
    corners = start + along * share + torch.randn(60, 3, 3, generator=generator) * thickness
    corners[..., 2] = corners[..., 2].abs() + 1
    vertices, faces = corners.reshape(-1, 3), torch.arange(180).view(-1, 3)
    expected, _ = by_definition(vertices, faces, SIZE, cull=False, perspective=False)
    assert torch.equal(rasterize(vertices[None], faces, SIZE).pix_to_face[0], expected)


@pytest.mark.parametrize("clip", [None, 2.7])
@pytest.mark.parametrize("perspective", [False, True])
def test_a_mesh_is_drawn_alike_alone_and_in_a_batch(clip: float | None, perspective: bool) -> None:
    vertices, faces = ball()
    batch = torch.stack([vertices, vertices * 0.9, vertices.flip(0) * 0.8 + 0.1, vertices * torch.tensor([3, 3, 1])])
    together = rasterize(batch, faces, SIZE, perspective_correct=perspective, z_clip=clip)
    for index, mesh in enumerate(batch):
        alone = rasterize(mesh[None], faces, SIZE, perspective_correct=perspective, z_clip=clip)
        shift = index * len(faces) * alone.covered
        own = [each[index : index + 1] for each in (together.pix_to_face, together.zbuf, together.bary)]
        assert equal(Fragments(own[0] - shift, own[1], own[2]), alone)


def test_drawing_twice_gives_the_same_bits() -> None:
    vertices, faces = soup(500, 3)
    assert equal(rasterize(vertices[None], faces, SIZE), rasterize(vertices[None], faces, SIZE))


def test_culling_shows_nothing_new_on_a_closed_ball() -> None:
    vertices, faces = ball(24, 36)
    plain = rasterize(vertices[None], faces, (64, 64))
    culled = rasterize(vertices[None], faces, (64, 64), cull_backfaces=True)
    turned = rasterize(vertices[None], faces.flip(1), (64, 64), cull_backfaces=True)
    assert float((plain.pix_to_face != culled.pix_to_face).float().mean()) < 0.01
    assert bool((turned.zbuf > culled.zbuf)[culled.covered & turned.covered].all())


def test_equal_depths_go_to_the_face_that_comes_first() -> None:
    vertices, faces = slanted()
    assert set(rasterize(vertices[None], faces.repeat(3, 1), SIZE).pix_to_face.unique().tolist()) == {-1, 0}


def test_weights_add_up_and_give_the_depth() -> None:
    vertices, faces = ball()
    found = rasterize(vertices[None], faces, SIZE, perspective_correct=True)
    torch.testing.assert_close(found.bary[found.covered].sum(1), torch.ones(int(found.covered.sum())))
    depth = interpolate_vertices(found, vertices[None, :, 2:], faces)[..., 0]
    torch.testing.assert_close(depth[found.covered], found.zbuf[found.covered])
    assert not depth[~found.covered].any()


def test_attributes_of_corners_and_of_vertices_are_interpolated_alike() -> None:
    vertices, faces = ball()
    found = rasterize(torch.stack([vertices, vertices * 0.8]), faces, SIZE)
    values = torch.randn(2, len(vertices), 5)
    by_corner = interpolate(found, values[:, faces].flatten(0, 1))
    assert torch.equal(interpolate_vertices(found, values, faces), by_corner)
    shared = interpolate_vertices(found, values[:1], faces)
    assert torch.equal(shared, interpolate_vertices(found, values[:1].expand(2, -1, -1), faces))


@pytest.mark.parametrize("perspective", [False, True])
def test_a_plane_of_clipping_that_cuts_nothing_changes_nothing(perspective: bool) -> None:
    vertices, faces = ball()
    plain = rasterize(vertices[None], faces, SIZE, perspective_correct=perspective)
    cut = rasterize(vertices[None], faces, SIZE, perspective_correct=perspective, z_clip=0.5)
    assert torch.equal(plain.pix_to_face, cut.pix_to_face)
    torch.testing.assert_close(plain.bary, cut.bary)


def test_clipping_keeps_what_lies_behind_the_plane_and_nothing_else() -> None:
    vertices, faces = slanted()
    plain = rasterize(vertices[None], faces, SIZE, perspective_correct=True)
    cut = rasterize(vertices[None], faces, SIZE, perspective_correct=True, z_clip=3.0)
    behind = plain.zbuf >= 3.0
    assert int((cut.covered != behind).sum()) <= 2  # pixels on the cut itself
    both = cut.covered & behind
    torch.testing.assert_close(cut.bary[both], plain.bary[both], atol=1e-5, rtol=0)


def test_a_ground_that_passes_under_the_viewer_is_seen_up_to_the_plane() -> None:
    corners = torch.tensor([[-40.0, -1.0, -5.0], [40.0, -1.0, -5.0], [0.0, -1.0, 60.0]])
    projected = torch.cat([corners[:, :2] / corners[:, 2:], corners[:, 2:]], 1)[None]
    faces = torch.tensor([[0, 1, 2]])
    assert not rasterize(projected, faces, SIZE, perspective_correct=True).covered.any()
    seen = rasterize(projected, faces, SIZE, perspective_correct=True, z_clip=0.5)
    assert bool(seen.covered[0, -1].all())
    assert not seen.covered[0, : SIZE[0] // 2].any()
    assert float(seen.zbuf[seen.covered].min()) >= 0.5


@pytest.mark.parametrize("perspective", [False, True])
def test_gradients_are_those_of_finite_differences(perspective: bool) -> None:
    vertices, faces = ball(5, 7)
    vertices = vertices.double()[None].requires_grad_()
    seen = rasterize(vertices, faces, (9, 7), perspective_correct=perspective).pix_to_face

    def outputs(moved: Tensor) -> tuple[Tensor, ...]:
        found = rasterize(moved, faces, (9, 7), perspective_correct=perspective)
        assert torch.equal(found.pix_to_face, seen)
        return found.zbuf, found.bary, interpolate_vertices(found, moved.square(), faces)

    assert torch.autograd.gradcheck(outputs, vertices, eps=1e-7, atol=1e-5)


def test_gradients_reach_vertices_through_clipping() -> None:
    vertices, faces = slanted()
    vertices = vertices.double()[None].requires_grad_()

    def outputs(moved: Tensor) -> Tensor:
        return rasterize(moved, faces, (7, 7), perspective_correct=True, z_clip=2.9).bary

    assert torch.autograd.gradcheck(outputs, vertices, eps=1e-7, atol=1e-5)


def test_vertices_that_are_not_numbers_are_refused_by_name() -> None:
    vertices, faces = ball()
    batch = torch.stack([vertices, vertices])
    batch[1, 7, 1] = torch.nan
    with pytest.raises(BadMesh, match=r"Vertex 7 of mesh 1 is \[.*nan"):
        rasterize(batch, faces, SIZE)


def test_faces_without_vertices_are_refused_by_name() -> None:
    vertices, faces = ball()
    for wrong in (-1, len(vertices)):
        broken = faces.clone()
        broken[5, 2] = wrong
        with pytest.raises(BadMesh, match=rf"Face 5 joins .*{wrong}\], but there are {len(vertices)}"):
            rasterize(vertices[None], broken, SIZE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vertices": torch.zeros(4, 3)}, "shapes"),
        ({"vertices": torch.zeros(1, 4, 3, dtype=torch.float16)}, "float16"),
        ({"faces": torch.zeros(2, 4, dtype=torch.long)}, "shapes"),
        ({"faces": torch.zeros(2, 3)}, "whole numbers"),
        ({"z_clip": 0.0}, "cannot be cut"),
        ({"z_clip": float("nan")}, "cannot be cut"),
        ({"size": (0, 4)}, "from 1"),
        ({"size": (4.0, 4)}, "from 1"),
        ({"size": (True, True)}, "from 1"),
        ({"size": 8}, "from 1"),
        ({"size": (10**7, 10**7)}, "16384"),
        ({"z_clip": "near"}, "cannot be cut"),
        ({"z_clip": True}, "cannot be cut"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change: dict[str, Any], words: str) -> None:
    given_ = {"vertices": torch.zeros(1, 4, 3), "faces": torch.zeros(2, 3, dtype=torch.long), "size": (4, 4)}
    with pytest.raises(BadMesh, match=words):
        rasterize(**{**given_, **change})


@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize(("batch", "vertices", "faces"), [(1, 0, 0), (2, 5, 0), (0, 5, 2)])
def test_nothing_to_draw_is_an_empty_picture(batch: int, vertices: int, faces: int, clip: float | None) -> None:
    nothing = torch.zeros(faces, 3, dtype=torch.long)
    found = rasterize(torch.ones(batch, vertices, 3), nothing, SIZE, z_clip=clip)
    assert found.pix_to_face.shape == (batch, *SIZE)
    assert bool((found.pix_to_face == -1).all() and (found.zbuf == -1).all() and (found.bary == -1).all())
    assert interpolate_vertices(found, torch.ones(1, vertices, 2), nothing).shape == (batch, *SIZE, 2)


def test_a_picture_of_one_pixel_sees_its_centre() -> None:
    vertices, faces = slanted()
    found = rasterize(vertices[None], faces, (1, 1))
    assert found.pix_to_face.item() == 0
    assert float(found.bary.sum()) == pytest.approx(1)


@pytest.mark.parametrize(
    "corners",
    [
        [[-1.0, -1, -2], [1, -1, -2], [0, 1, -2]],
        [[-1.0, -1, 0], [1, -1, 0], [0, 1, 0]],
        [[0.1, 0.1, 1], [0.1, 0.1, 1], [0.1, 0.1, 1]],
        [[-1.0, -1, 1], [0, 0, 1], [1, 1, 1]],
        [[5.0, 5, 1], [6, 5, 1], [5, 6, 1]],
        [[-1e30, -1e30, 1], [1e30, -1e30, 1], [0, 1e30, 1]],
    ],
    ids=["behind", "at the viewer", "a point", "a line", "outside", "beyond all numbers"],
)
def test_what_cannot_be_seen_is_left_out(corners: list[list[float]]) -> None:
    for perspective in (False, True):
        found = rasterize(torch.tensor([corners]), torch.tensor([[0, 2, 1]]), SIZE, perspective_correct=perspective)
        assert not found.covered.any()


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats(-(2.0**70), 2.0**70, width=32), min_size=18, max_size=18),
    perspective=st.booleans(),
    clip=st.none() | st.floats(0.0078125, 128, width=32),
)
def test_no_pixel_is_ever_nan(values: list[float], perspective: bool, clip: float | None) -> None:
    vertices = torch.tensor(values).view(1, 6, 3)
    faces = torch.tensor([[0, 1, 2], [3, 4, 5], [0, 4, 2], [5, 1, 3]])
    found = rasterize(vertices, faces, (9, 11), perspective_correct=perspective, z_clip=clip)
    assert not found.zbuf.isnan().any()
    assert not found.bary.isnan().any()


def test_giant_triangles_cover_the_picture_and_do_not_hang() -> None:
    generator = torch.Generator().manual_seed(1)
    near = torch.tensor([[-1e4, -1e4, 1.0], [1e4, -1e4, 1.0], [0.0, 1e4, 1.0]])
    vertices = torch.cat([near * (1 + torch.rand(1, generator=generator)) for _ in range(200)])
    faces = torch.arange(600).view(-1, 3)
    found = rasterize(vertices[None], faces, (128, 128))
    assert bool(found.covered.all())


@pytest.mark.parametrize(("side", "seconds"), [(128, 0.025), (256, 0.050), (512, 0.120)])
def test_a_head_of_ten_thousand_triangles_is_drawn_in_time(side: int, seconds: float) -> None:
    vertices, faces = ball(70, 71)
    taken = []
    for _ in range(6):
        started = time.process_time()
        rasterize(vertices[None], faces, (side, side))
        taken.append(time.process_time() - started)
    assert min(taken) <= seconds


def stand_in(monkeypatch: pytest.MonkeyPatch, calls: list[dict[str, Any]]) -> None:
    """A pytorch3d of a few lines: it records what it is asked and answers with the built-in rasteriser."""

    class Meshes:
        def __init__(self, verts: Tensor, faces: Tensor) -> None:
            self.verts, self.faces = verts, faces

    def rasterize_meshes(meshes: Meshes, **asked: Any) -> tuple[Tensor, ...]:
        calls.append({"verts": meshes.verts, "faces": meshes.faces, **asked})
        found = rasterize(
            meshes.verts,
            meshes.faces[0],
            asked["image_size"],
            cull_backfaces=asked["cull_backfaces"],
            perspective_correct=asked["perspective_correct"],
            z_clip=asked["z_clip_value"],
        )
        return found.pix_to_face[..., None], found.zbuf[..., None], found.bary[..., None, :], found.zbuf[..., None]

    for name in ("pytorch3d", "pytorch3d.renderer", "pytorch3d.renderer.mesh"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    renderer, structures = ModuleType("rasterize_meshes"), ModuleType("structures")
    renderer.rasterize_meshes, structures.Meshes = rasterize_meshes, Meshes  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pytorch3d.renderer.mesh.rasterize_meshes", renderer)
    monkeypatch.setitem(sys.modules, "pytorch3d.structures", structures)


def test_pytorch3d_is_asked_for_one_face_per_pixel_without_blur(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []
    stand_in(monkeypatch, calls)
    vertices, faces = ball()
    batch = torch.stack([vertices, vertices * 0.9])
    settings_ = {"cull_backfaces": True, "perspective_correct": True, "z_clip": 0.25}
    found = raster_pytorch3d.rasterize(batch, faces.int(), SIZE, **settings_)
    (asked,) = calls
    assert asked["faces"].shape == (2, *faces.shape)
    assert asked["faces"].dtype == torch.int64
    assert (asked["image_size"], asked["blur_radius"], asked["faces_per_pixel"]) == (SIZE, 0.0, 1)
    assert equal(found, rasterize(batch, faces, SIZE, **settings_))


def test_a_missing_pytorch3d_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch3d.renderer.mesh.rasterize_meshes", None)
    vertices, faces = ball()
    with pytest.raises(MissingPackage, match="pip install"):
        raster_pytorch3d.rasterize(vertices[None], faces, SIZE)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("perspective", [False, True])
def test_a_gpu_draws_the_same_bits(perspective: bool) -> None:
    vertices, faces = soup(2000, 9)
    here = rasterize(vertices[None], faces, (128, 96), perspective_correct=perspective)
    there = rasterize(vertices[None].cuda(), faces.cuda(), (128, 96), perspective_correct=perspective)
    assert equal(here, Fragments(there.pix_to_face.cpu(), there.zbuf.cpu(), there.bary.cpu()))

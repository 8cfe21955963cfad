"""Rasteriser, cameras, light and maps against pytorch3d's CPU rasteriser and the releases' renderer."""

import re
from typing import Any

import pytest
import torch
from torch import Tensor

from faceforge.face3d.camera import Perspective, ScaledOrthographic, ndc
from faceforge.face3d.light import FACTORS, lamp_shading, point_shading, shade
from faceforge.face3d.maps import Texture, View, magicportrait, published, rigface, written
from faceforge.face3d.mesh import vertex_normals
from faceforge.face3d.raster import Fragments, rasterize
from tests.parity.golden import Case, cases, close, read


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return read(request.param)


def settings(case: Case) -> dict[str, dict[str, Any]]:
    return {name: each for name, each in case.facts["settings"].items() if isinstance(each, dict)}


def drawn(case: Case, setting: dict[str, Any]) -> Fragments:
    return rasterize(
        vertices(case, setting),
        faces(case, setting),
        tuple(setting["image_size"]),
        cull_backfaces=setting.get("cull_backfaces", False),
        perspective_correct=setting.get("perspective_correct", False),
        z_clip=setting.get("z_clip_value"),
    )


def vertices(case: Case, setting: dict[str, Any]) -> Tensor:
    if "camera" not in setting:
        return case[setting.get("verts", "verts")]
    return camera(case, setting["camera"]).project(case["verts_world"], tuple(setting["image_size"]))


def camera(case: Case, words: str) -> Perspective:
    fov = re.search(r"fov ([\d.]+) deg", words)
    assert fov
    return Perspective(case["R"], case["T"], fov_deg=float(fov[1]))


def faces(case: Case, setting: dict[str, Any]) -> Tensor:
    name, _, rest = setting.get("faces", "faces").partition("[:-")
    return case[name][: -int(rest.rstrip("]"))] if rest else case[name]


def agrees(case: Case, name: str, found: Fragments, share: float) -> None:
    """Faces equal but for a share of the pixels; depths and weights equal where faces are."""
    expected = case[f"{name}/pix_to_face"][..., 0]
    same = found.pix_to_face == expected
    assert float((~same).float().mean()) <= share
    close(found.zbuf[same], case[f"{name}/zbuf"][..., 0][same], 1e-5)
    close(found.bary[same], case[f"{name}/bary_coords"][..., 0, :][same], 1e-4)


@cases("face3d", "ortho")
def test_overlapping_spheres_are_drawn_exactly(case: Case) -> None:
    for name, setting in settings(case).items():
        found = drawn(case, setting)
        assert torch.equal(found.pix_to_face, case[f"{name}/pix_to_face"][..., 0].long())
        agrees(case, name, found, 0)


@cases("face3d", "soup")
def test_triangles_of_every_awkward_kind_are_drawn_alike(case: Case) -> None:
    for name, setting in settings(case).items():
        found = drawn(case, setting)
        agrees(case, name, found, 0 if setting["cull_backfaces"] else 0.03)
        close(found.zbuf, case[f"{name}/zbuf"][..., 0], 1e-5)


@cases("face3d", "persp")
def test_perspective_and_clipping_agree(case: Case) -> None:
    for name, setting in settings(case).items():
        agrees(case, name, drawn(case, setting), 1e-3)


@cases("face3d", "verts_ndc")
def test_a_perspective_camera_projects_alike(case: Case) -> None:
    words = next(each["camera"] for each in settings(case).values() if "camera" in each)
    found = camera(case, words).project(case["verts_world"], (1, 1))
    in_front = case["verts_ndc"][..., 2] > 0.1
    close(found[in_front], case["verts_ndc"][in_front], 1e-5)


@cases("face3d", "sh_shading")
def test_harmonics_shade_alike(case: Case) -> None:
    close(torch.tensor(FACTORS), case["constant_factor"], 1e-6)
    shading = shade(case["normal_images"].permute(0, 2, 3, 1), case["sh_coeff"]).permute(0, 3, 1, 2)
    close(shading, case["sh_shading"], 1e-5)
    close(case["albedo"] * shading * case["alpha"], case["shaded"], 1e-5)


@cases("face3d", "point_shading")
def test_lamps_shade_alike(case: Case) -> None:
    close(point_shading(case["points"], case["normals"], case["lights"]), case["point_shading"], 1e-5)
    close(lamp_shading(case["normals"], case["lights"]), case["direction_shading"], 1e-5)


def sizes(case: Case) -> list[tuple[str, tuple[int, int]]]:
    """Each group of recorded maps and the size of its pictures."""
    groups = {key.partition("/")[0]: value.shape for key, value in case.tensors.items() if "/raster_attr" in key}
    return [(name, (shape[-2], shape[-1])) for name, shape in groups.items()]


def view(case: Case, size: tuple[int, int]) -> View:
    return View.of(ndc(case["trans_vertices"], size), case["faces"], size)


def nearly(found: Tensor, expected: Tensor, atol: float = 1e-4) -> None:
    """Within a tolerance but for one pixel in a thousand, which may lie on an edge."""
    assert found.shape == expected.shape
    apart = ((found.double() - expected.double()).abs() > atol).any(1)
    assert float(apart.double().mean()) <= 1e-3


@cases("face3d", "uvfaces")
def test_the_orthographic_camera_projects_alike(case: Case) -> None:
    close(ScaledOrthographic(case["cam"]).image(case["vertices"], (1, 1)), case["trans_vertices"], 1e-5)


@cases("face3d", "uvfaces")
def test_pictures_of_every_shape_hold_the_same_attributes(case: Case) -> None:
    for name, size in sizes(case):
        expected = case[f"{name}/raster_attributes"]
        seen = view(case, size)
        parts = [seen.attribute(case["vertices"])]
        if expected.shape[1] == 7:
            parts.append(seen.normals(vertex_normals(case["vertices"], case["faces"])))
        nearly(torch.cat([*parts, seen.coverage], 1), expected, 2e-4)


@cases("face3d", "uvfaces")
def test_maps_are_those_of_the_releases(case: Case) -> None:
    texture = Texture(case["albedo"], case["uv"], case["uvfaces"])
    normals, z = vertex_normals(case["vertices"], case["faces"]), case["trans_vertices"][..., 2]
    for name, size in sizes(case):
        if f"{name}/images" not in case.tensors:
            continue
        seen = view(case, size)
        found = published(seen, z, normals, texture, case["sh_coeff"])
        close(normals, case[f"{name}/normals"], 1e-4)
        nearly(found.render, case[f"{name}/images"])
        nearly(found.normal, case[f"{name}/normal_images"], 2e-4)
        nearly(seen.coverage, case[f"{name}/alpha_images"])
        nearly(seen.albedo_published(texture), case[f"{name}/albedo_images"])
        nearly(seen.grid(texture), case[f"{name}/grid"].permute(0, 3, 1, 2))
        nearly(seen.shading(found.normal, case["sh_coeff"]), case[f"{name}/shading_images"])
        nearly(seen.depth_in_call(z), case[f"{name}/depth_images"])


@cases("face3d", "uvfaces")
def test_bytes_are_those_of_the_releases(case: Case) -> None:
    texture = Texture(case["albedo"], case["uv"], case["uvfaces"])
    normals, z = vertex_normals(case["vertices"], case["faces"]), case["trans_vertices"][..., 2]
    for name, size in sizes(case):
        if f"{name}/images_u8" not in case.tensors:
            continue
        seen = view(case, size)
        maps = magicportrait(seen, z, normals, texture, case["sh_coeff"])
        nearly(written(maps.render), case[f"{name}/images_u8"], 1)
        nearly(written(maps.normal), case[f"{name}/normal_images_u8"], 1)
        nearly(written(rigface(seen, normals, texture, case["sh_coeff"])), case[f"{name}/images_u8"], 1)
        in_call = written(seen.depth_in_call(z)).expand(-1, 3, -1, -1)
        nearly(in_call, case[f"{name}/depth_images_u8"].expand(-1, 3, -1, -1), 1)

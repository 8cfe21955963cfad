"""Hopeless input to cameras, light and maps is refused in words, and hopeless geometry gives whole pictures."""

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest
import torch
from torch import Tensor

from faceforge.errors import BadMesh
from faceforge.face3d.camera import Perspective, ScaledOrthographic, ndc
from faceforge.face3d.light import Lamp, Studio, lamp_shading, point_shading, rotated, shade
from faceforge.face3d.maps import Texture, View, clean, flame_texture, magicportrait
from faceforge.face3d.raster import interpolate, interpolate_vertices, rasterize
from tests.face3d.shapes import ball

VERTICES, FACES = ball()
HEADS = VERTICES[None]
SIZE = (8, 8)
SEEN = rasterize(HEADS, FACES, SIZE)
VIEW = View(SEEN, FACES)
UV, UV_FACES = torch.rand(9, 2, generator=torch.Generator().manual_seed(1)), FACES % 9
PLAIN = Texture(torch.ones(1, 3, 4, 4), UV, UV_FACES)
EYE, UNIT, ORIGIN = torch.tensor([[0.0, 0.0, 4.0]]), torch.eye(3)[None], torch.zeros(1, 3)
SPACE = (torch.zeros(512, 512, 3), torch.zeros(512, 512, 3, 4))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ScaledOrthographic(torch.full((1, 3), nan)), "number .* is nan"),
        (lambda: ScaledOrthographic(torch.zeros(1, 2)), r"\(1, 2\); expected \(B, 3\)"),
        (lambda: ScaledOrthographic(torch.ones(2, 3)).project(HEADS.expand(3, -1, -1), SIZE), "2 rows for 3"),
        (lambda: ScaledOrthographic(torch.ones(1, 3), torch.zeros(1, 2, 3)), "crop of shape"),
        (lambda: ScaledOrthographic(torch.ones(1, 3), torch.zeros(1, 3, 3)).project(HEADS, SIZE), "Crop 0"),
        (lambda: ScaledOrthographic.framing(torch.zeros(1, 4, 3)), "in one place"),
        (lambda: ScaledOrthographic.framing(torch.zeros(1, 0, 3)), "in one place"),
        (lambda: ScaledOrthographic.framing(HEADS, fill=nan), "fill=nan"),
        (lambda: ScaledOrthographic.framing(HEADS, fill=-1.0), "fill=-1.0"),
        (lambda: ScaledOrthographic.framing(HEADS * inf), "number"),
        (lambda: ndc(HEADS, (0, 4)), r"size \(0, 4\)"),
        (lambda: Perspective(torch.eye(3), torch.zeros(3)), "rotation of shape"),
        (lambda: Perspective(UNIT * nan, ORIGIN), "rotation: number"),
        (lambda: Perspective(UNIT, ORIGIN, inf), "fov_deg=inf"),
        (lambda: Perspective(UNIT, ORIGIN, "wide"), "fov_deg='wide'"),  # type: ignore[arg-type]
        (lambda: Perspective.at(EYE, EYE), "stands in its target"),
        (lambda: Perspective.at(EYE * nan, ORIGIN), "place: number"),
        (lambda: shade(torch.zeros(1, 4, 3), torch.full((1, 9, 3), nan)), "Light: number"),
        (lambda: shade(torch.zeros(3, 4, 3), torch.zeros(2, 9, 3)), "2 rows for 3"),
        (lambda: rotated(torch.zeros(1, 9, 3), torch.eye(3)), "rotation of shape"),
        (lambda: Lamp((0, 0, 1), nan), "irradiance=nan"),
        (lambda: Lamp((nan, 0, 1), 1.0), "direction=nan"),
        (lambda: Lamp((0, 1), 1.0), "expected three"),  # type: ignore[arg-type]
        (lambda: Studio(nan), "ambient=nan"),
        (lambda: Studio(1.0, colour=(inf, 0, 0)), "colour=inf"),
        (lambda: point_shading(HEADS, HEADS, torch.zeros(1, 2, 3)), r"expected \(B, n, 6\)"),
        (lambda: lamp_shading(HEADS, torch.full((1, 2, 6), nan)), "Lights: number"),
        (lambda: interpolate(SEEN, torch.zeros(3, 3, 2)), "beyond the 3"),
        (lambda: interpolate(SEEN, torch.zeros(len(FACES), 2)), "expected"),
        (lambda: interpolate_vertices(SEEN, torch.zeros(1, 5, 2), FACES), "beyond the 5"),
        (lambda: interpolate_vertices(SEEN, HEADS, FACES[:5]), "beyond the 5"),
        (lambda: interpolate_vertices(SEEN, HEADS * nan, FACES), "number"),
        (lambda: interpolate_vertices(SEEN, HEADS.expand(2, -1, -1), FACES), "2 rows for 1"),
        (lambda: VIEW.depth(torch.zeros(1, 5)), "beyond the 5"),
        (lambda: VIEW.depth(torch.full((1, len(VERTICES)), nan)), "Depths: number"),
        (lambda: VIEW.normals(torch.zeros(1, 5, 3)), "beyond the 5"),
        (lambda: Texture(torch.full((1, 3, 4, 4), nan), UV, UV_FACES), "texture: number"),
        (lambda: Texture(torch.ones(1, 3, 0, 4), UV, UV_FACES), "at least one pixel"),
        (lambda: Texture(torch.ones(1, 3, 4, 4), UV / 0, UV_FACES), "coordinates: number"),
        (lambda: Texture(torch.ones(1, 3, 4, 4), torch.zeros(9, 3), UV_FACES), "coordinates of shape"),
        (lambda: Texture(torch.ones(1, 3, 4, 4), UV, UV_FACES + 9), "beyond the 9"),
        (lambda: VIEW.albedo(Texture(torch.ones(3, 3, 4, 4), UV, UV_FACES)), "3 rows for 1"),
        (lambda: flame_texture(torch.zeros(64, 64, 3), torch.zeros(64, 64, 3, 4), torch.zeros(1, 4)), "256 pixels"),
        (lambda: flame_texture(*SPACE, torch.full((1, 4), nan)), "Coefficients .* number"),
        (lambda: flame_texture(*SPACE, torch.zeros(4)), "Coefficients .* shape"),
    ],
)
def test_what_makes_no_picture_is_refused_in_words(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(BadMesh, match=words):
        make()


@pytest.mark.parametrize(
    ("vertices", "faces", "size"),
    [
        (HEADS, FACES, (1, 1)),
        (HEADS * torch.tensor([1.0, 1.0, -1.0]), FACES, (6, 6)),
        (torch.ones_like(HEADS), FACES, (6, 6)),
        (HEADS * torch.tensor([1.0, 0.0, 1.0]), FACES, (6, 6)),
        (HEADS * 1e20, FACES, (6, 6)),
        (HEADS * 1e-20, FACES, (6, 6)),
        (HEADS, FACES[:0], (4, 5)),
        (HEADS[:, :0], FACES[:0], (4, 5)),
        (HEADS[:0], FACES, (4, 5)),
    ],
    ids=["one pixel", "behind", "a point", "a line", "giant", "tiny", "no faces", "no vertices", "no heads"],
)
@pytest.mark.parametrize("maps", [clean, magicportrait])
@pytest.mark.parametrize("perspective", [False, True])
def test_hopeless_geometry_gives_whole_pictures(
    vertices: Tensor, faces: Tensor, size: tuple[int, int], maps: Callable[..., Any], perspective: bool
) -> None:
    view = View.of(vertices, faces, size, perspective_correct=perspective)
    texture = Texture(PLAIN.pixels, PLAIN.uv, faces % 9)
    z = vertices[..., 2].clamp(-1e10, 1e10)
    made = maps(view, z, torch.nan_to_num(vertices.clamp(-1, 1)), texture, torch.ones(1, 9, 3))
    for each in vars(made).values():
        assert each.shape == (len(vertices), 3, *size)
        assert bool(each.isfinite().all())

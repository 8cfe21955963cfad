"""Laws of spherical-harmonic light: it adds up, it turns, and it is close to a cosine."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from faceforge.errors import BadMesh
from faceforge.face3d.light import (
    PRESETS,
    Lamp,
    ambient,
    directional,
    lamp_shading,
    point_shading,
    preset,
    preview_lights,
    rotated,
    shade,
)


def normals(count: int = 4000, seed: int = 0) -> Tensor:
    return F.normalize(torch.randn(1, count, 3, generator=torch.Generator().manual_seed(seed)), dim=2)


def rotations(count: int, seed: int) -> Tensor:
    matrices = torch.randn(count, 3, 3, generator=torch.Generator().manual_seed(seed))
    orthogonal = torch.linalg.qr(matrices).Q
    return orthogonal * orthogonal.det().sign()[:, None, None]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_turned_light_shades_turned_normals_as_before(seed: int) -> None:
    light = torch.randn(2, 9, 3, generator=torch.Generator().manual_seed(seed))
    turn = rotations(2, seed)
    seen = normals(50, seed).expand(2, -1, -1)
    torch.testing.assert_close(shade(seen @ turn.mT, rotated(light, turn)), shade(seen, light), atol=2e-5, rtol=0)


def test_one_rotation_turns_all_lights() -> None:
    light, turn = torch.randn(3, 9, 3), rotations(1, 4)
    torch.testing.assert_close(rotated(light, turn), rotated(light, turn.expand(3, -1, -1)))


@pytest.mark.parametrize("direction", [(0, 0, 1), (0.3, -0.4, 0.8), (-1, 1, 1)])
def test_a_lamp_is_close_to_a_clamped_cosine(direction: tuple[float, float, float]) -> None:
    lamp = Lamp(direction, 2.0, (1.0, 0.5, 0.0))
    cosine = (normals() @ F.normalize(torch.tensor(direction, dtype=torch.float32), dim=0)).clamp(min=0)
    found = shade(normals(), directional(lamp)[None])
    for channel, colour in enumerate(lamp.colour):
        apart = found[..., channel] - 2.0 * colour * cosine
        assert float(apart.abs().max()) <= 0.1 * 2.0 * colour  # two bands of harmonics come no closer
        assert abs(float(apart.mean())) <= 0.01


def test_ambient_light_shades_all_normals_equally() -> None:
    found = shade(normals(), ambient(0.7, (1.0, 0.5, 0.25))[None])
    torch.testing.assert_close(found, torch.tensor([0.7, 0.35, 0.175]).expand_as(found))


def test_light_adds_up() -> None:
    one, two = directional(Lamp((1, 0, 0), 1.0))[None], directional(Lamp((0, 1, 1), 0.5))[None]
    torch.testing.assert_close(shade(normals(), one + two), shade(normals(), one) + shade(normals(), two))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_lights_the_face_without_glare_or_night(name: str) -> None:
    found = shade(normals(), preset(name))
    front = shade(torch.tensor([[[0.0, 0, 1]]]), preset(name))
    assert 0.2 <= float(front.mean()) <= 1.2
    assert -0.1 <= float(found.min()) <= float(found.max()) <= 1.8


def test_left_and_right_are_the_picture_s() -> None:
    left_cheek = torch.tensor([[[-1.0, 0, 0]]])
    assert float(shade(left_cheek, preset("left")).mean()) > 2 * float(shade(left_cheek, preset("right")).mean())


def test_an_unknown_preset_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadMesh, match="Did you mean 'studio'"):
        preset("studo")


def test_a_lamp_without_direction_is_refused() -> None:
    with pytest.raises(BadMesh, match="expected a direction"):
        directional(Lamp((0, 0, 0), 1.0))


@pytest.mark.parametrize("shape", [(9, 3), (1, 3, 9), (27,)])
def test_light_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadMesh, match=r"expected \(B, 9, 3\)"):
        shade(normals(4), torch.zeros(shape))


def test_gradients_of_shading_are_those_of_finite_differences() -> None:
    seen = normals(5).double().requires_grad_()
    light = torch.randn(1, 9, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(shade, (seen, light))
    assert torch.autograd.gradcheck(rotated, (light, rotations(1, 0).double()))


def test_the_grey_preview_lights_a_face_from_the_front() -> None:
    front, back = torch.tensor([[[0.0, 0, 1]]]), torch.tensor([[[0.0, 0, -1]]])
    assert float(lamp_shading(front, preview_lights()).mean()) > 0.9
    assert not lamp_shading(back, preview_lights()).any()


def test_a_point_light_far_away_is_a_directional_one_in_front() -> None:
    towards = F.normalize(torch.tensor([0.2, 0.3, 1.0]), dim=0)
    seen = normals(100)
    seen = seen * torch.where(seen @ towards > 0, 1, -1)[..., None]
    colour = torch.tensor([1.0, 0.8, 0.6])
    far, near = (torch.cat([towards * distance, colour]).view(1, 1, 6) for distance in (1e6, 1))
    torch.testing.assert_close(
        point_shading(torch.zeros_like(seen), seen, far), lamp_shading(seen, near), atol=1e-5, rtol=0
    )

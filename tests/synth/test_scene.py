"""Backgrounds and what stands before a face: numbers only, at any size, each picture for itself."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import avg_pool2d

from faceforge.errors import BadSpec
from faceforge.synth import occluders, places
from faceforge.synth.backdrop import paint
from faceforge.synth.draws import Draws
from faceforge.synth.occluders import Occluder, Person, Stroke, draw
from faceforge.synth.scene import Box, Disc, Scene, surroundings

GREY = (0.2, 0.2, 0.2)
PLAIN = Scene("wall", (GREY, GREY, GREY, GREY))


def scenes(kind: str, count: int = 4) -> list[Scene]:
    return [places.of_kind(kind, Draws(seed, "scene")) for seed in range(count)]


@pytest.mark.parametrize("kind", places.KINDS)
def test_scenes_are_light_and_differ(kind: str) -> None:
    pictures = paint(scenes(kind), 48)
    assert pictures.shape == (4, 3, 48, 48)
    assert pictures.isfinite().all()
    assert pictures.min() >= 0
    assert 0.001 < pictures.mean() < 2
    assert (pictures[0] - pictures[1]).abs().mean() > 0.005


@pytest.mark.parametrize("kind", places.KINDS)
def test_a_scene_looks_the_same_at_every_size(kind: str) -> None:
    large, small = (paint(scenes(kind), size).clamp(max=1) for size in (512, 128))
    difference = (avg_pool2d(large, 4) - small).abs()
    assert difference.mean() < 0.003
    assert (difference > 0.1).float().mean() < 0.001


@pytest.mark.parametrize("kind", places.KINDS)
def test_a_scene_does_not_depend_on_its_neighbours(kind: str) -> None:
    others = [places.sample(Draws(seed, "other")) for seed in range(4)]
    one = scenes(kind, 1)
    together = paint([*others[:2], *one, *others[2:]], 32)[2:3]
    torch.testing.assert_close(together, paint(one, 32), rtol=0, atol=1e-5)


def test_a_scene_is_its_numbers() -> None:
    assert places.sample(Draws(5, "scene")) == places.sample(Draws(5, "scene"))
    assert places.sample(Draws(5, "scene")) != places.sample(Draws(6, "scene"))


def test_the_first_wall_is_the_one_we_published() -> None:
    assert places.of_kind("wall", Draws(1, "scene")).wash[0] == (0.35759, 0.401687, 0.34297)
    assert surroundings(places.of_kind("indoor", Draws(1, "scene"))).left == (0.203131, 0.218556, 0.229451)


def test_all_kinds_are_drawn() -> None:
    assert {places.sample(Draws(seed)).kind for seed in range(300)} == set(places.KINDS)


@pytest.mark.parametrize("kind", places.KINDS)
def test_surroundings_are_about_what_is_painted(kind: str) -> None:
    some = scenes(kind, 12)
    for scene, picture in zip(some, paint(some, 64).clamp(max=3), strict=True):
        around = surroundings(scene)
        painted = [picture[..., :26], picture[..., 38:], picture[:, :26], picture[:, 38:]]
        told = torch.tensor([around.left, around.right, around.top, around.bottom]).mean(dim=1)
        ratio = (told + 0.02) / (torch.stack([side.mean() for side in painted]) + 0.02)
        assert ((ratio > 0.4) & (ratio < 2.2)).all()
        assert 0.6 < ratio.mean() < 1.5


def test_a_plain_scene_is_plain() -> None:
    picture = paint([PLAIN], 16)
    torch.testing.assert_close(picture, torch.full_like(picture, 0.2))
    assert surroundings(PLAIN) == (GREY, GREY, GREY, GREY)


def test_boxes_hide_and_lights_add() -> None:
    red = Box(-0.25, 0.0, 0.1, 0.6, (0.8, 0.0, 0.0))
    lamp = Disc(0.25, 0.0, 0.1, (1.0, 1.0, 1.0))
    picture = paint([replace(PLAIN, boxes=(red,), lights=(lamp,), blur=0.0)], 32)[0]
    torch.testing.assert_close(picture[:, 16, 8], torch.tensor([0.8, 0.0, 0.0]))
    torch.testing.assert_close(picture[:, 16, 24], torch.tensor([1.2, 1.2, 1.2]))
    torch.testing.assert_close(picture[:, 16, 16], torch.tensor(GREY))


@pytest.mark.parametrize("size", [1, (1, 20), (30, 1), (24, 40)])
def test_scenes_of_any_size_are_painted(size: int | tuple[int, int]) -> None:
    picture = paint([places.sample(Draws(2))], size)
    assert picture.shape[2:] == ((size, size) if isinstance(size, int) else size)
    assert picture.isfinite().all()


def test_impossible_paintings_are_refused() -> None:
    for some, size in (([], 8), ([PLAIN], 0), ([PLAIN], (8, -1))):
        with pytest.raises(BadSpec, match="Give"):
            paint(some, size)


def test_unknown_kinds_are_refused_with_the_nearest() -> None:
    with pytest.raises(BadSpec, match="'street'"):
        places.of_kind("streets", Draws(1))
    with pytest.raises(BadSpec, match="'scarf'"):
        occluders.of_kind("scarfs", Draws(1))


@pytest.mark.parametrize("kind", occluders.KINDS)
def test_occluders_cover_a_part_of_the_picture(kind: str) -> None:
    some = [occluders.of_kind(kind, Draws(seed)) for seed in range(8)]
    rgba = draw(some, 64)
    alpha = rgba[:, 3]
    assert rgba.isfinite().all()
    assert ((alpha >= 0) & (alpha <= 1)).all()
    assert (rgba[:, :3] >= 0).all()
    assert 0.003 < alpha.mean() < 0.45


@pytest.mark.parametrize("kind", occluders.KINDS)
def test_an_occluder_looks_the_same_at_every_size_and_in_company(kind: str) -> None:
    one = occluders.of_kind(kind, Draws(1))
    large, small = (draw([one], size) for size in (512, 128))
    assert (avg_pool2d(large, 4) - small).abs().mean() < 0.004
    company = draw([occluders.of_kind("mug", Draws(2)), one, None], 128)
    torch.testing.assert_close(company[1:2], small, rtol=0, atol=1e-5)
    assert company[2].count_nonzero() == 0


def test_a_stroke_fills_its_radius_and_moves_with_the_face() -> None:
    dot = Occluder("dot", (Stroke(0.0, 0.0, 0.0, 0.0, 0.1, 0.1, (1.0, 1.0, 1.0), relief=0.0),))
    here, there = draw([dot, dot.placed(0.25, -0.125, 0.5)], 64)[:, 3]
    assert float(here.mean()) == pytest.approx(torch.pi * 0.1**2, rel=0.03)
    assert float(there.mean()) == pytest.approx(torch.pi * 0.05**2, rel=0.05)
    assert there[24, 48] == 1
    assert here[24, 48] == 0


def test_hands_take_the_colour_of_the_person() -> None:
    person = Person(skin=(0.0, 0.5, 0.0), hair=(0.5, 0.0, 0.0))
    hand, hair = (draw([occluders.of_kind(kind, Draws(1), person)], 64)[0] for kind in ("hand", "strands"))
    assert hand[0].sum() == 0 < hand[1].sum()
    assert hair[1].sum() == 0 < hair[0].sum()


def test_occluders_are_rare() -> None:
    found = [occluders.sample(Draws(seed)) for seed in range(600)]
    assert 40 < sum(one is not None for one in found) < 110
    assert {one.kind for one in found if one} == set(occluders.KINDS)

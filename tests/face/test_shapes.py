import numpy as np
import pytest
import torch

from faceforge.face.shapes import Shapes
from faceforge.face.squares import MIRRORED, cut, lattice, rotation, upright

RANDOM = np.random.default_rng(3)
MEAN = RANDOM.uniform(-0.5, 0.5, (70, 2))
WAYS = RANDOM.normal(0, 0.03, (5, 70, 2))


def faces(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Shapes in which yaw and pitch are the first two of five ways to differ."""
    amounts = np.random.default_rng(4).normal(size=(count, 5))
    return MEAN + np.tensordot(amounts, WAYS, 1), 10 * amounts[:, :2]


def known() -> Shapes:
    return Shapes.learned(*faces(400), kept=8)


def test_a_face_that_was_moved_turned_and_shrunk_is_found_again() -> None:
    points, angles = faces(401)
    turn = rotation(torch.tensor([0.4], dtype=torch.float64))[0].numpy()
    moved = 120 * points[400] @ turn.T + (300, 200)
    fit = known().fit(moved, np.full(70, 0.5))
    assert np.abs(fit.points - moved).max() < 1.0
    assert known().yaw_pitch_deg(fit.coefficients) == pytest.approx(tuple(angles[400]), abs=2.5)


def test_points_that_are_wildly_wrong_do_not_move_the_face() -> None:
    moved = 120 * faces(401)[0][400] + (300, 200)
    wrong = moved.copy()
    wrong[::9] += (60, -40)
    fit = known().fit(wrong, np.full(70, 0.5))
    assert np.abs(fit.points - moved).max() < 2.0


def test_a_point_that_nobody_is_sure_of_is_filled_in_by_the_others() -> None:
    moved = 120 * faces(401)[0][400] + (300, 200)
    blind, deviation = moved.copy(), np.full(70, 0.5)
    blind[:17], deviation[:17] = 0, 500.0
    assert np.abs(known().fit(blind, deviation).points - moved).max() < 3.0


def test_shapes_come_back_from_their_tensors() -> None:
    again = Shapes.of(known().stored())
    assert np.array_equal(again.basis, known().basis)


def test_mirroring_twice_is_no_mirroring() -> None:
    assert [MIRRORED[MIRRORED[each]] for each in range(70)] == list(range(70))


def test_an_upright_square_turns_with_the_face() -> None:
    points = torch.from_numpy(faces(1)[0] * 100)
    middle, side, roll = upright(points)
    turn = rotation(torch.tensor([0.7], dtype=torch.float64))
    turned = upright(points @ turn.mT)
    torch.testing.assert_close(turned[0], torch.einsum("bij,bj->bi", turn, middle))
    torch.testing.assert_close(turned[1], side)
    assert float(turned[2] - roll) == pytest.approx(0.7)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_square_that_is_cut_at_its_own_pixels_keeps_them(factor: int) -> None:
    picture = torch.rand(1, 1, 16, 24).repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    middle = torch.tensor([8.0 * factor, 9.0 * factor])
    places = lattice(8, picture.device)[None] * 8 * factor + middle
    found = cut(picture, places, torch.tensor([float(factor)]))
    torch.testing.assert_close(
        found, picture[:, :, 5 * factor : 13 * factor : factor, 4 * factor : 12 * factor : factor]
    )

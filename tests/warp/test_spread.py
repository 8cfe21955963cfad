"""Continuations and masks on grids, against slower ways to say the same."""

import pytest
import torch
from torch.nn.functional import interpolate, max_pool2d

from faceforge.warp.spread import continued, distance, enlarged, grown, outline


def scattered(*shape: int, share: float = 0.3) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(3)) < share


@pytest.mark.parametrize(("coarse", "fine"), [((5, 7), (20, 27)), ((1, 1), (4, 3)), ((6, 2), (6, 8)), ((9, 9), (9, 9))])
def test_enlarging_by_columns_and_then_rows_is_bilinear(coarse: tuple[int, int], fine: tuple[int, int]) -> None:
    values = torch.rand(2, 3, *coarse)
    torch.testing.assert_close(enlarged(values, fine), interpolate(values, fine, mode="bilinear"))
    torch.testing.assert_close(enlarged(values[0], fine), enlarged(values, fine)[0])


@pytest.mark.parametrize("by", [1, 2, 5])
@pytest.mark.parametrize("size", [(30, 41), (3, 50), (1, 1)])
def test_a_mask_grows_by_so_many_rows_and_columns(by: int, size: tuple[int, int]) -> None:
    mask = scattered(*size, share=0.03)
    wanted = max_pool2d(mask[None, None].float(), 2 * by + 1, stride=1, padding=by)[0, 0] > 0
    assert torch.equal(grown(mask, by), wanted)


def test_an_outline_belongs_to_the_mask_and_touches_its_outside() -> None:
    mask = torch.zeros(9, 9, dtype=torch.bool)
    mask[2:7, 2:7] = True
    assert outline(mask).sum() == 16
    assert not outline(mask)[3:6, 3:6].any()


@pytest.mark.parametrize("by", [2, 4])
def test_several_weights_at_once_continue_the_values_as_one_after_the_other(by: int) -> None:
    values, weights = torch.rand(3, 37, 52), scattered(4, 37, 52).float()
    alone = torch.stack([continued(values, weight, by) for weight in weights])
    torch.testing.assert_close(continued(values, weights, by), alone)


def test_known_values_stay_and_a_plain_one_goes_on_everywhere() -> None:
    weight = scattered(40, 40).float()
    plain = torch.where(weight > 0, 0.7, 5.0)[None]
    torch.testing.assert_close(continued(plain, weight), torch.full((1, 40, 40), 0.7))
    values = torch.rand(1, 40, 40)
    torch.testing.assert_close(continued(values, weight)[:, weight > 0], values[:, weight > 0])


def test_distance_is_none_within_and_grows_without() -> None:
    inside = torch.zeros(240, 240, dtype=torch.bool)
    inside[:, :120] = True
    away = distance(inside, (240, 240))
    assert not away[:, :108].any()
    assert abs(float(away[120, 228] - away[120, 168]) - 60) < 1
    assert not distance(torch.ones_like(inside), (8, 8)).any()
    assert bool(distance(~torch.ones_like(inside), (8, 8)).isinf().all())

"""Noise that is the same everywhere: its bits, its spread, its smoothness."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from faceforge.errors import BadSpec
from faceforge.synth import noise

SEEDS = torch.tensor([3, 2**31 - 1, 0])
GENERATOR = torch.Generator().manual_seed(0)
PLANE = torch.rand(3, 40, 40, 2, generator=GENERATOR) * 30 - 15
SPACE = torch.rand(3, 40, 40, 3, generator=GENERATOR) * 30 - 15
AT_POINTS = [noise.value_noise, noise.fbm, noise.ridged, noise.cell_noise]


def mixed(word: int) -> int:
    """The hash in unbounded integers."""
    word ^= word >> 16
    word = word * 0x7FEB352D % 2**32
    word ^= word >> 15
    word = word * 0x31848BAB % 2**32
    return word ^ (word >> 16)


def test_hashes_equal_those_of_unbounded_integers() -> None:
    keys = [(0, 0), (1, -1), (-7, 12345), (2**31 - 1, -(2**31))]
    for seed in (0, 5, 2**31 - 1, 2**62 + 12345):
        for x, y in keys:
            word = mixed((seed ^ (seed >> 32)) % 2**32) ^ (x * 0x27D4EB2F % 2**32) ^ (y * 0x165667B1 % 2**32)
            ints = [torch.tensor([key], dtype=torch.int32) for key in (x, y)]
            assert int(noise.hashed(torch.tensor([seed]), *ints)) % 2**32 == mixed(word)


def test_white_noise_is_the_one_we_published() -> None:
    assert noise.white(torch.tensor([7]), 3).mul(2**24).int().tolist() == [[12006345, 12061284, 5191583]]


def test_white_noise_fills_the_unit_interval_evenly() -> None:
    values = noise.white(SEEDS, 100, 100)
    assert values.min() >= 0
    assert values.max() < 1
    counts = torch.histc(values, 20, 0, 1) / values.numel()
    torch.testing.assert_close(counts, torch.full((20,), 0.05), rtol=0, atol=0.004)


def test_neighbouring_pixels_and_seeds_of_white_noise_are_strangers() -> None:
    values = noise.white(torch.arange(8), 64, 64) - 0.5
    for left, right in (
        (values[:, 1:], values[:, :-1]),
        (values[..., 1:], values[..., :-1]),
        (values[1:], values[:-1]),
    ):
        assert abs(float((left * right).mean()) * 12) < 0.03


def test_gaussian_noise_has_the_moments_of_a_normal_variable() -> None:
    values = noise.gaussian(SEEDS, 200, 200)
    assert abs(float(values.mean())) < 0.01
    assert float(values.std()) == pytest.approx(1, abs=0.01)
    assert abs(float((values**3).mean())) < 0.03
    assert float((values**4).mean()) == pytest.approx(2.7, abs=0.08)  # 3 - 6/(5 * 4): four uniform numbers added up


@pytest.mark.parametrize("function", AT_POINTS)
@pytest.mark.parametrize("points", [PLANE, SPACE], ids=["plane", "space"])
def test_noise_at_points_stays_in_the_unit_interval_and_varies(function: Callable[..., Tensor], points: Tensor) -> None:
    values = function(points, SEEDS)
    assert values.shape == points.shape[:-1]
    assert values.min() >= 0
    assert values.max() <= 1
    assert values.std() > 0.08


@pytest.mark.parametrize("function", AT_POINTS)
def test_noise_of_one_picture_does_not_depend_on_its_neighbours(function: Callable[..., Tensor]) -> None:
    torch.testing.assert_close(function(PLANE, SEEDS)[1:2], function(PLANE[1:2], SEEDS[1:2]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("function", AT_POINTS)
@pytest.mark.parametrize(
    "points", [PLANE, SPACE, PLANE.round(), SPACE.round()], ids=["2d", "3d", "2d cells", "3d cells"]
)
def test_noise_is_continuous_also_where_cells_meet(function: Callable[..., Tensor], points: Tensor) -> None:
    torch.testing.assert_close(function(points - 1e-5, SEEDS), function(points + 1e-5, SEEDS), rtol=0, atol=1e-3)


def test_seeds_change_everything() -> None:
    first, second = noise.value_noise(PLANE[:1], torch.tensor([1])), noise.value_noise(PLANE[:1], torch.tensor([2]))
    assert abs(float(torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1])) < 0.1


def test_grid_noise_looks_the_same_at_every_size() -> None:
    large, small = (noise.grid_noise(SEEDS, (side, side), [3.0, 5.0, 8.5], 3) for side in (256, 64))
    shrunk = torch.nn.functional.avg_pool2d(large[:, None], 4)[:, 0]
    torch.testing.assert_close(shrunk, small, rtol=0, atol=0.02)


def test_grid_noise_of_one_picture_does_not_depend_on_its_neighbours() -> None:
    together = noise.grid_noise(SEEDS, (32, 48), [2.0, 30.0, 7.0], 4)
    alone = noise.grid_noise(SEEDS[:1], (32, 48), [2.0], 4)
    assert torch.equal(together[:1], alone)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (40, 7)])
def test_grid_noise_of_any_size_is_in_the_unit_interval(size: tuple[int, int]) -> None:
    values = noise.grid_noise(SEEDS, size, 4, 3)
    assert values.shape == (3, *size)
    assert ((values >= 0) & (values <= 1)).all()


def test_stretched_grid_noise_changes_faster_across() -> None:
    values = noise.grid_noise(SEEDS, (64, 64), 3, stretch=5.0)
    assert values.diff(dim=2).abs().mean() > 3 * values.diff(dim=1).abs().mean()


@pytest.mark.parametrize(
    ("points", "seeds"),
    [
        (torch.zeros(3, 5, 4), SEEDS),
        (torch.zeros(2), SEEDS),
        (torch.zeros(3, 5, 2), SEEDS[:2]),
        (torch.zeros(3, 5, 2), SEEDS.float()),
    ],
)
def test_wrong_shapes_are_refused(points: Tensor, seeds: Tensor) -> None:
    with pytest.raises(BadSpec, match="Give"):
        noise.value_noise(points, seeds)


@pytest.mark.parametrize("cells", [0, -1.0, float("nan"), [1.0, 2.0], 1e9])
def test_impossible_cells_are_refused(cells: float) -> None:
    with pytest.raises(BadSpec, match="cells"):
        noise.grid_noise(SEEDS, (8, 8), cells)

"""Laws of the detectors: sizes as published, clips that do not mix, and defects that can be switched off."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from faceforge.errors import BadPicture
from faceforge.mer.detectors import DETECTORS, detector
from faceforge.mer.detectors.elrcn import HardLSTM
from faceforge.mer.detectors.htnet_crops import regions
from faceforge.mer.detectors.led import Leaky
from faceforge.mer.detectors.rcn_blocks import attention

SMALL: dict[str, dict[str, Any]] = {
    "htnet": {"dim": 12, "block_repeats": (1, 1, 1)},
    "elrcn": {"side": 32, "units": 8, "streams": (3, 1)},
}
SHAPES = {"offapexnet": (2, 28, 28), "led": (1, 6, 64, 64), "elrcn": (3, 4, 32, 32)}  # of others: 3 channels, SIDE
SIZES = {  # measured on the public code: (maps, side of the pooled features, classes)
    (64, 5, 12): {"a": 65_548, "s": 102_604, "w": 62_476, "p": 140_876, "c": 140_876, "f": 62_476},
    (64, 7, 3): {"a": 55_747, "s": 92_803, "w": 52_675, "p": 131_075, "c": 131_075, "f": 52_675},
    (32, 5, 3): {"a": 15_331, "s": 24_643, "w": 13_795, "p": 33_539, "c": 33_539, "f": 13_795},
}


def small(name: str, **settings: Any) -> nn.Module:
    torch.manual_seed(0)
    return detector(name, **SMALL.get(name, {}), **settings).eval()


def pictures(name: str, rows: int = 2) -> Tensor:
    side = import_module(DETECTORS[name].partition(":")[0]).SIDE
    shape = SHAPES.get(name, (3, side, side))
    return torch.rand(rows, *shape, generator=torch.Generator().manual_seed(1))


def parameters(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


@pytest.mark.parametrize("name", DETECTORS)
def test_an_answer_does_not_depend_on_who_else_is_in_the_batch(name: str) -> None:
    network, batch = small(name, num_classes=5), pictures(name)
    with torch.no_grad():
        together, alone = network(batch), network(batch[1:])
    for several, one in zip(
        *((each if isinstance(each, tuple) else (each,)) for each in (together, alone)), strict=True
    ):
        torch.testing.assert_close(several[1:], one, atol=1e-5, rtol=1e-4)
    answers = together if isinstance(together, tuple) else (together,)
    assert answers[0].shape == (2, 5)


@pytest.mark.parametrize(("maps", "pooled", "classes"), SIZES)
def test_the_rcn_family_has_the_published_sizes(maps: int, pooled: int, classes: int) -> None:
    settings = {"featuremaps": maps, "pool_size": pooled, "num_classes": classes}
    for letter, expected in SIZES[maps, pooled, classes].items():
        assert parameters(detector(f"rcn_{letter}", **settings)) == expected, letter


@pytest.mark.parametrize(
    ("name", "classes", "expected"),
    [
        ("ststnet", 3, 1_683),
        ("ststnet", 12, 5_292),
        ("offapexnet", 3, 807_909),
        ("sssnet", 3, 1_349_251),
        ("htnet", 3, 139_582_982),
        ("ethnic_resnet_latefusion", 3, 33_536_202),
        ("elrcn", 5, 14_714_688 + 102_764_544 + 16_781_312 + 85_164_000 + 384_128 + 645),
    ],
)
def test_the_others_have_the_published_sizes(name: str, classes: int, expected: int) -> None:
    with torch.device("meta"):
        assert parameters(detector(name, num_classes=classes)) == expected


@pytest.mark.parametrize(
    ("name", "unused"),
    [("rcn_f", "stream3"), ("ethnic_resnet_latefusion", "spatial_model_race")],
)
def test_a_published_defect_can_be_switched_off(name: str, unused: str) -> None:
    published, repaired = small(name), small(name, faithful=False)
    repaired.load_state_dict(published.state_dict())
    picture = pictures(name)[..., :64, :64]
    for network, depends in ((published, False), (repaired, True)):
        with torch.no_grad():
            before = _last(network(picture))
            next(network.get_submodule(unused).parameters()).normal_()
            assert torch.equal(_last(network(picture)), before) is not depends


def _last(answer: Tensor | tuple[Tensor, ...]) -> Tensor:
    return answer[-1] if isinstance(answer, tuple) else answer


@pytest.mark.parametrize("other", ["fc", "fcr"])
def test_the_last_layer_of_the_rcn_family_loads_under_each_of_its_names(other: str) -> None:
    first, second = small("rcn_w"), detector("rcn_w").eval()
    state = {key.replace("classifier", other): value for key, value in first.state_dict().items()}
    second.load_state_dict(state)
    assert torch.equal(first(pictures("rcn_w")), second(pictures("rcn_w")))
    assert f"{other}.weight" in state, "the caller's own weights keep their names"
    with pytest.raises(RuntimeError, match=r"classifier\.weight"):
        second.load_state_dict({key: value for key, value in state.items() if not key.startswith(other)})


def test_attention_is_between_0_and_1_and_a_flat_map_is_a_number() -> None:
    rows = torch.rand(4, 8, 5, 5)
    weights = attention(torch.rand(2, 8, 5, 5), rows)
    assert weights.shape == (2, 1, 5, 5)
    assert 0 <= float(weights.min()) <= float(weights.max()) <= 1
    assert torch.equal(attention(torch.zeros(2, 8, 5, 5), rows), torch.zeros(2, 1, 5, 5))
    flat = torch.zeros(2, 8, 5, 5, requires_grad=True)
    attention(flat, rows).sum().backward()
    assert torch.isfinite(flat.grad).all()


@pytest.mark.parametrize(("side", "learns"), [(28, False), (84, True)])
def test_attention_of_htnet_learns_only_where_a_block_has_several_places(side: int, learns: bool) -> None:
    network = small("htnet", image_size=side)
    network(torch.rand(2, 3, side, side)).sum().backward()
    gradient = network.get_parameter("layers.0.0.layers.0.0.fn.to_qkv.weight").grad
    assert gradient is not None
    query, key, value = gradient.chunk(3)
    assert bool(query.any()) is bool(key.any()) is learns
    assert value.any()


@pytest.mark.parametrize("side", [26, 31])
def test_ststnet_takes_26_to_31_pixels(side: int) -> None:
    network = small("ststnet")
    assert network(torch.rand(1, 3, side, side)).shape == (1, 12)
    with pytest.raises(RuntimeError):
        network(torch.rand(1, 3, 25, 25))


def test_the_recurrent_layer_of_elrcn_is_that_of_keras() -> None:
    torch.manual_seed(0)
    layer, sequence = HardLSTM(6, 4).double(), 3 * torch.randn(5, 7, 6, dtype=torch.float64)
    weights = (layer.kernel.weight, layer.recurrent_kernel.weight, layer.kernel.bias)
    kernel, recurrent, bias = (np.split(each.detach().numpy(), 4) for each in weights)  # input, forget, cell, output
    state = cell = np.zeros((5, 4))
    for step in sequence.numpy().transpose(1, 0, 2):
        i, f, c, o = (step @ w.T + state @ u.T + b for w, u, b in zip(kernel, recurrent, bias, strict=True))
        cell = _hard(f) * cell + _hard(i) * np.tanh(c)
        state = _hard(o) * np.tanh(cell)
    np.testing.assert_allclose(layer(sequence).detach().numpy(), state, atol=1e-12)
    assert float(HardLSTM(6, 4).kernel.bias.detach().sum()) == 4, "the forget gate starts open"


def _hard(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(0.2 * x + 0.5, 0, 1)


def test_led_weighs_frames_as_its_notebook_does() -> None:
    gain, fast, slow = 10.0, 0.4, 0.05
    expected = np.zeros((6, 6))
    for i in range(6):
        for j in range(i, 6):
            enters = [rate ** min(1, i) * (1 - rate) ** (j - i) for rate in (fast, slow)]
            expected[i, j] = gain * (enters[0] - enters[1])
    np.testing.assert_allclose(Leaky(6).weights().detach().numpy(), expected, atol=1e-5)
    assert float(Leaky(6)(torch.zeros(1, 1, 6, 2, 2)).detach().abs().max()) == 0


def test_led_does_not_look_ahead() -> None:
    clip = torch.rand(1, 1, 6, 4, 4)
    later = clip.clone()
    later[:, :, 4:] = 0
    before, after = Leaky(6)(clip), Leaky(6)(later)
    assert torch.equal(before[:, :, :3], after[:, :, :3])
    assert not torch.equal(before[:, :, 3], after[:, :, 3])


def test_htnet_sees_eyes_above_and_corners_of_the_mouth_below() -> None:
    rows, columns = torch.meshgrid(torch.arange(28), torch.arange(28), indexing="ij")
    places = torch.stack([rows, columns])
    points = [(8, 10), (20, 10), (14, 16), (9, 20), (19, 27)]  # the last is too near the border
    repaired, published = regions(places, points, faithful_crops=False), regions(places, points)
    assert repaired.shape == (2, 28, 28)
    for (y, x), (column, row) in zip(
        [(0, 0), (0, 14), (14, 0), (14, 14)], [*points[:2], (9, 20), (19, 21)], strict=True
    ):
        assert repaired[:, y, x].tolist() == [row - 7, column - 7]
        assert published[:, y, x].tolist() == [column - 7, row - 7]
    with pytest.raises(BadPicture, match="five points"):
        regions(places, points[:4])
    assert regions(places).shape == (2, 28, 28)

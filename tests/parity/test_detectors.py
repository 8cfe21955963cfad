"""Networks that read micro-expressions against the public code: answers, losses, gradients, and what they depend on."""

from collections.abc import Container
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from faceforge.mer.detectors import DETECTORS, detector
from tests.parity.golden import Case
from tests.parity.mer_cases import named, read
from tests.parity.recipe import recipe_input, recipe_weights

PICTURES = [name for name in DETECTORS if name.startswith("ethnic_")]
FLOWS = [name for name in DETECTORS if name not in PICTURES]


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return read(request.param)


def recorded(case: Case, **constructor: int) -> nn.Module:
    """The network of a case with its weights: those recorded, or the recipe's."""
    name = max((name for name in DETECTORS if case.name.startswith(f"{name}_")), key=len)
    network = detector(name, **constructor).eval()
    network.load_state_dict(case.weights("w.") or recipe_weights(network, case.facts["seed"]))
    assert sum(each.numel() for each in network.parameters()) == case.facts["params"]
    return network


@named(*FLOWS)
def test_networks_answer_alike_and_learn_alike(case: Case) -> None:
    network = recorded(case, **case.facts["constructor"])
    answer = network(case["in.x"])
    torch.testing.assert_close(answer, case["out.y"], atol=2e-5, rtol=1e-4)
    loss = binary_cross_entropy_with_logits(answer, case["in.target"])
    loss.backward()
    assert float(loss.detach()) == pytest.approx(case.facts["bce_with_logits_loss"], abs=1e-5)
    norms = case.facts["grad_norms"]
    found = {_published(name, norms): each.grad for name, each in network.named_parameters()}
    assert {name for name, each in found.items() if each is None} == set(case.facts["unused_parameters"])
    for name, each in found.items():
        if each is not None:  # what a layer norm takes out again has a gradient of zero, but for rounding
            assert float(each.norm()) == pytest.approx(norms[name], rel=1e-3, abs=1e-6), name


@named(*FLOWS)
def test_layers_in_between_say_alike(case: Case) -> None:
    network, said = recorded(case, **case.facts["constructor"]), dict[str, list[Tensor]]()
    for name, layer in network.named_modules():
        layer.register_forward_hook(partial(_note, said.setdefault(name, [])))
    with torch.no_grad():
        network(case["in.x"])
    for key, expected in case.weights("mid.").items():
        name, _, call = key.partition("#")
        if said.get(name):  # what has no parameters may be no layer of its own here
            torch.testing.assert_close(said[name][int(call)][:1], expected, atol=2e-5, rtol=1e-4, msg=key)
        else:
            assert not any(each.startswith(f"{name}.") for each in case.facts["state_keys"]) or name == _head(case), key


def _note(said: list[Tensor], layer: nn.Module, seen: tuple[Tensor, ...], answer: Tensor) -> None:
    said.append(answer)


def _head(case: Case) -> str:
    """What the public file calls the last layer."""
    return next(key for key in reversed(case.facts["state_keys"]) if key.endswith(".bias")).removesuffix(".bias")


@named(*FLOWS)
def test_channels_in_another_order_and_pictures_on_their_side_are_seen(case: Case) -> None:
    network, picture = recorded(case, **case.facts["constructor"]), case["in.x"]
    expected = case.facts["sensitivity_relative_change"]
    with torch.no_grad():
        answer = network(picture)
        found = {
            "channel_reversal": _change(network(picture.flip(1)), answer),
            "spatial_transpose": _change(network(picture.transpose(2, 3)), answer),
        }
    assert found == pytest.approx(expected, rel=1e-3)


@named(*PICTURES)
def test_networks_of_two_streams_answer_alike(case: Case) -> None:
    facts = case.facts
    network = recorded(case, num_classes=facts["num_classes"], num_cultures=facts["num_cultures"])
    assert {key: list(value.shape) for key, value in network.state_dict().items()} == facts["state_keys"]
    with torch.no_grad():
        answers = network(recipe_input(facts["seed"], facts["input_shape"]))
    assert len(answers) == len(facts["outputs"])
    for place, answer in enumerate(answers):
        torch.testing.assert_close(answer, case[f"out.y{place}"], atol=1e-3, rtol=1e-3)


def _change(other: Tensor, answer: Tensor) -> float:
    return float((other - answer).norm() / answer.norm())


def _published(name: str, names: Container[str]) -> str:
    """The last layer of the RCN family has three published names; ours is one of them."""
    if name in names:
        return name
    return next(other for other in (name.replace("classifier", each) for each in ("fc", "fcr")) if other in names)

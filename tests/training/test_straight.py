"""The start of autoencoders: linear, the same without its branches, and refused where the trick does not work."""

import pytest
import torch

from faceforge.store.backbones import mini, tiny
from faceforge_training.autoencoder import VaeObjective
from faceforge_training.errors import BadRecipe
from faceforge_training.straight import branchless, straighten
from faceforge_training.weights import learned

PICTURES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 1.6 - 0.8


def again(vae: torch.nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    return vae.decode(vae.encode(pictures).latent_dist.mean).sample


@torch.no_grad()
def test_it_is_linear_and_passes_on_about_as_much_as_it_gets() -> None:
    vae = mini().vae
    assert vae is not None
    bent = [again(vae, each) for each in (PICTURES, -PICTURES)]
    assert float((bent[0] + bent[1]).square().mean() / bent[0].square().mean()) > 0.1
    straighten(vae)
    dark, light = PICTURES - 0.2, 0.5 * PICTURES + 0.3  # of other brightness: a norm would hide it
    one, other, middle = (again(vae, each) for each in (dark, light, (dark + light) / 2))
    assert float(((one + other) / 2 - middle).square().mean().sqrt() / one.square().mean().sqrt()) < 0.02
    assert 0.2 < float(one.std() / dark.std()) < 3
    assert float(again(vae, torch.zeros(1, 3, 64, 64)).abs().max()) < 1e-5


@torch.no_grad()
def test_leaving_out_what_does_nothing_yet_changes_nothing() -> None:
    vae = mini().vae
    assert vae is not None
    straighten(vae)
    full = again(vae, PICTURES)
    with branchless(vae):
        torch.testing.assert_close(again(vae, PICTURES), full, atol=0.02, rtol=0.02)
        chain = again(vae, torch.cat([PICTURES, PICTURES.flip(3)]))
    assert torch.equal(again(vae, PICTURES), full)
    assert chain.shape == (4, 3, 64, 64)


def test_only_the_chain_learns_and_values_stay_opposites() -> None:
    torch.manual_seed(0)
    objective = VaeObjective("mini", straight=True)
    assert not [name for name in learned(objective) if ".conv1." in name or "norm" in name or ".attentions." in name]
    optimizer = torch.optim.Adam([each for each in objective.parameters() if each.requires_grad], 1e-3)
    for _ in range(3):
        sum(objective({"picture": PICTURES}).values()).backward()
        optimizer.step()
        optimizer.zero_grad()
    out = objective.vae.decoder.conv_out.weight.unflatten(1, (4, 4))
    torch.testing.assert_close(out[:, :, 3], -out[:, :, 2])
    assert not bool(out[:, :, :2].any())


@pytest.mark.parametrize(
    ("train", "moves"), [(("decoder",), {"decoder", "post_quant_conv"}), (("encoder",), {"encoder", "quant_conv"})]
)
def test_one_half_learns_while_the_other_stays(train: tuple[str, ...], moves: set[str]) -> None:
    objective = VaeObjective("tiny", train=train)
    assert {name.removeprefix("vae.").split(".")[0] for name in learned(objective)} - {"spread"} == moves


def test_an_autoencoder_without_room_for_the_trick_is_refused() -> None:
    vae = tiny().vae
    assert vae is not None
    with pytest.raises(BadRecipe, match="need other widths"):
        straighten(vae)

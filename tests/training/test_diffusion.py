"""Training whole models: what learns, what is left alone, and that what is saved opens and runs."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
import torch

import faceforge as ff
from faceforge.io.weights import read_tensors
from faceforge.store.backbones import tiny
from faceforge_training import parts
from faceforge_training.autoencoder import VaeObjective, edges
from faceforge_training.diffusion import DenoiseObjective, latents_of, requests_of
from faceforge_training.errors import BadRecipe
from faceforge_training.loop import train
from faceforge_training.settings import read
from faceforge_training.weights import WEIGHTS, learned
from tests.training.small import EDITOR, PIXELS, Edits


def objective(*plugins: str, train: list[str], **options: Any) -> DenoiseObjective:
    torch.manual_seed(0)
    return DenoiseObjective("tiny", [{"name": name} for name in plugins], train=train, **options)


def names(made: DenoiseObjective) -> set[str]:
    return {name.removeprefix("step.").split(".")[0] for name in learned(made)}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [(["plugins"], {"plugins"}), (["unet", "text"], {"unet", "text"}), (["warp", "text"], {"plugins", "text"})],
)
def test_only_the_chosen_parts_learn(chosen: list[str], expected: set[str]) -> None:
    made = objective("warp", "magicface", train=chosen)
    assert names(made) == expected
    sum(made(Edits().batch(0)).values()).backward()
    moving = {name for name, each in made.named_parameters() if each.grad is not None}
    assert moving == {name for name, each in made.named_parameters() if each.requires_grad}


def test_a_lora_learns_while_the_network_below_it_stays() -> None:
    made = objective("lora", train=["lora"])
    assert {"lora_A", "lora_B"} & {name.split(".")[-3] for name in learned(made)}
    assert not [name for name in learned(made) if "base_layer" in name or "conv" in name]
    sum(made(Edits().batch(0)).values()).backward()
    assert all(each.grad is not None for each in made.forge.plugins["lora"].parameters())


def test_latents_that_were_encoded_before_are_worth_the_pictures() -> None:
    made = objective("attributes", train=["plugins"])
    torch.nn.init.normal_(made.forge.plugins["attributes"].stem.weight)
    pictures = Edits().batch(0)
    seen = {"prompts": pictures["prompts"], "picture": pictures["picture"], "picture.background": pictures["picture"]}
    encoded = made.forge.backbone.encode_picture(pictures["picture"])
    cached = {"prompts": pictures["prompts"], "latents": encoded, "latent.background": encoded}
    losses = []
    for batch in (seen, cached):
        torch.manual_seed(1)
        losses.append(made(batch)["denoise"])
    torch.testing.assert_close(*losses)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_every_prediction_type_learns_and_is_sampled_as_it_was_learned(prediction: str, tmp_path: Path) -> None:
    made = objective("magicface", train=["unet", "plugins"], prediction=prediction, min_snr=5.0)
    made.save(tmp_path / "model", "trained")
    forge = ff.load(tmp_path / "model")
    assert forge.backbone.scheduler.config.prediction_type == prediction
    again = DenoiseObjective(str(tmp_path / "model"), [{"name": "magicface"}], train=["plugins"], prediction=prediction)
    assert again.forge.plugins["magicface"].signature == forge.backbone.signature


def test_a_network_that_begins_anew_leaves_the_warp_as_it_is() -> None:
    torch.manual_seed(0)
    plugins = [{"name": "warp", "carries": True}]
    made = DenoiseObjective("tiny", plugins, train=["unet", "plugins"], prediction="sample", anew=True)
    batch = Edits().batch(0)
    given = batch["latent.warp"] * made.forge.backbone.latent_scale
    outcome = made.step(requests_of(batch), latents_of(batch, made.forge.backbone))
    torch.testing.assert_close(outcome.prediction, given)
    outcome.loss.backward()
    assert made.forge.backbone.unet.conv_out.weight.grad.abs().sum() > 0


def test_noise_that_hides_everything_starts_the_sampling() -> None:
    made = objective(train=["unet"], prediction="v_prediction", zero_terminal_snr=True)
    scheduler = made.forge.backbone.scheduler
    scheduler.set_timesteps(4)
    assert float(scheduler.alphas_cumprod[int(scheduler.timesteps[0])]) == 0
    assert float(made.step.noise_scheduler.alphas_cumprod[-1]) == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"zero_terminal_snr": True}, "an epsilon says nothing"),
        ({"zero_terminal_snr": True, "prediction": "v_prediction", "min_snr": 5.0}, "would never be learned"),
        ({"train": ["unets"]}, "Did you mean 'unet'"),
        ({"train": ["text"], "plugins": [{"name": "magicface", "widht": 3}]}, "'widht'"),
        ({"plugins": [{"width": 3}]}, "has no name"),
    ],
)
def test_objectives_that_cannot_learn_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(BadRecipe, match=told):
        DenoiseObjective("tiny", **{"train": ["unet"], **options})


def test_a_trained_run_is_a_model_that_edits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(parts.READERS, "noise", Edits)
    recipe = tmp_path / "all.toml"
    recipe.write_text(EDITOR)
    train(read(recipe), tmp_path / "run")
    forge = ff.load(tmp_path / "run" / "model")
    assert {"identity", "attributes", "warp", "magicface"} < set(forge.plugins)
    assert forge.backbone.unet.dtype == torch.float32
    assert not torch.equal(forge.backbone.unet.conv_in.weight, tiny().unet.conv_in.weight)
    assert forge.plugins["magicface"].changes.weight.any()
    grey = torch.full((PIXELS, PIXELS, 3), 127, dtype=torch.uint8).numpy()
    pictures = dict.fromkeys(("background", "warp", "unknown"), grey)
    assert forge.edit(grey, aus={"AU12": 2.0}, pictures=pictures, steps=2, size=PIXELS).image.size == (PIXELS, PIXELS)


def test_a_diffusion_training_that_stopped_ends_bit_for_bit_like_one_that_did_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(parts.READERS, "noise", Edits)
    recipe = tmp_path / "all.toml"
    recipe.write_text(EDITOR + "[run]\nsave_every = 2\nlog_every = 3\n")

    def stop(told: object) -> None:
        raise InterruptedError

    train(read(recipe), tmp_path / "whole")
    with pytest.raises(InterruptedError):
        train(read(recipe), tmp_path / "halves", tell=stop)
    train(read(recipe), tmp_path / "halves")
    whole, halves = (read_tensors(tmp_path / name / WEIGHTS) for name in ("whole", "halves"))
    assert all(torch.equal(value, halves[name]) for name, value in whole.items())


def test_an_autoencoder_learns_and_knows_how_far_its_latents_spread(tmp_path: Path) -> None:
    torch.manual_seed(0)
    made = VaeObjective("tiny", kl=1e-4)
    optimiser = torch.optim.Adam(made.vae.parameters(), lr=3e-3)
    pictures = torch.nn.functional.interpolate(torch.rand(4, 3, 4, 4) * 2 - 1, PIXELS, mode="bilinear")
    first = None
    for _ in range(40):
        losses = made({"picture": pictures})
        first = first or losses["pixels"].item()
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
    assert losses["pixels"].item() < 0.7 * first
    made.spread.fill_(2.0)
    made.save(tmp_path / "model", "trained")
    assert ff.load(tmp_path / "model").backbone.latent_scale == 0.5


def test_pictures_that_differ_by_a_shade_have_equal_edges() -> None:
    one = torch.rand(1, 3, 16, 16)
    assert edges(one, one + 0.2).item() == pytest.approx(0, abs=1e-6)
    assert edges(one, one.flip(3)).item() > 0.1


def test_a_model_trained_as_a_rig_edits_a_whole_photograph(tmp_path: Path) -> None:
    """Its numbers are made from the photograph like its pictures, and change with the wish."""
    recipe = read("mini-rig", ["objective.backbone=tiny"])
    made = DenoiseObjective(**{name: value for name, value in recipe.objective.items() if name != "name"})
    torch.nn.init.normal_(made.forge.plugins["rigface"].expression.weight)
    made.save(tmp_path / "model", "rig")
    forge = ff.load(tmp_path / "model")
    with as_file(files("faceforge.assets") / "sample.png") as sample:
        plain, smiling = (forge.edit(sample, aus=aus, steps=2, yaw_deg=5.0) for aus in ({}, {"AU12": 3.0}))
    assert plain.image.size == smiling.image.size
    assert plain.image.tobytes() != smiling.image.tobytes()
    assert smiling.provenance["made"]["expression"] == "rig-numbers"

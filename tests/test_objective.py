"""One training step: what is learned, what is dropped, and that nothing leaks into the next call."""

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler

from faceforge.core.types import Request
from faceforge.objective import Objective
from faceforge.spec import EditSpec
from faceforge.testing import request_for
from tests.makes import SIDE, forge_of

LATENTS = torch.randn(3, 4, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(0))


def step(objective: Objective, requests: list[Request], seed: int = 1) -> torch.Tensor:
    return objective(requests, LATENTS, generator=torch.Generator().manual_seed(seed)).loss


def objective_of(*kinds: str, **options: object) -> Objective:
    forge = forge_of(*kinds)
    return Objective(forge.backbone, list(forge.plugins.values()), noise_scheduler=DDPMScheduler(), **options)


def requests_of(objective: Objective) -> list[Request]:
    plugin = objective.plugins["magicface"]
    return [request_for(plugin.manifest, number) for number in range(3)]


def test_dropping_a_condition_equals_asking_for_nothing() -> None:
    dropped, kept = objective_of("magicface", drop=1.0), objective_of("magicface")
    asked = requests_of(kept)
    nothing = [Request(EditSpec(prompt="a face")) for _ in asked]
    # The text's null is the negative prompt; without one it repeats the prompt, so only the AUs differ.
    assert torch.allclose(step(dropped, asked), step(kept, nothing), rtol=1e-5)
    assert not torch.allclose(step(kept, asked), step(kept, nothing), rtol=1e-5)


def test_dropping_is_drawn_row_by_row() -> None:
    objective = objective_of("magicface", drop=0.5)
    requests, fixed = requests_of(objective), {"noise": LATENTS.flip(0), "timesteps": torch.tensor([5, 500, 900])}
    losses = {
        round(objective(requests, LATENTS, generator=torch.Generator().manual_seed(seed), **fixed).loss.item(), 6)
        for seed in range(16)
    }
    assert 2 < len(losses) <= 8  # three rows, each kept or dropped, and nothing else differs


def test_training_a_plugin_leaves_the_backbone_s_weights_alone() -> None:
    objective = objective_of("magicface")
    objective.unet.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in objective.unet.state_dict().items()}
    optimiser = torch.optim.SGD(objective.plugins["magicface"].parameters(), lr=0.1)
    losses = []
    for _ in range(5):
        loss = step(objective, requests_of(objective))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert all(torch.equal(tensor, before[name]) for name, tensor in objective.unet.state_dict().items())


def test_identity_learns_through_the_denoiser_s_projections() -> None:
    objective = objective_of("identity", "magicface")
    objective.unet.requires_grad_(False)
    identity = objective.plugins["identity"]
    requests = [
        Request(one.spec, request_for(identity.manifest, number).pictures)
        for number, one in enumerate(requests_of(objective))
    ]
    step(objective, requests).backward()
    assert identity.unet.conv_in.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_the_target_follows_the_prediction_type(kind: str) -> None:
    forge = forge_of("magicface")
    scheduler = DDIMScheduler(prediction_type=kind)
    objective = Objective(forge.backbone, list(forge.plugins.values()), noise_scheduler=scheduler)
    noise, times = torch.randn_like(LATENTS), torch.tensor([10, 500, 900])
    found = objective(requests_of(objective), LATENTS, noise=noise, timesteps=times).target
    alphas = scheduler.alphas_cumprod[times].view(-1, 1, 1, 1)
    expected = {
        "epsilon": noise,
        "sample": LATENTS,
        "v_prediction": alphas.sqrt() * noise - (1 - alphas).sqrt() * LATENTS,
    }[kind]
    torch.testing.assert_close(found, expected)


def test_a_plugin_s_own_loss_is_added() -> None:
    plain, extra = objective_of("magicface"), objective_of("magicface")
    extra.plugins["magicface"].losses = lambda requests, prediction: prediction.new_tensor(2.5)
    assert torch.allclose(step(extra, requests_of(extra)), step(plain, requests_of(plain)) + 2.5)


def test_the_identity_encoder_may_be_checkpointed_too() -> None:
    gradients = []
    for checkpointing in (False, True):
        objective = objective_of("identity", "magicface").train()
        objective.unet.requires_grad_(False)
        identity = objective.plugins["identity"]
        if checkpointing:
            identity.unet.enable_gradient_checkpointing()
            objective.unet.enable_gradient_checkpointing()
        requests = [
            Request(one.spec, request_for(identity.manifest, number).pictures)
            for number, one in enumerate(requests_of(objective))
        ]
        step(objective, requests).backward()
        gradients.append({n: p.grad for n, p in identity.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_rows_are_weighted_as_if_the_clean_picture_s_error_counted_up_to_a_limit(kind: str) -> None:
    """The same error of the clean latents counts the same whatever is predicted: min(SNR, 5) (arXiv 2303.09556)."""
    forge = forge_of("magicface")
    scheduler = DDIMScheduler(prediction_type=kind)
    objective = Objective(forge.backbone, list(forge.plugins.values()), noise_scheduler=scheduler, min_snr=5.0)
    times = torch.tensor([10, 300, 900])
    kept = scheduler.alphas_cumprod[times].view(-1, 1, 1, 1)
    per_kind = {
        "epsilon": (kept / (1 - kept)).sqrt(),
        "v_prediction": (1 - kept).rsqrt(),
        "sample": torch.ones(3, 1, 1, 1),
    }
    objective._predict = lambda requests, noisy, timesteps, generator, frames: target + 0.1 * per_kind[kind]
    noise = torch.randn_like(LATENTS)
    velocity = kept.sqrt() * noise - (1 - kept).sqrt() * LATENTS
    target = {"epsilon": noise, "v_prediction": velocity, "sample": LATENTS}[kind]
    loss = objective(requests_of(objective), LATENTS, noise=noise, timesteps=times).loss
    snr = (kept / (1 - kept)).flatten()
    torch.testing.assert_close(loss, 0.01 * snr.clamp(max=5).mean(), rtol=1e-4, atol=0)


def test_places_count_as_much_as_they_are_told_to() -> None:
    objective = objective_of("magicface")
    requests, fixed = requests_of(objective), {"noise": LATENTS.flip(0), "timesteps": torch.tensor([5, 500, 900])}
    left = torch.zeros(3, 1, SIDE // 8, SIDE // 8)
    left[..., : SIDE // 16] = 1
    losses = [objective(requests, LATENTS, counts=each, **fixed).loss for each in (left, 1 - left, left + 3)]
    whole = objective(requests, LATENTS, **fixed).loss
    torch.testing.assert_close(losses[0] + losses[1], whole)
    torch.testing.assert_close(losses[2], losses[0] + 3 * whole)


def test_frames_of_a_clip_are_trained_as_they_are_run() -> None:
    objective = objective_of("geometry", "motion")
    requests = [request_for(objective.plugins["geometry"].manifest, number) for number in range(4)]
    latents, noise = torch.randn(2, 4, *LATENTS.shape[1:], generator=torch.Generator().manual_seed(1))

    def predicted(order: list[int], frames: int) -> torch.Tensor:
        rows = [requests[number] for number in order]
        given = {"noise": noise[order], "timesteps": torch.full((4,), 500), "frames": frames}
        with torch.no_grad():
            return objective(rows, latents[order], **given).prediction[order]

    clips = predicted([0, 1, 2, 3], 2)
    assert not torch.allclose(clips, predicted([0, 1, 2, 3], 1), atol=1e-4)
    torch.testing.assert_close(predicted([2, 3, 0, 1], 2), clips, rtol=1e-4, atol=1e-5)


def test_frames_of_a_clip_share_their_timestep_and_what_is_dropped() -> None:
    objective = objective_of("geometry", "motion", drop=0.5)
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    objective.unet.register_forward_pre_hook(lambda _module, args: seen.append(args[1]))
    requests = [request_for(objective.plugins["geometry"].manifest, number) for number in range(6)]
    latents = torch.randn(6, *LATENTS.shape[1:])
    objective(requests, latents, frames=3, generator=torch.Generator().manual_seed(0))
    drawn = torch.cat(seen).view(2, 3)
    assert (drawn == drawn[:, :1]).all()
    assert drawn[0, 0] != drawn[1, 0]


def test_leaning_draws_noisier_timesteps() -> None:
    drawn: dict[float, list[int]] = {1.0: [], 3.0: []}
    for lean, found in drawn.items():
        objective = objective_of("magicface", lean=lean)
        objective._predict = lambda requests, noisy, timesteps, generator, frames, seen=found: (
            seen.extend(timesteps.tolist()) or noisy
        )
        for seed in range(400):
            step(objective, requests_of(objective), seed)
    for lean, found in drawn.items():
        assert all(0 <= each < 1000 for each in found)
        for share in (0.25, 0.5, 0.75):  # of timesteps at most t there are (t / 1000) ** lean
            below = sum(each < 1000 * share for each in found) / len(found)
            assert abs(below - share**lean) < 0.05

"""FineFace against its published processors: text and FaceID, every checkpoint layout, every LoRA reading."""

import re
from collections.abc import Iterator
from typing import Any

import diffusers
import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from faceforge import Forge, Job
from faceforge.aus import ORDERS
from faceforge.core import lora
from faceforge.core.attach import State
from faceforge.core.backbone import Backbone
from faceforge.core.text import StoredText
from faceforge.core.types import Request
from faceforge.models import forged
from faceforge.objective import Objective
from faceforge.plugin import Files
from faceforge.spec import EditSpec
from faceforge_plugins.fineface import FineFace
from tests.parity.golden import Case, aus_of, cases, close, prompts, read, relatively_close

CODES = ORDERS["disfa12"]
SCHEDULERS = {"pndm": diffusers.PNDMScheduler, "ddim": diffusers.DDIMScheduler}


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return read(request.param)


def forge_of(case: Case, mode: str = "lora_train", scheduler: str = "ddim") -> Forge:
    """The case's checkpoint folder converted onto its base; the mode says how its LoRA file is read."""
    unet = UNet2DConditionModel(**case.facts["unet"]).eval()
    unet.load_state_dict(case.weights("unet."))
    config = {key: value for key, value in case.facts["denoise"][scheduler].items() if key != "eta"}
    backbone = Backbone(unet, SCHEDULERS[scheduler].from_config(config), StoredText({}))
    files = Files((case.folder / case.facts["checkpoint_dir"],))
    release = FineFace.convert(files, "faceid" if is_faceid(case) else "", lambda **_: backbone)
    scales = {"fineface": 1.0} if mode == "lora_unit" else {}
    return forged(release, name=case.name, parity=mode == "lora_none", lora_scales=scales)


def is_faceid(case: Case) -> bool:
    return bool(case.weights("ip_adapter."))


def recorded(case: Case, pattern: str) -> Iterator[tuple[re.Match[str], Tensor]]:
    """The recorded tensors whose names fit, with what the pattern found in them; at least one."""
    found = [(match, case[key]) for key in sorted(case.tensors) if (match := re.fullmatch(pattern, key))]
    assert found, f"{case.name} recorded nothing like {pattern}"
    yield from found


def predicted(forge: Forge, case: Case, aus: Tensor, strength: dict[str, float], **vectors: Tensor) -> Tensor:
    """One unguided forward of every recorded row."""
    rows = zip(aus, prompts(case["in.unet.prompt_embeds"]), strict=True)
    requests = [
        Request(
            EditSpec(aus=aus_of(row, CODES), strength=strength, guidance=1.0),
            vectors={**text, **vectors},
        )
        for row, text in rows
    ]
    with torch.no_grad(), forge.prepared(requests) as run:
        return run.predict(case["in.unet.sample"], case["in.unet.timestep"])


@cases("fineface")
def test_the_token_is_the_released_encoder_s(case: Case) -> None:
    plugin = forge_of(case).plugins["fineface"]
    with torch.no_grad():
        close(plugin.token(case["in.au_encoder.aus"]), case["out.au_encoder.embeds"], 1e-6)


@cases("fineface", "out.encode_aus.")
def test_requests_become_the_released_embeds_negatives_first(case: Case) -> None:
    asked = case.facts.get("au_requests") or [case.facts["au_request"]]
    plugin = forge_of(case).plugins["fineface"]
    for match, expected in recorded(case, r"out\.encode_aus\.(single|pair)"):
        used = asked if match[1] == "pair" else asked[:1]
        rows = torch.tensor([[row.get(code, 0.0) for code in CODES] for row in used])
        with torch.no_grad():
            found = torch.cat([plugin.token(torch.zeros_like(rows)), plugin.token(rows)])
        close(found, expected, 1e-6)


@cases("fineface", "out.encode_images.")
def test_face_embeddings_become_the_released_tokens(case: Case) -> None:
    for match, expected in recorded(case, r"out\.encode_images\.(\w+)"):
        plugin = forge_of(case).plugins["faceid"]
        faces = case[f"in.faceid.{match[1]}"]
        with torch.no_grad():
            close(torch.cat([plugin.project(faces * 0), plugin.project(faces)]), expected, 1e-5)


@cases("fineface", "out.layer.lora_")
def test_one_layer_matches_at_every_strength(case: Case) -> None:
    site = case.facts["layer"].removesuffix(".attn2")
    for match, expected in recorded(case, r"out\.layer\.(lora_\w+)\.scale_([\d.]+)"):
        forge = forge_of(case, match[1])
        with torch.no_grad():
            own = forge.plugins["fineface"].read[site.replace(".", "/")](case["in.layer.au_embeds"])
        found = layer(forge, case, site, [(own, float(match[2]))])
        close(found, expected, 1e-5)


@cases("fineface", "out.layer.au_")
def test_one_layer_with_a_face_matches_at_every_strength(case: Case) -> None:
    site = case.facts["layer"].removesuffix(".attn2")
    for match, expected in recorded(case, r"out\.layer\.au_([\d.]+)\.ip_([\d.]+)"):
        forge = forge_of(case)
        fineface, faceid = forge.plugins["fineface"], forge.plugins["faceid"]
        key = site.replace(".", "/")
        asked = torch.tensor([[case.facts["au_request"].get(code, 0.0) for code in CODES]])
        with torch.no_grad():
            aus = fineface.read[key](torch.cat([fineface.token(asked * 0), fineface.token(asked)]))
            faces = case["in.faceid.many"]
            face = faceid.read[key](torch.cat([faceid.project(faces * 0), faceid.project(faces)]))
        close(layer(forge, case, site, [(aus, float(match[1])), (face, float(match[2]))]), expected, 1e-5)


def layer(forge: Forge, case: Case, site: str, reads: list[tuple[Any, float]]) -> Tensor:
    """The recorded hidden states through one cross-attention layer that also reads these."""
    state = State(reads={site: tuple(type(own)(own.key, own.value * scale) for own, scale in reads)})
    attention = forge.backbone.unet.get_submodule(f"{site}.attn2")
    scales = forge.lora_scales(EditSpec())
    with torch.no_grad(), lora.activated(forge.backbone.unet, scales), forge.backbone.hooks.reading(state):
        return attention(case["in.layer.hidden_states"], encoder_hidden_states=case["in.layer.prompt_embeds"])


@cases("fineface", "out.unet.lora_")
def test_one_forward_matches_at_every_strength(case: Case) -> None:
    for match, expected in recorded(case, r"out\.unet\.(lora_\w+)\.scale_([\d.]+)"):
        forge, strength = forge_of(case, match[1]), float(match[2])
        if match[1] != "lora_none":  # our strength weighs the LoRA too, the recording weighs the AU branch alone
            with torch.no_grad():
                for reader in forge.plugins["fineface"].read.values():
                    reader.to_v.weight.mul_(strength)
            strength = 1.0
        close(predicted(forge, case, case["in.unet.aus"], {"fineface": strength}), expected, 3e-5)


@cases("fineface", "out.unet.one.")
def test_one_forward_with_a_face_matches_at_every_strength(case: Case) -> None:
    for match, expected in recorded(case, r"out\.unet\.(\w+)\.au_([\d.]+)\.ip_([\d.]+)"):
        forge = forge_of(case)
        asked = torch.tensor([[case.facts["au_request"].get(code, 0.0) for code in CODES]])
        aus = torch.cat([asked * 0, asked])  # recorded as one guidance batch: the null row first
        strength = {"fineface": float(match[2]), "faceid": float(match[3])}
        faces = case[f"in.faceid.{match[1]}"][0]
        found = torch.cat(
            [
                predicted(forge, case, aus, strength, faceid=faces * 0)[:1],
                predicted(forge, case, aus, strength, faceid=faces)[1:],
            ]
        )
        close(found, expected, 3e-5)


@cases("fineface", "out.denoise.")
def test_the_whole_denoising_matches(case: Case) -> None:
    facts = case.facts["denoise"]
    for match, expected in recorded(case, r"out\.denoise\.(\w+)\.(\w+)\.final"):
        forge = forge_of(case, match[1], match[2])
        vectors = prompts(case["in.denoise.prompt_embeds"], case["in.denoise.negative_prompt_embeds"])
        strength = {}
        if is_faceid(case):
            faces = case[f"in.faceid.{match[1]}"][0]
            vectors = [{**each, "faceid": faces} for each in vectors]
            strength = {"fineface": facts["au_scale"], "faceid": facts["ip_scale"]}
        height, width = case["in.denoise.latents"].shape[-2:]  # without a VAE pictures are latents
        spec = EditSpec(steps=facts["steps"], guidance=facts["guidance_scale"], size=(width, height), strength=strength)
        jobs = [
            Job(spec=spec.with_(aus=aus_of(aus, CODES)), vectors=text, latents=noise)
            for aus, text, noise in zip(case["in.denoise.aus"], vectors, case["in.denoise.latents"], strict=True)
        ]
        steps: list[Any] = []
        results = list(forge.edit_many(jobs, progress=steps.append))
        assert [step.timestep for step in steps] == case[f"out.denoise.{match[1]}.{match[2]}.timesteps"].tolist()
        relatively_close(torch.stack([result.latents for result in results]), expected, 2e-5)
        for number, step in enumerate(steps):
            relatively_close(step.latents, case[f"mid.denoise.{match[1]}.{match[2]}.latents_{number}"], 2e-5)


@cases("fineface", "in.train.")
def test_one_training_step_matches_loss_and_gradients(case: Case) -> None:
    forge = forge_of(case)
    noise_scheduler = diffusers.DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000
    )
    objective = Objective(forge.backbone, list(forge.plugins.values()), noise_scheduler=noise_scheduler)
    rows = zip(case["in.train.aus"], prompts(case["in.train.prompt_embeds"]), strict=True)
    requests = [Request(EditSpec(aus=aus_of(aus, CODES)), vectors=text) for aus, text in rows]
    outcome = objective(
        requests, case["in.train.latents"], noise=case["in.train.noise"], timesteps=case["in.train.timesteps"]
    )
    outcome.loss.backward()
    plugin = forge.plugins["fineface"]
    near = {"rtol": 1e-4, "atol": 1e-6}
    torch.testing.assert_close(outcome.prediction, case["mid.train.pred"], **near)
    torch.testing.assert_close(outcome.loss[None], case["out.train.loss"], **near)
    torch.testing.assert_close(plugin.au_encoder.weight.grad, case["out.train.grad.au_encoder.weight"], **near)
    site = case.facts["layer"].removesuffix(".attn2").replace(".", "/")
    torch.testing.assert_close(plugin.read[site].to_v.weight.grad, case["out.train.grad.au_to_v"], **near)
    assert not case["out.train.grad.au_to_k"].any()  # why we leave the released keys out
    up = [each.grad for path, each in plugin.lora.up.items() if path.endswith("to_q")]
    expected = case["out.train.grad.to_q.lora_B"]
    assert any(each.shape == expected.shape and torch.allclose(each, expected, **near) for each in up)

"""What MagicFace and RigFace are both held to, from folders in a release's layout to the final latents."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from torch import Tensor

from faceforge import Forge, Job
from faceforge.core.backbone import Backbone
from faceforge.core.text import StoredText
from faceforge.jobs import ready
from faceforge.models import forged
from faceforge.plugin import Files, Paired, Plugin
from faceforge.store.backbones import WEIGHTS, unipc
from tests.parity.golden import Case, close, prompts, relatively_close

Jobs = Callable[..., list[Job]]  # one per row of a case; keyword arguments go to the spec


def converted(case: Case, layout: Paired, plugin: type[Plugin], folder: Path, below: str = "") -> Forge:
    """The release's own folders, converted as a user would, and run as the release runs."""
    for name, prefix in ((layout.denoiser, "unet"), (layout.identity, "id_unet")):
        place = folder / name / below
        place.mkdir(parents=True)
        save_file(case.weights(f"{prefix}."), place / WEIGHTS)
        (place / "config.json").write_text(json.dumps(case.facts[f"{prefix}_config"]))

    def base(*, unet: diffusers.UNet2DConditionModel) -> Backbone:
        vae = AutoencoderKL(**case.facts["vae_config"]).eval()
        vae.load_state_dict(case.weights("vae."))
        recorded = case.facts["scheduler"]
        return Backbone(
            unet, getattr(diffusers, recorded["class_name"]).from_config(recorded["config"]), StoredText({}), vae
        )

    return forged(plugin.convert(Files((folder,)), "", base), name=layout.name, parity=True)


def jobs(case: Case, pictures: Mapping[str, str], wishes: Sequence[Mapping[str, Any]], **fields: Any) -> list[Job]:
    """One job per row: the recorded pictures by name, text, noise and size, and the row's own wish."""
    height, width = case["in.source_image"].shape[-2:]
    beside = {name: case.images(key) for name, key in pictures.items()}
    found = []
    for row, source in enumerate(case.images("in.source_image")):
        own = dict(wishes[row])
        common = {
            "pictures": {name: images[row] for name, images in beside.items()},
            "vectors": {**prompts(case["in.prompt_embeds"])[row], **own.pop("vectors", {})},
            "latents": case["in.noise"][row],
            "steps": case.facts["pipeline"]["num_inference_steps"],
            "size": (width, height),
        }
        found.append(Job.of(source, None, {**common, **own, **fields}))
    return found


def pictures_become_the_recorded_latents(case: Case, forge: Forge, *names: str) -> None:
    for name in names:
        latents = torch.cat([forge.backbone.encode_picture(_tensor(row)) for row in case[f"in.{name}_image"]])
        close(latents, case[f"out.{name}_latent"], 1e-5)


def the_identity_encoder_sees_what_the_release_sees(case: Case, forge: Forge) -> None:
    # In double precision and relative to the largest feature: the recording itself lies up to 1.7e-5 from the exact
    # values, and float32 kernels of two machines differ by more than that, so an absolute 1e-5 would test the kernel.
    encoder = copy.deepcopy(forge.plugins["identity"]).double()
    with torch.no_grad():
        seen = encoder.observe(case["out.source_latent"].double(), case["in.prompt_embeds"].double())
    assert list(seen) == [name.removesuffix(".attn1") for name in case.facts["id_feature_order"]]
    for number, tokens in enumerate(seen.values()):
        relatively_close(tokens.float(), case[f"out.id_feat.{number:02d}"], 1e-5)


@contextmanager
def recorded_latents(case: Case, forge: Forge) -> Iterator[None]:
    """Pictures become their recorded latents: the networks magnify the VAE's last bits some thirty times."""
    names = [name for name in ("source", "bg", "render") if f"in.{name}_image" in case.tensors]
    pictures = torch.cat([case[f"in.{name}_image"] for name in names])
    latents = torch.cat([case[f"out.{name}_latent"] for name in names])

    def looked_up(wanted: Tensor) -> Tensor:
        return next(
            latent[None] for row, latent in zip(pictures, latents, strict=True) if torch.equal(_tensor(row), wanted)
        )

    encode, forge.backbone.encode_picture = forge.backbone.encode_picture, looked_up
    forge.cache.clear()
    try:
        yield
    finally:
        forge.backbone.encode_picture = encode
        forge.cache.clear()


def one_forward_matches_inside_and_out(case: Case, forge: Forge, made: Jobs) -> None:
    unet = forge.backbone.unet
    first = unet.down_blocks[0].attentions[0].transformer_blocks[0]
    middle = unet.mid_block.attentions[0].transformer_blocks[0]
    last = list(unet.up_blocks[-1].attentions)[-1].transformer_blocks[0]
    watched = {
        "conv_in": unet.conv_in,
        "time_emb": unet.time_embedding.linear_2,
        "temb": unet.time_embedding,  # with what the plugin adds
        "down0_norm1": first.norm1,
        "down0_attn1": first.attn1,
        "down0_block": first,
        "mid_attn1": middle.attn1,
        "mid_block": unet.mid_block,
        "up_last_block": last,
    }
    seen: dict[str, Tensor] = {}
    requests = [ready(job, forge.backbone, forge.plugins, forge.defaults).request for job in made(guidance=1.0)]
    with torch.no_grad(), recorded_latents(case, forge), forge.prepared(requests) as run:
        forge.backbone.hooks.install()  # ours come first, so that these see what the network goes on with
        handles = [
            module.register_forward_hook(lambda _m, _a, out, name=name: seen.__setitem__(name, out))
            for name, module in watched.items()
        ]
        handles.append(
            unet.conv_norm_out.register_forward_pre_hook(lambda _m, args: seen.__setitem__("pre_norm_out", args[0]))
        )
        prediction = run.predict(case["in.fwd_sample"], case["in.fwd_timestep"].squeeze())
        for handle in handles:
            handle.remove()
    close(prediction, case["out.fwd_noise_pred"], 5e-5)
    assert seen.keys() == {*watched, "pre_norm_out"}
    for name, found in seen.items():
        # the release's attention runs over picture and identity: ours is the first half of it
        expected = case[f"out.fwd.{name}"][:, : found.shape[1]]
        if name in ("up_last_block", "pre_norm_out"):  # where values reach 13 and float32 has lost as many digits
            relatively_close(found, expected, 5e-5)
        else:
            close(found, expected, 5e-5)


def every_step_matches(case: Case, forge: Forge, made: Jobs) -> None:
    steps: list[Any] = []
    results = list(forge.edit_many(made(guidance=1.5), progress=steps.append))
    assert len(steps) == case.facts["pipeline"]["num_inference_steps"]
    for number, step in enumerate(steps):
        close(step.prediction, case[f"out.pipe.noise_pred.{number}"], 3e-4)
        close(step.latents, case[f"out.pipe.latents_after.{number}"], 1e-3)
    assert [step.timestep for step in steps] == case["out.pipe.timesteps"].tolist()
    final = torch.stack([result.latents for result in results])
    close(final, case["out.pipe.latents"], 1e-3)
    decoded = forge.backbone.decode_latents(final)
    close(decoded, case["out.pipe.decoded"], 2e-4)


def other_guidance_matches(case: Case, forge: Forge, made: Jobs) -> None:
    for guidance in case.facts["pipeline"]["other_guidance_runs"]:
        results = list(forge.edit_many(made(guidance=guidance)))
        close(torch.stack([result.latents for result in results]), case[f"out.pipe_g{guidance:g}.latents"], 1e-3)


def the_schedule_is_the_releases(case: Case, forge: Forge) -> None:
    scheduler = unipc(forge.backbone.scheduler)
    scheduler.set_timesteps(case.facts["pipeline"]["num_inference_steps"])
    assert scheduler.timesteps.tolist() == case["out.pipe.timesteps"].tolist()
    close(scheduler.sigmas, case["out.pipe.sigmas"], 1e-5)


def _tensor(picture: Tensor) -> Tensor:
    return (picture[None] / 255.0) * 2.0 - 1.0

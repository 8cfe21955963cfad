"""MagicPortrait against its published classes: from files in the release's layout to windows, latents and frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from PIL import Image
from torch import Tensor, nn

from faceforge import Forge, Job
from faceforge.core.backbone import Backbone
from faceforge.core.text import StoredText
from faceforge.jobs import ready
from faceforge.models import forged
from faceforge.plugin import Files
from faceforge.windows import RELEASED, Windows
from faceforge_plugins.magicportrait.geometry import MAPS, Geometry
from tests.parity.golden import Case, cases, read

pytestmark = cases("magicportrait")


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return read(request.param)


@pytest.fixture(scope="module")
def forge(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    """The release's own files, converted as a user would, and run as the release runs."""
    folder = tmp_path_factory.mktemp(case.name)
    write_release(case, folder)
    config = case.facts["config"]
    below = len(config["block_out_channels"]) - 1

    def base(*, unet: UNet2DConditionModel | None = None) -> Backbone:
        names = ("layers_per_block", "cross_attention_dim", "norm_num_groups", "block_out_channels")
        stock = UNet2DConditionModel(
            **{name: config[name] for name in names},
            attention_head_dim=config["heads"],
            down_block_types=("CrossAttnDownBlock2D",) * below + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * below,
        )
        return Backbone((unet or stock).eval(), PNDMScheduler(), StoredText({}))

    return forged(Geometry.convert(Files((folder,)), "", base), name="magicportrait", parity=True)


def write_release(case: Case, folder: Path) -> None:
    """In one case each file has its own; in the other a stale motion file comes before a denoiser that holds all."""
    denoiser, split = case.weights("denoising_unet."), case.facts["config"]["layers_per_block"] > 1
    motion = {key: each for key, each in denoiser.items() if ".motion_modules." in key}
    if split:
        files = {"motion_module-47360": {f"module.{key}": each for key, each in motion.items()}}
        files["denoising_unet"] = {key: each for key, each in denoiser.items() if key not in motion}
    else:
        files = {"motion_module-47360": {key: each * 0 for key, each in motion.items()}, "denoising_unet": denoiser}
    for name in ("reference_unet", *(f"guidance_encoder_{kind}" for kind in MAPS)):
        files[name] = case.weights(f"{name}.")
    (folder / "ckpts").mkdir()
    for name, tensors in files.items():
        torch.save(tensors, folder / "ckpts" / f"{name}.pth")
    vae = AutoencoderKL(**case.facts["vae_config"])
    vae.load_state_dict(case.weights("vae."))
    vae.save_pretrained(folder / "sd-vae-ft-mse")


def jobs(case: Case, **fields: Any) -> list[Job]:
    """One job per recorded frame, with the maps as the pictures that the release reads."""
    config = case.facts["config"]
    source = Image.fromarray(case["in.ref_image_u8"].numpy())
    wish = {"size": (config["width"], config["height"]), "steps": config["steps"], "seed": config["noise_seed"]}
    common = {"guidance": config["guidance_scale"], **wish, "vectors": {"prompt": case["in.text_embeds"][0]}, **fields}
    maps = [
        {name: Image.fromarray(case[f"in.maps.{name}_u8"][n].numpy()) for name in MAPS} for n in range(frames(case))
    ]
    return [Job.of(source, None, {**common, "pictures": pictures}) for pictures in maps]


def frames(case: Case) -> int:
    return case.facts["config"]["frames"]


def windows(case: Case) -> Windows:
    config = case.facts["config"]
    return RELEASED.model_copy(update={"length": config["context_frames"], "overlap": config["context_overlap"]})


def predicted(case: Case, forge: Forge, **fields: Any) -> Tensor:
    """One prediction (F, 4, h, w) for the recorded noisy clip, with the recorded latents of the portrait."""
    sample, config = rows(case["in.fwd.sample"]), case.facts["config"]
    latents = {"source": case["in.fwd.ref_latents"][0] / forge.backbone.latent_scale}
    asked = jobs(case, **fields)[: len(sample)]
    made = [ready(job, forge.backbone, forge.plugins, forge.defaults).request for job in asked]
    whole = Windows(length=len(sample)).over(len(sample))
    with (
        torch.no_grad(),
        forge.prepared([replace(request, latents=latents) for request in made], windows=whole) as run,
    ):
        return run.predict(sample, torch.tensor(config["fwd_timestep"]))


def rows(clip: Tensor) -> Tensor:
    """A recorded clip (1, C, F, h, w) as rows (F, C, h, w)."""
    return clip[0].transpose(0, 1)


def alike(found: Tensor, expected: Tensor, tolerance: float) -> None:
    """The recordings' own measure: the length of the difference as a share of what is expected."""
    assert found.shape == expected.shape
    difference = float(torch.linalg.vector_norm(found - expected) / torch.linalg.vector_norm(expected))
    assert difference <= tolerance, f"{difference:.2e} > {tolerance:.0e}"


@contextmanager
def watched(**modules: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """What modules put out, call after call."""
    seen: dict[str, list[Tensor]] = {name: [] for name in modules}
    handles = [
        module.register_forward_hook(
            lambda _module, _args, out, name=name: seen[name].append(out[0] if isinstance(out, tuple) else out)
        )
        for name, module in modules.items()
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def test_geometry_encoders_see_what_the_release_sees(case: Case, forge: Forge) -> None:
    geometry: Any = forge.plugins["geometry"]
    normal = geometry.encoders["normal"]
    found = {}
    with torch.no_grad(), watched(blocks=normal.blocks[5], attentions=normal.attention) as seen:
        for name in MAPS:
            maps = case[f"in.maps.{name}_u8"].permute(0, 3, 1, 2) / 255 * 2 - 1
            found[name] = geometry.features(name, maps)
            alike(found[name], rows(case[f"out.guidance.{name}"]), 1e-5)
    alike(found["depth"] + found["normal"] + found["render"], rows(case["out.guidance.sum"]), 1e-5)
    for name in ("blocks", "attentions"):
        alike(seen[name][0], rows(case[f"out.guidance.normal.act.{name}.5"]), 1e-5)


def test_a_motion_module_normalises_every_frame_by_itself(case: Case, forge: Forge) -> None:
    modules: Any = forge.plugins["motion"].temporal
    entering = rows(case["out.motion_module0.in"])
    first = modules.sites["down_blocks/0/attentions/0"]
    with torch.no_grad():
        alike(first(entering, num_frames=len(entering)), rows(case["out.motion_module0.out"]), 1e-5)


def test_the_identity_encoder_sees_what_the_release_sees(case: Case, forge: Forge) -> None:
    identity: Any = forge.plugins["identity"]
    left: list[Tensor] = []
    handle = identity.unet.conv_norm_out.register_forward_pre_hook(lambda _module, args: left.append(args[0]))
    with torch.no_grad():
        seen = identity.observe(case["in.fwd.ref_latents"], case["in.text_embeds"])
    handle.remove()
    alike(left[0], case["out.ref.hidden_out"], 1e-5)
    assert set(seen) == set(case.facts["bank_pairs_in_official_order"])
    bank = case.weights("out.ref.bank.")
    assert len(bank) == 3
    for site, tokens in bank.items():
        alike(seen[site], tokens, 1e-5)


def test_one_forward_matches_with_and_without_the_portrait(case: Case, forge: Forge) -> None:
    alike(predicted(case, forge, guidance=1.0, strength={"identity": 0}), rows(case["out.fwd.plain.sample"]), 1e-5)
    alike(predicted(case, forge, guidance=1.0), rows(case["out.fwd.nocfg.sample"]), 3e-5)


def test_one_guided_forward_matches_inside_and_out(case: Case, forge: Forge) -> None:
    unet, scale = forge.backbone.unet, case.facts["config"]["guidance_scale"]
    motion: Any = forge.plugins["motion"].temporal
    first = motion.sites["down_blocks/0/attentions/0"]
    entering: list[Tensor] = []
    handle = first.register_forward_pre_hook(lambda _module, args: entering.append(args[0]))
    forge.backbone.hooks.install()  # ours come first, so that these see what the network goes on with
    places = {"conv_in_plus_guidance": unet.conv_in, "down_blocks.0.motion_modules.0": first}
    places |= {"mid_block": unet.mid_block, "up_blocks.0": unet.up_blocks[0]}
    with watched(**places) as seen:
        found = predicted(case, forge)
    handle.remove()
    null, conditioned = case["out.fwd.cfg.sample"].transpose(1, 2)
    alike(found, null + scale * (conditioned - null), 3e-5)
    for name, outputs in {**seen, "down_blocks.0.attentions.0": entering}.items():
        recorded = case[f"out.fwd.cfg.act.{name}"].transpose(1, 2)
        assert len(outputs) == 2
        for half, expected in zip(outputs, reversed(recorded), strict=True):  # ours begins with the conditioned one
            alike(half, expected, 3e-5)


def test_the_portrait_is_not_rounded_unless_the_release_is_repeated(
    case: Case, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    scale = case.facts["config"]["guidance_scale"]
    null, conditioned = case["out.fwd.cfg_fp32bank.sample"].transpose(1, 2)
    exact = null + scale * (conditioned - null)
    monkeypatch.setattr(forge, "parity", False)
    alike(predicted(case, forge), exact, 1e-5)
    monkeypatch.setattr(forge, "parity", True)
    with pytest.raises(AssertionError, match=">"):
        alike(predicted(case, forge), exact, 2e-5)


def test_windows_are_those_the_release_cuts(case: Case) -> None:
    recorded = [each for each in case.facts["context_windows"] if each["stride"] == 1 and each["step"] == 0]
    assert len(recorded) >= 12  # the others differ in what its pipeline never asks for
    for each in recorded:
        cut = Windows(length=each["length"], overlap=each["overlap"], loop=True, blend="flat").over(each["frames"])
        assert [list(window.items) for window in cut] == each["windows"]
        visits = [sum(window.items.count(frame) for window in cut) for frame in range(each["frames"])]
        assert visits == each["frame_visits"]
        assert {weight for window in cut for weight in window.weights} == {1.0}


def test_every_step_of_the_pipeline_and_both_ends_match(case: Case, forge: Forge) -> None:
    steps: list[Any] = []
    results = list(forge.animate(jobs(case), windows=windows(case), progress=steps.append))
    assert [step.timestep for step in steps] == case.facts["pipeline_calls"]["pipe"]["timesteps"]
    for number, step in enumerate(steps):
        alike(step.prediction, rows(case[f"out.pipe.noise_pred.step{number}"]), 2e-4)
        recorded = rows(case[f"out.pipe.latents.step{number}"])
        alike(step.latents, recorded, 1e-4)
        assert float((step.latents - recorded).abs().max()) <= 1e-3
    source = ready(jobs(case)[0], forge.backbone, forge.plugins, forge.defaults).request.pictures["source"]
    latents = forge.backbone.encode_picture(source[None]) * forge.backbone.latent_scale
    alike(latents, case["out.pipe.ref_latents"], 1e-5)
    decoded = forge.backbone.decode_latents(torch.stack([each.latents for each in results[:2]])) / 2 + 0.5
    recorded = rows(case["out.pipe.video_first2"])
    alike(decoded.clamp(0, 1), recorded, 1e-4)
    for result, expected in zip(results, recorded, strict=False):
        levels = torch.from_numpy(np.array(result.image)).permute(2, 0, 1) / 255
        assert float((levels - expected).abs().max()) <= 0.5 / 255 + 1e-4


def test_without_guidance_overlapping_windows_are_averaged_and_never_summed(case: Case, forge: Forge) -> None:
    steps: list[Any] = []
    list(forge.animate(jobs(case, guidance=1.0), windows=windows(case), progress=steps.append))
    cut = windows(case).over(frames(case))
    visits = torch.tensor([sum(frame in window.items for window in cut) for frame in range(frames(case))])
    # Before the first step both stand on the same noise, so that theirs is ours times the windows that saw a frame.
    summed = steps[0].prediction * visits[:, None, None, None]
    alike(summed, rows(case["out.pipe_nocfg.noise_pred.step0"]), 2e-4)
    if visits.max() == 1:
        for number, step in enumerate(steps):
            alike(step.prediction, rows(case[f"out.pipe_nocfg.noise_pred.step{number}"]), 2e-4)
            alike(step.latents, rows(case[f"out.pipe_nocfg.latents.step{number}"]), 1e-4)
    else:
        with pytest.raises(AssertionError, match=">"):
            alike(steps[0].prediction, rows(case["out.pipe_nocfg.noise_pred.step0"]), 0.1)


def test_the_schedule_ends_in_pure_noise_as_the_release_s_does(case: Case, forge: Forge) -> None:
    scheduler: Any = forge.backbone.scheduler
    alike(scheduler.alphas_cumprod, case["out.sched.alphas_cumprod"], 1e-6)
    assert scheduler.config.prediction_type == "v_prediction"

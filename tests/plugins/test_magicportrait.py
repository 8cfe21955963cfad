"""MagicPortrait's published files: every key at full size, who goes before whom, and what is not a release."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, MotionAdapter, PNDMScheduler
from torch import Tensor

from faceforge import Job
from faceforge.core.backbone import Backbone
from faceforge.core.text import StoredText
from faceforge.errors import BadWeights
from faceforge.io.weights import read_tensors
from faceforge.models import convert, forged, load_folder
from faceforge.plugin import Files, Ledger, Release
from faceforge.store.backbones import tiny
from faceforge_plugins.magicportrait.geometry import MAPS, WIDTHS
from faceforge_plugins.magicportrait.release import Ledgers, from_ledgers
from tests.makes import portrait
from tests.releases import (
    SD15,
    diffusers_files,
    full_size,
    magicportrait_files,
    magicportrait_tensors,
    pickled,
    written,
)

MOTION, DENOISER, IDENTITY = (
    f"ckpts/{name}.pth" for name in ("motion_module-47360", "denoising_unet", "reference_unet")
)


def ledgers(files: dict[str, dict[str, Tensor]]) -> Ledgers:
    motion, denoiser, identity = (
        Ledger(f"{name}.pth", files[name]) for name in ("motion_module-47360", "denoising_unet", "reference_unet")
    )
    geometry = {name: Ledger(f"guidance_encoder_{name}.pth", files[f"guidance_encoder_{name}"]) for name in MAPS}
    return Ledgers(motion, denoiser, identity, geometry)


def test_no_key_is_left_over_and_none_is_missing_at_full_size() -> None:
    with torch.device("meta"):
        files = magicportrait_tensors(SD15, WIDTHS)
    assert [len(each) for each in files.values()] == [588, 686, 682, 149, 149, 149]
    assert sum(each.numel() for each in files["reference_unet"].values()) == 859_508_800
    assert sum(each.numel() for each in files["guidance_encoder_depth"].values()) == 3_833_136
    release = from_ledgers(ledgers(files), Backbone(full_size(SD15), PNDMScheduler(), StoredText({})))
    identity, geometry, motion = release.plugins
    assert sum(each.numel() for each in motion.parameters()) == 453_209_280
    assert len(motion.state_dict()) == 567
    assert sum(each.numel() for each in geometry.parameters()) == 3 * 2_270_736
    assert identity.options == {"normed": True, "null": "drop", "scaled": True, "half": True}
    dead = "tensors left out: their code never runs them"
    assert release.report == [
        "the stock UNet: 0 of 686 tensors kept -> backbone, motion",
        "motion_module-47360.pth: 588 of 588 tensors kept -> backbone, motion",
        "denoising_unet.pth: 686 of 686 tensors kept -> backbone, motion",
        "reference_unet.pth: 682 tensors -> identity",
        *(
            line
            for name in MAPS
            for line in (
                f"guidance_encoder_{name}.pth: 114 {dead}",
                f"guidance_encoder_{name}.pth: 35 tensors -> geometry",
            )
        ),
    ]


def test_motion_modules_are_those_of_a_stock_adapter() -> None:
    with torch.device("meta"):
        files = magicportrait_tensors(SD15, WIDTHS)
        adapter = MotionAdapter().state_dict()
    *_, motion = from_ledgers(ledgers(files), Backbone(full_size(SD15), PNDMScheduler(), StoredText({}))).plugins
    ours = {
        key.removeprefix("temporal.sites.").replace("/", "."): tuple(each.shape)
        for key, each in motion.state_dict().items()
    }
    theirs = {
        key.replace("motion_modules", kind(key)): tuple(each.shape) for key, each in adapter.items()
    }  # after the attention of a layer, or its resnet where it has none
    assert ours == theirs


def kind(key: str) -> str:
    return "resnets" if key.startswith(("down_blocks.3", "up_blocks.0")) else "attentions"


@pytest.fixture
def base(tmp_path: Path) -> str:
    return str(written(diffusers_files(tiny(seed=1), tmp_path / "made"), tmp_path / "base"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(magicportrait_files(tiny(seed=2), tmp_path / "vae"), tmp_path / "magicportrait")


def converted(folder: Path, base: str) -> Release:
    return convert("geometry", Files((folder,)), "", base)


def change(folder: Path, name: str, changes: dict[str, Tensor | None]) -> None:
    """Put other tensors into a file; None takes one out."""
    tensors = {key: each.clone() for key, each in read_tensors(folder / name).items()} | changes
    (folder / name).write_bytes(pickled({key: each for key, each in tensors.items() if each is not None}))


def frames(count: int) -> list[Job]:
    pictures = [{name: portrait(10 * n + k, 64) for k, name in enumerate(MAPS)} for n in range(count)]
    return [Job.of(portrait(side=64), None, {"pictures": each, "steps": 2, "size": 64}) for each in pictures]


def test_a_converted_release_animates_and_is_saved_as_any_model(folder: Path, base: str, tmp_path: Path) -> None:
    forge = forged(converted(folder, base), name="magicportrait")
    results = list(forge.animate(frames(3)))
    assert (results[0].spec.prompt, results[0].spec.guidance) == ("A close up of a person.", 3.5)
    assert forge.defaults.steps == 20
    assert isinstance(forge.backbone.scheduler, DDIMScheduler)
    again = load_folder(forge.save(tmp_path / "model"))
    for one, two in zip(results, again.animate(frames(3)), strict=True):
        assert torch.equal(one.latents, two.latents)
        assert one.image.tobytes() == two.image.tobytes()  # the release's own VAE was saved with it


def test_the_release_s_own_vae_takes_the_place_of_the_base_s(folder: Path, base: str) -> None:
    vae = converted(folder, base).backbone.vae
    own, other = tiny(seed=2).vae, tiny(seed=1).vae
    assert torch.equal(vae.decoder.conv_in.weight, own.decoder.conv_in.weight)
    assert not torch.equal(vae.decoder.conv_in.weight, other.decoder.conv_in.weight)


def test_later_files_go_before_earlier_ones_and_the_stock_network_last(folder: Path, base: str) -> None:
    norm = "down_blocks.0.motion_modules.0.temporal_transformer.norm.bias"
    width = tiny().unet.config.block_out_channels[0]
    change(folder, MOTION, {norm: torch.full((width,), 1.0), "conv_out.bias": torch.full((4,), 1.0)})
    change(
        folder,
        DENOISER,
        {norm: torch.full((width,), 2.0), "conv_out.bias": torch.full((4,), 2.0), "conv_in.bias": None},
    )
    release = converted(folder, base)
    motion: Any = release.plugins[-1]
    assert (motion.temporal.sites["down_blocks/0/attentions/0"].norm.bias == 2.0).all()
    assert (release.backbone.unet.conv_out.bias == 2.0).all()
    assert torch.equal(release.backbone.unet.conv_in.bias, tiny(seed=1).unet.conv_in.bias)
    stock, first, second = release.report[:3]
    assert stock.startswith("the stock UNet: 1 of ")
    held = len(read_tensors(folder / MOTION))
    assert first.startswith(f"motion_module-47360.pth: {held - 2} of {held} tensors kept")
    assert f": {len(read_tensors(folder / DENOISER))} of " in second


def test_a_denoiser_may_hold_its_motion_modules_itself_and_names_may_have_a_prefix(folder: Path, base: str) -> None:
    expected = converted(folder, base).plugins[-1].state_dict()
    motion = read_tensors(folder / MOTION)
    change(folder, DENOISER, {f"module.{key}": each.clone() for key, each in motion.items()})
    (folder / MOTION).write_bytes(pickled({key: torch.zeros_like(each) for key, each in motion.items()}))
    found = converted(folder, base).plugins[-1].state_dict()
    assert all(torch.equal(found[key], each) for key, each in expected.items())


PLACES = "down_blocks.0.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.1.pos_encoder.pe"
LAST = "up_blocks.1.motion_modules.1.temporal_transformer.proj_out.weight"


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        (MOTION, {LAST: None}, "lacks 1 tensors (temporal.sites.up_blocks/1/attentions/1.proj_out.weight)"),
        (MOTION, {LAST: torch.zeros(2, 2)}, "has shape (2, 2), expected (16, 16)"),
        (MOTION, {PLACES: torch.zeros(1, 32, 16)}, "is not what the first attention has"),
        (DENOISER, {"surprise.weight": torch.zeros(1)}, "has unknown 1 tensors (surprise.weight)"),
        (IDENTITY, {"conv_in.weight": None}, "lacks 1 tensors (unet.conv_in.weight)"),
        ("ckpts/guidance_encoder_normal.pth", {"conv_out.bias": None}, "lacks 1 tensors (encoders.normal.conv_out"),
        ("ckpts/guidance_encoder_normal.pth", {"mystery": torch.zeros(1)}, "has 1 unknown tensors (mystery"),
    ],
)
def test_what_does_not_cover_every_key_is_refused(
    folder: Path, base: str, name: str, changes: dict[str, Tensor | None], words: str
) -> None:
    change(folder, name, changes)
    with pytest.raises(BadWeights) as refusal:
        converted(folder, base)
    assert words in str(refusal.value)


def test_a_release_without_any_motion_module_is_refused(folder: Path, base: str) -> None:
    (folder / MOTION).write_bytes((folder / DENOISER).read_bytes())
    with pytest.raises(BadWeights, match=r"Neither motion_module-47360\.pth nor denoising_unet\.pth holds a motion"):
        converted(folder, base)


def test_a_missing_file_is_named(folder: Path, base: str) -> None:
    (folder / "ckpts/guidance_encoder_depth.pth").unlink()
    with pytest.raises(BadWeights, match=r"'ckpts/guidance_encoder_depth\.pth' is not in magicportrait"):
        converted(folder, base)


def test_the_identity_encoder_can_be_forgotten_and_read_again_but_motion_stays(folder: Path, base: str) -> None:
    plain, spare = (forged(converted(folder, base), name="magicportrait") for _ in range(2))
    spare.low_memory()
    for _ in range(2):
        one, two = (torch.stack([each.latents for each in forge.animate(frames(3))]) for forge in (plain, spare))
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4)
    assert next(spare.plugins["identity"].parameters()).is_meta
    assert not next(spare.plugins["motion"].parameters()).is_meta


def test_the_unguided_branch_leaves_the_portrait_out(folder: Path, base: str) -> None:
    forge = forged(converted(folder, base), name="magicportrait")
    others = [Job(portrait(9, 64), job.spec, job.pictures) for job in frames(2)]
    for guidance, same in ((0.0, True), (3.5, False)):
        one, two = (
            torch.stack(
                [
                    each.latents
                    for each in forge.animate(Job(j.image, j.spec.with_(guidance=guidance), j.pictures) for j in jobs)
                ]
            )
            for jobs in (frames(2), others)
        )
        assert torch.allclose(one, two, atol=1e-5) == same

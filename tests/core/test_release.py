"""Published layouts at their real sizes, as shapes; and what happens to files that are not what they should be."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import PNDMScheduler, UNet2DConditionModel
from safetensors.torch import load, save

from faceforge.core.backbone import Backbone
from faceforge.core.lora import ATTENTION_LAYERS
from faceforge.core.text import StoredText
from faceforge.errors import BadWeights
from faceforge.models import convert, forged
from faceforge.plugin import MAGICFACE, RIGFACE, Files, Ledger, Paired, Plugin
from faceforge.store.backbones import WEIGHTS, tiny
from faceforge_plugins.faceid import FaceId
from faceforge_plugins.fineface import FineFace
from faceforge_plugins.magicface import MagicFace
from faceforge_plugins.rigface import RigFace
from tests.makes import portrait
from tests.releases import (
    SD15,
    SD21,
    diffusers_files,
    fineface_files,
    full_size,
    magicface_files,
    paired_files,
    paired_tensors,
    written,
)


def on_base(*, unet: UNet2DConditionModel | None = None) -> Backbone:
    return Backbone(unet or full_size(SD15), PNDMScheduler(), StoredText({}))


@pytest.mark.parametrize(
    ("layout", "plugin", "parameters"), [(MAGICFACE, MagicFace, 859_549_124), (RIGFACE, RigFace, 859_627_204)]
)
def test_releases_of_two_networks_leave_no_key_over_at_full_size(
    layout: Paired, plugin: type[Plugin], parameters: int
) -> None:
    with torch.device("meta"):
        denoiser, identity = paired_tensors(layout, SD15)
    assert (len(denoiser), len(identity)) == (688, 686)
    assert sum(tensor.numel() for tensor in denoiser.values()) == parameters
    ledgers = Ledger(layout.denoiser, denoiser), Ledger(layout.identity, identity)
    release = layout.from_tensors(plugin(), *ledgers, {**SD15, "in_channels": layout.channels}, on_base)
    person, *stems, added = release.plugins
    assert sum(parameter.numel() for parameter in person.parameters()) == 859_520_964
    assert [stem.picture for stem in stems] == list(layout.pictures)
    assert {tuple(stem.stem.weight.shape) for stem in stems} == {(320, 4, 3, 3)}
    assert tuple(getattr(added, layout.layer).weight.shape) == (1280, layout.numbers)
    assert release.backbone.unet.conv_in.weight.shape[1] == 4
    assert len(release.backbone.self_sites) == 16
    beside = ", ".join(f"{stem.name} (4 more)" for stem in stems)
    assert release.report == [
        f"{layout.denoiser}: 688 tensors -> backbone (4 input channels), {beside}, {layout.name}",
        f"{layout.identity}: 686 tensors -> identity",
    ]


def test_fineface_at_full_size_leaves_no_key_over() -> None:
    backbone = on_base(unet=full_size(SD21))
    sites = backbone.cross_sites
    with torch.device("meta"):
        adapter = {
            f"{site}.attn2.processor.au_to_{part}.weight": torch.empty(width, 1024)
            for site, width in sites.items()
            for part in "kv"
        }
        lora = {}
        for site, block in backbone.sites.items():
            for name in (f"{a}.{n}" for a in ("attn1", "attn2") for n in ATTENTION_LAYERS):
                layer = block.get_submodule(name)
                lora[f"unet.{site}.{name}.lora_A.weight"] = torch.empty(32, layer.in_features)
                lora[f"unet.{site}.{name}.lora_B.weight"] = torch.empty(layer.out_features, 32)
        encoder = {"au_encoder.weight": torch.empty(64, 12), "au_encoder.bias": torch.empty(64)}
    assert (len(adapter), len(lora)) == (32, 256)
    assert sum(tensor.numel() for tensor in adapter.values()) == 25_559_040
    assert sum(tensor.numel() for tensor in lora.values()) == 6_639_616
    ledgers = Ledger("adapter", adapter), Ledger("encoder", encoder)
    release = FineFace.from_tensors(*ledgers, backbone, Ledger("lora", lora))
    assert release.plugins[0].lora.scale == 8 / 32
    assert release.report[0] == "adapter: 16 tensors left out: the key of a single token does nothing"
    assert len(release.report) == 4


def test_faceid_at_full_size_meets_the_layers_by_their_released_numbers() -> None:
    backbone = on_base()
    with torch.device("meta"):
        plugin = FaceId()
        plugin.build(backbone)
    assert [
        (number, name)
        for number, name in enumerate(backbone.unet.attn_processors)
        if name.removesuffix(".attn2.processor") in backbone.cross_sites and number in (1, 13, 31)
    ] == [
        (1, "down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor"),
        (13, "up_blocks.1.attentions.0.transformer_blocks.0.attn2.processor"),
        (31, "mid_block.attentions.0.transformer_blocks.0.attn2.processor"),
    ]


@pytest.fixture
def base(tmp_path: Path) -> str:
    return str(written(diffusers_files(tiny(), tmp_path / "made"), tmp_path / "base"))


@pytest.fixture
def magicface(tmp_path: Path) -> Path:
    return written(magicface_files(), tmp_path / "magicface")


@pytest.mark.parametrize("layout", [MAGICFACE, RIGFACE], ids=lambda layout: layout.name)
def test_side_convolutions_equal_the_widened_one(layout: Paired, base: str, tmp_path: Path) -> None:
    folder = written(paired_files(layout), tmp_path / layout.name)
    forge = forged(convert(layout.name, Files((folder,)), "", base), name=layout.name)
    released = load((folder / layout.denoiser / WEIGHTS).read_bytes())["conv_in.weight"]
    noisy, *pictures = torch.randn(1 + len(layout.pictures), 1, 4, 8, 8)
    unet, stems = forge.backbone.unet, [each for each in forge.plugins.values() if each.name.startswith("attributes")]
    assert [stem.picture for stem in stems] == list(layout.pictures)
    whole = torch.nn.functional.conv2d(torch.cat([noisy, *pictures], 1), released, unet.conv_in.bias, padding=1)
    found = unet.conv_in(noisy) + sum(stem.stem(each) for stem, each in zip(stems, pictures, strict=True))
    torch.testing.assert_close(found, whole, rtol=1e-5, atol=1e-5)


def test_a_converted_release_edits(magicface: Path, base: str) -> None:
    forge = forged(convert("magicface", Files((magicface,)), "", base), name="magicface")
    edit = {"pictures": {"background": portrait(3)}, "steps": 2, "size": 64}
    smiling, still = (forge.edit(portrait(), aus=aus, **edit) for aus in ({"AU12": 3}, {}))
    assert not torch.equal(smiling.latents, still.latents)
    assert smiling.spec.guidance == 1.5
    assert smiling.spec.prompt == "A close up of a person."
    assert forge.backbone.scheduler.config.final_sigmas_type == "sigma_min"


def test_a_converted_release_can_forget_its_identity_encoder_too(magicface: Path, base: str) -> None:
    plain, spare = (forged(convert("magicface", Files((magicface,)), "", base), name="magicface") for _ in range(2))
    spare.low_memory()
    edit = {"pictures": {"background": portrait(3)}, "aus": {"AU12": 3}, "steps": 2, "size": 64}
    for _ in range(2):
        one, two = (forge.edit(portrait(), **edit).latents for forge in (plain, spare))
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4)  # one row per call instead of two
    assert next(spare.plugins["identity"].parameters()).is_meta


@pytest.mark.parametrize(("given", "asked"), [(MAGICFACE, RIGFACE), (RIGFACE, MAGICFACE)])
def test_files_of_the_other_release_are_called_by_their_name(
    tmp_path: Path, base: str, given: Paired, asked: Paired
) -> None:
    folder = written(paired_files(given), tmp_path / "download")
    names = rf"files of '{given.name}' \(.*\), expected '{asked.name}' .* Use them as '{given.name}'"
    with pytest.raises(BadWeights, match=names):  # by their folders
        convert(asked.name, Files((folder,)), "", base)
    moved = replace(asked, denoiser=given.denoiser, identity=given.identity)  # or by their tensors
    with pytest.raises(BadWeights, match=names) as refusal:
        moved.convert(Files((folder,)), MagicFace(), on_base)
    assert f"({given.channels} input channels and a vector of {given.numbers})" in str(refusal.value)


def test_the_only_checkpoint_of_a_training_run_is_found_and_several_are_not_guessed(tmp_path: Path, base: str) -> None:
    folder = written(paired_files(RIGFACE, below="checkpoint-70000/"), tmp_path / "rigface")
    assert len(convert("rigface", Files((folder,)), "", base).plugins) == 4
    other = folder / RIGFACE.identity / "checkpoint-60000"
    other.mkdir()
    (other / "config.json").write_text("{}")
    with pytest.raises(BadWeights, match="holds checkpoint-60000, checkpoint-70000, expected one"):
        convert("rigface", Files((folder,)), "", base)
    (folder / RIGFACE.identity / "config.json").write_text("{}")  # the folder itself goes first
    with pytest.raises(BadWeights, match=f"'pre_trained/unet_id/{WEIGHTS}' is not in rigface"):
        convert("rigface", Files((folder,)), "", base)


@pytest.mark.parametrize("prefix", ["", "module.", "unet."])
def test_fineface_accepts_the_prefixes_that_tools_add(tmp_path: Path, base: str, prefix: str) -> None:
    from faceforge.io.weights import read_tensors
    from tests.releases import pickled

    folder = written(fineface_files(tiny()), tmp_path / "fineface")
    adapter = {key: each.clone() for key, each in read_tensors(folder / "attn_processors.ckpt").items()}
    (folder / "attn_processors.ckpt").write_bytes(pickled({f"{prefix}{key}": each for key, each in adapter.items()}))
    release = convert("fineface", Files((folder,)), "", base)
    site = next(iter(release.backbone.cross_sites))
    found = release.plugins[0].read[site.replace(".", "/")].to_v.weight
    assert torch.equal(found, adapter[f"{site}.attn2.processor.au_to_v.weight"])


def spoil(folder: Path, name: str, **changes: object) -> None:
    """Change tensors of a file: None removes one."""
    tensors = load((folder / name).read_bytes())
    for key, value in changes.items():
        key = key.replace("__", ".")
        if value is None:
            del tensors[key]
        else:
            tensors[key] = value
    (folder / name).write_bytes(save(tensors))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"au_aug_mlp__weight": None}, "lacks 'au_aug_mlp.weight'"),
        ({"au_aug_mlp__weight": torch.zeros(64, 64)}, "expected (64, 12)"),  # RigFace, for one
        ({"conv_in__weight": torch.zeros(16, 12, 3, 3)}, "expected (16, 8, 3, 3)"),
        ({"motion__weight": torch.zeros(1)}, "has unknown 1 tensors (motion.weight)"),
        ({"conv_out__bias": None}, "lacks 1 tensors (conv_out.bias)"),
        ({"conv_out__bias": torch.zeros(3)}, "has shape (3,), expected (4,)"),
    ],
)
def test_a_release_that_does_not_fit_is_refused(magicface: Path, base: str, changes: dict, words: str) -> None:
    spoil(magicface, f"denoising_unet/{WEIGHTS}", **changes)
    with pytest.raises(BadWeights) as refusal:
        convert("magicface", Files((magicface,)), "", base)
    assert words in str(refusal.value)


def test_a_missing_file_is_named(magicface: Path, base: str) -> None:
    (magicface / "ID_enc" / WEIGHTS).unlink()
    with pytest.raises(BadWeights, match=f"'ID_enc/{WEIGHTS}' is not in magicface"):
        convert("magicface", Files((magicface,)), "", base)


def test_an_adapter_for_another_base_is_refused(tmp_path: Path, base: str) -> None:
    folder = written(fineface_files(tiny(widths=(8, 16))), tmp_path / "fineface")
    with pytest.raises(BadWeights, match=r"fineface: .* has shape"):
        convert("fineface", Files((folder,)), "", base)

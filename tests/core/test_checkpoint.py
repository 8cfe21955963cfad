"""Saved Forges: whole, strict, bound to their backbone, and read without executing anything."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from faceforge import load
from faceforge.errors import BadPlugin, BadWeights, CannotWrite
from faceforge.store.backbones import tiny
from faceforge.store.checkpoint import damaged, load_plugin
from tests.makes import forge_of, portrait

EDIT = {"aus": {"AU12": 2.0}, "steps": 2, "seed": 3, "pictures": {"background": portrait(4)}}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return forge_of("identity", "attributes", "magicface", "fineface").save(tmp_path / "saved")


def test_a_saved_forge_makes_the_same_picture(saved: Path) -> None:
    forge = forge_of("identity", "attributes", "magicface", "fineface")
    one, two = (each.edit(portrait(), **EDIT) for each in (forge, load(saved)))
    assert torch.equal(one.latents, two.latents)
    assert one.provenance == two.provenance


def test_a_lora_is_saved_with_its_plugin_and_the_backbone_stays_stock(tmp_path: Path) -> None:
    from faceforge.testing import randomise
    from faceforge_plugins.fineface import FineFace

    forge = forge_of()
    stock = forge_of().save(tmp_path / "stock")
    plugin = FineFace(rank=4).built_on(forge.backbone)
    randomise(plugin)
    forge.attach(plugin)
    again = load(forge.save(tmp_path / "saved"))
    assert torch.equal(forge.generate(**_aus()).latents, again.generate(**_aus()).latents)
    unet = "backbone/unet/diffusion_pytorch_model.safetensors"
    one, two = load_file(stock / unet), load_file(tmp_path / "saved" / unet)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_saving_again_replaces_the_whole_folder(saved: Path) -> None:
    forge = forge_of("magicface")
    forge.save(saved)
    assert [path.name for path in (saved / "plugins").iterdir()] == ["magicface"]
    assert set(load(saved).plugins) == {"text", "magicface"}


def test_saving_never_replaces_what_somebody_else_put_there(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(CannotWrite):
        forge_of("magicface").save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_weights_for_another_backbone_are_refused_before_they_are_read(saved: Path) -> None:
    (saved / "plugins/magicface/weights.safetensors").write_bytes(b"never looked at")
    with pytest.raises(BadWeights, match=r"weights for unet-.* do not fit unet-"):
        load_plugin(saved / "plugins/magicface", tiny(widths=(8, 16)))


def test_a_changed_tensor_is_found(saved: Path) -> None:
    folder = saved / "plugins/magicface"
    assert damaged(folder) == []
    tensors = load_file(folder / "weights.safetensors")
    tensors["changes.bias"][0] += 1
    save_file(tensors, folder / "weights.safetensors")
    assert damaged(folder) == ["changes.bias"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tensors: tensors.pop("changes.bias"), "lacks 1 tensors (changes.bias)"),
        (lambda tensors: tensors.update(extra=torch.zeros(1)), "has unknown 1 tensors (extra)"),
        (lambda tensors: tensors.update({"changes.bias": torch.zeros(3)}), "has shape (3,), expected (64,)"),
    ],
)
def test_weights_fit_exactly_or_not_at_all(saved: Path, change: object, words: str) -> None:
    path = saved / "plugins/magicface/weights.safetensors"
    tensors = load_file(path)
    change(tensors)  # type: ignore[operator]
    save_file(tensors, path)
    with pytest.raises(BadWeights) as refusal:
        load(saved)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("model.json", {"format": 99}, "format 99"),
        ("model.json", {"surprise": 1}, "surprise"),
        ("plugins/magicface/manifest.json", {"kind": "magicfase"}, "Did you mean 'magicface'"),
        ("plugins/magicface/manifest.json", {"surprise": 1}, "surprise"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    saved: Path, file: str, change: dict[str, object], words: str
) -> None:
    content = json.loads((saved / file).read_text())
    (saved / file).write_text(json.dumps({**content, **change}))
    with pytest.raises((BadWeights, BadPlugin)) as refusal:
        load(saved)
    assert words in str(refusal.value)


@pytest.mark.parametrize("file", ["model.json", "plugins/magicface/manifest.json"])
def test_a_description_cut_in_half_is_refused(saved: Path, file: str) -> None:
    content = (saved / file).read_bytes()
    (saved / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(BadWeights, match="cannot be used"):
        load(saved)


def test_a_folder_that_is_no_forge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match=r"model\.json is missing"):
        load(tmp_path)


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadPlugin, match="Did you mean 'magicface'"):
        load("magicfase")


def _aus() -> dict[str, object]:
    return {"aus": {"AU12": 2.0}, "steps": 2}

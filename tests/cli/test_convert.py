"""`faceforge convert`: published layouts become saved models, and nothing of anybody's is overwritten."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceforge.store.backbones import tiny
from tests.cli.running import names_in, run
from tests.makes import portrait
from tests.releases import diffusers_files, fineface_files, magicface_files, magicportrait_files, written


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    diffusers_files(tiny(), folder)
    return folder


@pytest.fixture(scope="module")
def magicface(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(magicface_files(), tmp_path_factory.mktemp("release") / "magicface")


def test_a_release_becomes_a_model_that_edits_and_passes_check(here: Path, base: Path, magicface: Path) -> None:
    ran = run("convert", "magicface", magicface, "--base", base, "-o", "model")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0] == "model"
    assert "tensors -> backbone (4 input channels), attributes" in ran.out
    assert "licence of the weights: Apache-2.0 as tagged" in ran.out
    portrait().save("room.png")
    picture = ["--picture", "background=room.png", "--steps", 2]
    for amount in (0, 3):
        ran = run("edit", "--model", "model", *picture, "--au", f"AU12={amount}", "-o", f"{amount}.png")
        assert ran.code == 0, ran.err
    assert not np.array_equal(np.asarray(Image.open("0.png")), np.asarray(Image.open("3.png")))


def test_another_release_lands_in_the_same_kind_of_folder(here: Path, base: Path, tmp_path: Path) -> None:
    folder = written(fineface_files(tiny()), tmp_path / "fineface")
    assert run("convert", "fineface", folder, "--base", base, "-o", "model").code == 0
    ran = run(
        "generate", "--model", "model", "--au", "AU12=3", "--steps", 1, "--lora-scale", "fineface=0.5", "-o", "x.png"
    )
    assert ran.code == 0, ran.err
    assert run("generate", "--from", "x.png", "--model", "model", "-o", "y.png").code == 0
    assert np.array_equal(np.asarray(Image.open("x.png")), np.asarray(Image.open("y.png")))


def test_an_earlier_model_is_replaced_and_a_strangers_folder_is_not(here: Path, base: Path, magicface: Path) -> None:
    for _ in range(2):
        assert run("convert", "magicface", magicface, "--base", base, "-o", "model").code == 0
    Path("thesis").mkdir()
    Path("thesis/chapter1.txt").write_text("years of work")
    refusal = run("convert", "magicface", magicface, "--base", base, "-o", "thesis").refusal
    assert "chapter1.txt" in refusal
    assert names_in(here / "thesis") == ["chapter1.txt"]
    (here / "model/notes.txt").write_text("mine")
    assert "notes.txt" in run("convert", "magicface", magicface, "--base", base, "-o", "model").refusal
    assert names_in(here) == ["model", "thesis"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["magicfase", "."], "Did you mean 'magicface'?"),
        (["magicface", "nowhere"], "no folder 'nowhere'"),
        (["magicface", "."], "is not in"),
        (["magicface"], "Missing argument 'FOLDER...'"),
    ],
)
def test_what_cannot_be_converted_is_refused(here: Path, base: Path, arguments: list[str], says: str) -> None:
    assert says in run("convert", *arguments, "--base", base, "-o", "model").refusal
    assert names_in(here) == []


def test_a_base_that_is_none_is_refused(here: Path, magicface: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = run("convert", "magicface", magicface, "--base", tmp_path / "empty", "-o", "model")
    assert "diffusers' layout" in ran.refusal
    edit = run("edit", "--model", "magicface", "--base", tmp_path / "empty", "-o", "out.png")
    assert "diffusers' layout" in edit.refusal
    assert names_in(here) == []


def test_a_release_with_one_tensor_too_many_is_refused(here: Path, base: Path, tmp_path: Path) -> None:
    import torch

    folder = written(fineface_files(tiny()), tmp_path / "fineface")
    tensors = torch.load(folder / "au_encoder.ckpt")
    torch.save({**tensors, "surprise.weight": torch.zeros(1)}, folder / "au_encoder.ckpt")
    assert "surprise.weight" in run("convert", "fineface", folder, "--base", base, "-o", "model").refusal
    assert names_in(here) == []


def test_a_release_in_six_files_says_what_each_of_them_gave(here: Path, base: Path, tmp_path: Path) -> None:
    folder = written(magicportrait_files(tiny(), tmp_path / "vae"), tmp_path / "magicportrait")
    ran = run("convert", "magicportrait", folder, "--base", base, "-o", "model")
    assert ran.code == 0, ran.err
    assert "the stock UNet: 0 of " in ran.out
    assert "motion_module-47360.pth: " in ran.out
    assert "guidance_encoder_depth.pth: 114 tensors left out: their code never runs them" in ran.out
    for name in ("source", "depth", "normal", "render"):
        portrait(len(name), 64).save(f"{name}.png")
    maps = [word for name in ("depth", "normal", "render") for word in ("--picture", f"{name}={name}.png")]
    ran = run("edit", "source.png", "--model", "model", *maps, "--steps", 2, "-o", "out.png")
    assert ran.code == 0, ran.err
    assert Image.open("out.png").size == (64, 64)

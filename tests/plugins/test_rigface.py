"""RigFace as its users meet it: converted, given two pictures and 64 numbers, saved, and loaded from the hub."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from faceforge import Forge, load
from faceforge.errors import BadSpec, NoFace
from faceforge.models import convert, forged
from faceforge.plugin import RIGFACE, Files
from faceforge.store.backbones import tiny
from tests.cli.running import run
from tests.makes import Known, portrait
from tests.releases import diffusers_files, paired_files, written

SMILE = np.random.default_rng(0).normal(size=64).astype(np.float32)
EDIT: dict[str, Any] = {
    "pictures": {"background": portrait(3), "render": portrait(4)},
    "vectors": {"expression": SMILE},
    "steps": 2,
    "size": 64,
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    diffusers_files(tiny(), folder)
    return folder


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(paired_files(RIGFACE), tmp_path_factory.mktemp("release") / "rigface")


@pytest.fixture
def forge(release: Path, base: Path) -> Forge:
    return forged(convert("rigface", Files((release,)), "", str(base)), name="rigface", finder=Known())


def edited(forge: Forge, **changes: Any) -> torch.Tensor:
    return forge.edit(portrait(), **{**EDIT, **changes}).latents


def test_it_edits_with_the_defaults_of_the_release(forge: Forge) -> None:
    result = forge.edit(portrait(), **{**EDIT, "steps": None})
    assert (result.spec.prompt, result.spec.guidance, result.spec.steps) == ("A close up of a person.", 1.0, 50)
    assert forge.backbone.scheduler.config.final_sigmas_type == "sigma_min"


def test_every_condition_shows_and_pictures_are_not_interchangeable(forge: Forge) -> None:
    plain = edited(forge)
    background, render = EDIT["pictures"].values()
    for changes in (
        {"pictures": {"background": render, "render": background}},
        {"pictures": {"background": background, "render": background}},
        {"vectors": {"expression": -SMILE}},
    ):
        assert not torch.allclose(edited(forge, **changes), plain, atol=1e-3)


def test_guidance_runs_one_branch_and_changes_nothing(forge: Forge) -> None:
    rows = []
    forge.backbone.unet.register_forward_pre_hook(lambda _module, args: rows.append(len(args[0])))
    plain = edited(forge)
    for guidance in (0.0, 1.5, 7.5):
        assert torch.equal(edited(forge, guidance=guidance), plain)
    assert rows == [1] * 2 * 4


def test_zeros_are_a_neutral_face_and_no_absence(forge: Forge) -> None:
    neutral = edited(forge, vectors={"expression": np.zeros(64)})
    assert not torch.allclose(neutral, edited(forge, strength={"rigface": 0.0}), atol=1e-3)


def test_one_row_of_a_file_is_as_good_as_a_vector_and_other_lengths_are_refused(forge: Forge) -> None:
    assert torch.equal(edited(forge, vectors={"expression": SMILE[None]}), edited(forge))
    with pytest.raises(BadSpec, match="'expression' has 50 numbers, expected the 64"):
        edited(forge, vectors={"expression": np.zeros(50)})
    with pytest.raises(BadSpec, match="needs the vector 'expression'"):
        edited(forge, vectors={})
    with pytest.raises(NoFace, match=r"render would be made from one.*--picture render=FILE"):
        edited(forge, pictures={"background": portrait(3)})


def test_it_is_converted_saved_and_used_from_the_command_line(
    release: Path, base: Path, forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("convert", "rigface", release, "--base", base, "-o", "model")
    assert ran.code == 0, ran.err
    assert "attributes (4 more), attributes-render (4 more), rigface" in ran.out
    assert "licence of the weights: Apache-2.0 as tagged" in ran.out
    assert torch.equal(edited(load("model")), edited(forge))
    for name, picture in EDIT["pictures"].items():
        picture.save(f"{name}.png")
    portrait().save("ada.png")
    np.save("smile.npy", SMILE)
    given = ["--picture", "background=background.png", "--picture", "render=render.png", "--vector"]
    edit = run("edit", "ada.png", "--model", "model", *given, "expression=smile.npy", "--steps", 2, "-o", "out.png")
    assert edit.code == 0, edit.err
    expected = forge.edit("ada.png", **{**EDIT, "size": None})
    assert np.array_equal(np.asarray(Image.open("out.png")), np.asarray(expected.image))

"""`faceforge edit`: what it writes, what it accepts, and that it can be repeated."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from faceforge.assets.make_sample import portrait as drawn
from faceforge.cli.repeat import SAMPLE
from faceforge.io.provenance import read_provenance
from tests.cli.running import TINY, names_in, run, run_apart
from tests.makes import forge_of, portrait


def pixels(path: Path | str) -> np.ndarray:
    return np.asarray(Image.open(path))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model in which every plugin shows."""
    return forge_of("identity", "magicface", name="two").save(tmp_path_factory.mktemp("models") / "two")


def test_the_sample_is_what_its_script_draws() -> None:
    difference = np.asarray(drawn(), int) - pixels(SAMPLE)
    assert abs(difference).max() <= 2  # rounding of another numpy


def test_the_readme_command_writes_a_picture_that_says_where_it_came_from(here: Path) -> None:
    ran = run("edit", "--au", "AU12=2", "--au", "AU6=1", "-o", "smile.png")
    assert ran.code == 0
    assert ran.out.splitlines()[0] == "smile.png"
    assert "more lip corner puller (AU12 +2)" in ran.out
    assert "model warp" in ran.out
    assert ran.err == ""
    assert names_in(here) == ["smile.png"]
    found = read_provenance("smile.png")
    assert found["spec"]["aus"] == {"AU12": 2.0, "AU6": 1.0}
    assert found["pictures"]["source"]["name"] == "sample.png"


def test_an_edit_in_a_process_of_its_own_is_the_same_picture_and_just_as_quiet(here: Path) -> None:
    run("edit", *TINY, "--au", "AU4=-1", "--seed", 3, "-o", "one.png")
    ran = run_apart("edit", *TINY, "--au", "AU4=-1", "--seed", 3, "-o", "two.png", cwd=here)
    assert (ran.code, ran.err) == (0, "")
    assert np.array_equal(pixels("one.png"), pixels("two.png"))


def test_from_repeats_a_picture_bit_for_bit(here: Path, model: Path) -> None:
    portrait().save("ada.png")
    first = run(
        *("edit", "ada.png", "-o", "one.png", "--model", model, "--preset", "surprise=0.5", "--seed", 5),
        *("--strength", "identity=0:1,0.5:0.25", "--guidance", 2, "--steps", 3, "--size", "32x64", "--sidecar"),
    )
    assert first.code == 0, first.err
    for source in ("one.png", "one.png.json"):
        assert run("edit", "--from", source, "--model", model, "-o", "two.png").code == 0
        assert np.array_equal(pixels("one.png"), pixels("two.png"))
        assert read_provenance("two.png") == read_provenance("one.png")
    other = run("edit", "--from", "one.png", "--model", model, "--seed", 6, "-o", "three.png")
    assert other.code == 0
    assert not np.array_equal(pixels("one.png"), pixels("three.png"))
    assert read_provenance("three.png")["spec"]["aus"] == read_provenance("one.png")["spec"]["aus"]


def test_from_finds_the_source_beside_the_picture_and_only_the_same_one(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    portrait().save(folder / "ada.png")
    assert run("edit", *TINY, folder / "ada.png", "--steps", 1, "-o", folder / "one.png").code == 0
    assert run("edit", "--from", folder / "one.png", "-o", "two.png").code == 0
    portrait(seed=9).save(folder / "ada.png")
    refusal = run("edit", "--from", folder / "one.png", "-o", "three.png").refusal
    assert "'ada.png' with sha256" in refusal
    assert "as IMAGE" in refusal


def test_from_says_so_when_the_weights_are_no_longer_the_same(here: Path, model: Path, tmp_path: Path) -> None:
    assert run("edit", "--model", model, "--steps", 1, "-o", "one.png").code == 0
    assert "Give its folder: --model FOLDER" in run("edit", "--from", "one.png", "-o", "two.png").refusal
    changed = forge_of("identity", "magicface", name="two")
    with torch.no_grad():
        next(changed.backbone.unet.parameters()).add_(1)
    ran = run("edit", "--from", "one.png", "--model", changed.save(tmp_path / "changed"), "-o", "two.png")
    assert ran.code == 0
    assert "are not those of the repeated picture" in ran.err


def test_a_control_nobody_foresaw_comes_in_a_loose_file(here: Path) -> None:
    assert run("new", "glow").code == 0
    ran = run(
        "edit", *TINY, "--plugin", "glow.py", "--au", "AU12=1", "--set", "glow.gain=0.5", "--steps", 1, "-o", "out.png"
    )
    assert ran.code == 0
    assert "no trained weights" in ran.out
    assert read_provenance("out.png")["spec"]["controls"] == {"glow": {"gain": 0.5}}
    assert (
        "Did you mean 'gain'?"
        in run("edit", *TINY, "--plugin", "glow.py", "--set", "glow.gains=1", "-o", "x.png").refusal
    )
    assert "out of range" in run("edit", *TINY, "--plugin", "glow.py", "--set", "glow.gain=9", "-o", "x.png").refusal


def test_pictures_and_vectors_reach_the_plugins_that_need_them(here: Path) -> None:
    portrait(seed=4).save("room.png")
    np.save("ada.npy", np.zeros(512, np.float32))
    torch.save({"embedding": torch.zeros(512)}, "ada.pt")
    given = ["--plugin", "attributes", "--plugin", "faceid", "--picture", "background=room.png", "--steps", 1]
    for vector in ("ada.npy", "ada.pt"):
        ran = run("edit", *TINY, *given, "--vector", f"faceid={vector}", "-o", "out.png")
        assert ran.code == 0, ran.err
    assert set(read_provenance("out.png")["pictures"]) == {"source", "background"}
    assert "--vector faceid=FILE" in run("edit", "--from", "out.png", "-o", "again.png").refusal
    assert run("edit", "--from", "out.png", "--vector", "faceid=ada.npy", "-o", "again.png").code == 0
    assert np.array_equal(pixels("out.png"), pixels("again.png"))


def test_what_the_source_shows_and_the_precision_are_repeated_too(here: Path, tmp_path: Path) -> None:
    absolute = forge_of("identity", "fineface", name="absolute").save(tmp_path / "absolute")
    made = ["edit", "--model", absolute, "--steps", 2, "--au", "AU12=1"]
    assert run(*made, "-o", "plain.png").code == 0
    ran = run(*made, "--measured", "AU12=2", "--dtype", "bfloat16", "-o", "one.png")
    assert ran.code == 0, ran.err
    assert not np.array_equal(pixels("plain.png"), pixels("one.png"))
    assert run("edit", "--from", "one.png", "--model", absolute, "-o", "two.png").code == 0
    assert np.array_equal(pixels("one.png"), pixels("two.png"))


def test_a_dry_run_says_what_would_happen_and_does_nothing(here: Path) -> None:
    ran = run("edit", "--model", "magicface", "--preset", "anger", "--dry-run", "-o", "out.png")
    assert ran.code == 0
    assert "more brow lowerer (AU4 +4)" in ran.out
    assert "mengtingwei/magicface" in ran.out
    assert names_in(here) == []


def test_presets_add_to_action_units(here: Path) -> None:
    assert run("edit", *TINY, "--preset", "polite-smile=2", "--au", "12=1", "--steps", 1, "-o", "out.png").code == 0
    assert read_provenance("out.png")["spec"]["aus"] == {"AU12": 6.0}


def test_low_memory_and_half_precision_work_and_the_peak_is_printed(here: Path) -> None:
    ran = run("edit", *TINY, "--low-memory", "--dtype", "bfloat16", "--steps", 1, "-o", "out.png")
    assert ran.code == 0, ran.err
    assert "peak memory" in ran.out


@pytest.mark.parametrize("kind", ["L", "LA", "RGBA", "P", "I;16", "CMYK"])
def test_every_kind_of_picture_can_be_edited(here: Path, kind: str) -> None:
    if kind == "I;16":
        Image.fromarray(np.arange(40 * 40, dtype=np.uint16).reshape(40, 40) * 40).save("in.tif")
    else:
        portrait(side=40).convert(kind).save("in.tif")
    assert run("edit", *TINY, "in.tif", "--steps", 1, "-o", "out.png").code == 0
    assert Image.open("out.png").mode == "RGB"


def test_a_turned_photograph_is_edited_upright(here: Path) -> None:
    upright = portrait(side=64)
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.rotate(90, expand=True).save("turned.png", exif=exif)
    upright.save("upright.png")
    for name in ("turned", "upright"):
        assert run("edit", *TINY, f"{name}.png", "--start-at", 1, "-o", f"{name}-out.png").code == 0
    assert np.array_equal(pixels("turned-out.png"), pixels("upright-out.png"))


@pytest.mark.parametrize("name", ["out.jpg", "out.webp"])
def test_other_formats_carry_provenance_too(here: Path, name: str) -> None:
    assert run("edit", *TINY, "--au", "AU1=1", "--steps", 1, "-o", name, "--sidecar").code == 0
    assert read_provenance(name)["spec"]["aus"] == {"AU1": 1.0}
    assert json.loads(Path(f"{name}.json").read_text()) == read_provenance(name)

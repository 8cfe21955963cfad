"""Figures against true outcomes: what they measure, and that a model which repeats the truth reaches them."""

from pathlib import Path

import pytest
import torch

from faceforge_training import validating
from faceforge_training.autoencoder import VaeObjective
from faceforge_training.diffusion import DenoiseObjective
from faceforge_training.sampling import composed, psnr
from faceforge_training.validating import EditValidation, edit_validation, portrait_validation, vae_validation

PIXELS = 64
UNITS = ["AU12", "AU26"]


@pytest.fixture
def drawn(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Shared by the tests of one session: the pairs are drawn once."""
    folder: Path = tmp_path_factory.getbasetemp() / "drawn"
    return str(folder)


def validation(folder: str) -> EditValidation:
    return edit_validation(folder, 8, pixels=PIXELS, faces=1, units=UNITS, steps=2)


def editor() -> DenoiseObjective:
    torch.manual_seed(0)
    names = ("identity", "attributes", "warp", "magicface")
    return DenoiseObjective("tiny", [{"name": name} for name in names], train=["plugins"])


def test_decibels_count_the_chosen_pixels_alone() -> None:
    one = torch.zeros(2, 3, 8, 8)
    other = one.clone()
    other[:, :, :4] = 0.2  # a tenth of the range from -1 to 1
    upper = torch.zeros(2, 8, 8, dtype=torch.bool)
    upper[0, :4], upper[1, :1] = True, True
    found = psnr(one, other, upper)
    assert found[0].item() == pytest.approx(20)
    assert found[1].isnan()  # eight pixels tell nothing


def test_what_an_autoencoder_loses_cancels_where_the_warp_is_known() -> None:
    warp, made, lost = torch.rand(1, 3, 8, 8) - 0.5, torch.rand(1, 3, 8, 8) - 0.5, 0.2
    unknown = torch.zeros(1, 1, 8, 8)
    unknown[:, :, :4] = 1
    found = composed(made - lost, warp, warp - lost, unknown)
    torch.testing.assert_close(found[:, :, 4:], made[:, :, 4:])
    torch.testing.assert_close(found[:, :, :4], made[:, :, :4] - lost)


def test_an_untrained_editor_is_worse_than_the_warp_and_leaves_pictures(drawn: str, tmp_path: Path) -> None:
    figures = validation(drawn)(editor(), tmp_path)
    assert next(iter(figures)) == "face_psnr"
    assert figures["over_warp"] < 0
    assert {"edits.png", "grid.png"} <= {each.name for each in tmp_path.iterdir()}


def test_who_repeats_the_outcome_wins_everywhere(drawn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def truth(forge: object, known: validating.Known, steps: int) -> torch.Tensor:
        return known.seen["target"].permute(0, 3, 1, 2).float() / 127.5 - 1

    monkeypatch.setattr(validating, "sampled", truth)
    figures = validation(drawn)(editor(), tmp_path)
    assert figures["face_psnr"] == pytest.approx(80)
    assert figures["over_source"] > 20
    assert figures["over_warp"] > 20
    assert figures["unknown_over_warp"] > 20


def test_the_warp_alone_is_worth_something_on_held_out_people(drawn: str) -> None:
    known = validation(drawn).known
    shown = {name: known.seen[name].permute(0, 3, 1, 2).float() / 127.5 - 1 for name in ("source", "warp", "target")}
    face = known.rest["face"] > 127
    warp, source = (psnr(shown[name], shown["target"], face).mean() for name in ("warp", "source"))
    assert warp > source


def test_looking_twice_sees_the_same(drawn: str, tmp_path: Path) -> None:
    looking, made = validation(drawn), editor()
    first, again = looking(made, tmp_path), looking(made, tmp_path)
    assert {name: value for name, value in first.items() if value == value} == {
        name: value for name, value in again.items() if value == value
    }


def test_portraits_and_autoencoders_are_looked_at_too(drawn: str, tmp_path: Path) -> None:
    made = DenoiseObjective("tiny", train=["unet"])
    figures = portrait_validation(drawn, 4, pixels=PIXELS, steps=2)(made, tmp_path)
    assert figures["minus_loss"] < -0.5
    assert figures["faces"] == 0
    assert vae_validation(drawn, 4, pixels=PIXELS)(VaeObjective("tiny"), tmp_path)["face_psnr"] < 15
    assert {"portraits.png", "again.png"} <= {each.name for each in tmp_path.iterdir()}

"""The benchmarks at toy size: both sides compute the same, and the counts are those of what really runs."""

import json
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks import denoiser, judges, training, video
from benchmarks.cases import GUIDED, IDLE, Case, by_faceforge, by_release, sweep_of
from benchmarks.flops import flops, per_row
from benchmarks.measure import counted, difference
from benchmarks.release import Release
from benchmarks.setup import Latents, Scene, magicface
from faceforge import Forge

SIZE = 64
STEPS = 2
CASES = pytest.mark.parametrize("case", [GUIDED, IDLE, sweep_of(5)], ids=lambda case: case.name)


@pytest.fixture
def forge() -> Forge:
    return magicface(toy=True)


@pytest.fixture
def scene() -> Scene:
    return Scene.random(SIZE)


def released(forge: Forge, scene: Scene, case: Case) -> Tensor:
    return by_release(Release(forge), Latents.of(scene, forge.backbone), case, STEPS)


@CASES
def test_both_sides_make_the_same_edits(forge: Forge, scene: Scene, case: Case) -> None:
    theirs, ours = released(forge, scene, case), by_faceforge(forge, scene, case, STEPS)
    assert theirs.shape == (len(case.values), 4, SIZE // 8, SIZE // 8)
    assert difference(theirs, ours) <= 1e-5  # float32 over two steps


def test_they_would_differ_if_face_background_or_change_were_ignored(forge: Forge, scene: Scene) -> None:
    expected = released(forge, scene, GUIDED)
    other_face = Scene(scene.background, scene.background)
    other_background = Scene(scene.source, scene.source)
    assert difference(expected, released(forge, other_face, GUIDED)) > 1e-3
    assert difference(expected, released(forge, other_background, GUIDED)) > 1e-3
    assert difference(expected, released(forge, scene, Case("other", (-8.0,)))) > 1e-3


def test_both_sides_share_their_weights(forge: Forge) -> None:
    own = {parameter.data_ptr() for parameter in forge.backbone.unet.parameters()}
    copied = [name for name, each in Release(forge).denoiser.named_parameters() if each.data_ptr() not in own]
    assert copied == ["conv_in.weight", "class_embedding.weight", "class_embedding.bias"]


@CASES
def test_what_is_counted_from_shapes_is_what_runs(forge: Forge, scene: Scene, case: Case) -> None:
    expected = flops(case, size=SIZE, steps=STEPS, toy=True)
    with counted() as theirs:
        released(forge, scene, case)
    with counted() as ours:
        by_faceforge(forge, scene, case, STEPS)
    assert (theirs.get_total_flops(), ours.get_total_flops()) == (expected.release, expected.faceforge)


@CASES
def test_most_of_what_faceforge_computes_is_needed(case: Case) -> None:
    found = flops(case, size=SIZE, steps=50, toy=True)
    assert found.at_least <= found.faceforge <= found.at_least / 0.9


def test_faceforge_computes_less_where_the_release_wastes() -> None:
    guided, idle, sweep = (flops(case, size=SIZE, steps=50, toy=True) for case in (GUIDED, IDLE, sweep_of(16)))
    assert 1 < guided.release / guided.faceforge < sweep.release / sweep.faceforge
    assert idle.release / idle.faceforge > 2


@pytest.mark.slow
@pytest.mark.parametrize(("size", "least"), [(256, 1.15), (512, 1.3)])
def test_a_call_costs_less_at_full_size(size: int, least: float) -> None:
    row = per_row(size)
    assert row["plain"] < row["faceforge"] < row["release"]
    assert round(row["release"] / row["faceforge"], 2) >= least


def test_fused_attention_is_counted_too() -> None:
    query, key = torch.zeros(1, 2, 8, 4), torch.zeros(1, 2, 16, 4)
    with counted() as found:
        torch.nn.functional.scaled_dot_product_attention(query, key, key)
    assert found.get_total_flops() == 2 * 2 * 2 * 8 * 16 * 4


@pytest.mark.slow
def test_the_script_prints_its_tables_and_writes_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = "--toy --size 64 --steps 1 --repeats 1 --edits 2 --edit-steps 2 --json"
    monkeypatch.setattr(sys, "argv", ["denoiser.py", *asked.split(), str(tmp_path / "out.json")])
    assert denoiser.main() == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert {"machine", "per_row", "edits", "memory", "measured"} <= set(report)
    assert all(row["agrees"] for row in report["measured"])
    assert capsys.readouterr().out.count("| guided edit") == 6


def test_judges_are_timed_alone_and_in_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judges.main(["--judges", "landmarks", "--edits", "2", "--repeat", "1", "--json", str(tmp_path / "out.json")])
    (found,) = json.loads((tmp_path / "out.json").read_text())
    assert found["judge"] == "landmarks"
    assert set(found["in_a_row"]) == {"1", "2"}
    assert found["flow"] == 0 < found["finding"]
    assert "landmarks" in capsys.readouterr().out


def test_both_trainings_take_the_same_steps() -> None:
    found = training.measured("tiny", 2, 3)
    assert found.difference < 1e-4  # of the losses after four steps


def test_frames_of_a_clip_pay_for_reading_the_portrait_once_and_the_release_more_often() -> None:
    forge = video.magicportrait(toy=True, device="meta")
    ours = video.of_faceforge(forge, 4, SIZE)
    theirs = video.of_release(forge, ours, SIZE)
    forge.detach("identity")
    bare = video.of_faceforge(forge, 4, SIZE)
    tokens = (SIZE // 8) ** 2
    widths = [width for site, width in forge.backbone.self_sites.items() if "mid" not in site]
    middle = [width for site, width in forge.backbone.self_sites.items() if "mid" in site]
    reading = sum(4 * tokens**2 * width for width in widths) + sum(4 * (tokens // 4) ** 2 * width for width in middle)
    assert ours.frame - bare.frame == reading  # by the guided row alone, with keys and values that are there already
    assert theirs.frame > ours.frame
    assert theirs.once > ours.once > bare.once


def test_windows_are_compared_with_the_clip_seen_at_once() -> None:
    forge = video.magicportrait(toy=True)
    found = dict(video.seams(forge, 14, steps=1, seeds=[0]))
    assert found.keys() == video.CUTS.keys()
    assert all(seam.windows == 2 and seam.error > 0 and seam.jump > 0 for seam in found.values())

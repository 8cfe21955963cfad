"""Labelled frames, on generated trees in the layouts that users have."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from faceforge.synth import photograph, sample
from faceforge_training.footage import Pairs, frame_pairs, frame_portraits
from faceforge_training.labels import BadLabels, frames

STILL = {"yaw_deg": 0.0, "pitch_deg": 0.0, "roll_deg": 0.0, "gaze_yaw_deg": 0.0, "gaze_pitch_deg": 0.0}


def pictures(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (32, 32), "grey").save(folder / name)


def test_a_table_of_synthetic_portraits_is_read(tmp_path: Path) -> None:
    pictures(tmp_path / "images", "1.png", "2.png")
    rows = [{"file_name": f"{n}.png", "identity": 7, "aus": {"AU12": n}, "caption": "a man"} for n in (1, 2)]
    (tmp_path / "images" / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = frames(tmp_path, "table")
    assert [(each.person, each.aus["AU12"], each.caption) for each in found] == [
        ("7", 1.0, "a man"),
        ("7", 2.0, "a man"),
    ]


def test_openface_s_rows_go_to_frames_by_number_and_lost_ones_are_left_out(tmp_path: Path) -> None:
    pictures(tmp_path / "ada", *(f"frame_det_00_00000{n}.bmp" for n in (1, 2, 3)))
    (tmp_path / "ada.csv").write_text(
        "frame, timestamp, confidence, success, AU01_r, AU12_r, AU01_c\n"
        "1, 0.0, 0.98, 1, 0.5, 3.25, 1\n2, 0.1, 0.30, 0, 4, 4, 1\n3, 0.2, 0.98, 1, 0, 7.5, 0\n"
    )
    first, last = frames(tmp_path, "csv")
    assert first.picture.name == "frame_det_00_000001.bmp"
    assert first.aus == {"AU1": 0.5, "AU12": 3.25}
    assert last.aus == {"AU1": 0.0, "AU12": 5.0}


def test_libreface_and_py_feat_are_told_apart_by_their_columns(tmp_path: Path) -> None:
    for name in ("bob", "eve"):
        pictures(tmp_path / name, "0.png", "1.png")
    (tmp_path / "bob.csv").write_text("frame_idx,au_1,au_1_intensity,au_12_intensity\n0,1,2.5,0\n1,0,0,4\n")
    (tmp_path / "eve.csv").write_text("input,AU01,AU12\n/data/eve/0.png,0.5,0\n/data/eve/1.png,0.1,1\n")
    found = {(each.person, each.picture.stem): each.aus for each in frames(tmp_path, "csv")}
    assert found["bob", "0"] == {"AU1": 2.5, "AU12": 0.0}
    assert found["eve", "0"] == {"AU1": 2.5, "AU12": 0.0}
    assert found["eve", "1"] == {"AU1": 0.5, "AU12": 5.0}


def test_disfa_is_read_as_it_is_distributed(tmp_path: Path) -> None:
    pictures(tmp_path / "SN001", "1.png", "2.png")
    labels = tmp_path / "ActionUnit_Labels" / "SN001"
    labels.mkdir(parents=True)
    (labels / "SN001_au1.txt").write_text("1,0\n2,3\n3,5\n")
    (labels / "SN001_au12.txt").write_text("1,2\n2,0\n3,5\n")
    assert [each.aus for each in frames(tmp_path, "disfa")] == [{"AU1": 0.0, "AU12": 2.0}, {"AU1": 3.0, "AU12": 0.0}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("frame,happiness\n1,0.5\n", "no columns of action units"),
        ("frame,AU01_r,AU03_r\n1,0.5,1\n", "OpenFace 3"),
        ("frame,AU01_r\n9,0.5\n", "frame 9, which is not among 2"),
        ("input,AU01\nz.png,0.5\n", "labels 'z.png'"),
        ("AU01_r\n0.5\n", "which picture"),
    ],
)
def test_tables_that_do_not_belong_to_the_pictures_are_refused(text: str, told: str, tmp_path: Path) -> None:
    pictures(tmp_path / "ada", "1.png", "2.png")
    (tmp_path / "ada.csv").write_text(text)
    with pytest.raises(BadLabels, match=told):
        frames(tmp_path, "csv")


def test_folders_without_pairs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadLabels, match="There is no folder"):
        frames(tmp_path / "none", "table")
    pictures(tmp_path, "1.png")
    (tmp_path / "metadata.jsonl").write_text(json.dumps({"file_name": "1.png", "aus": {}}))
    with pytest.raises(BadLabels, match="pairs need two"):
        frames(tmp_path, "table")
    (tmp_path / "metadata.jsonl").write_text(json.dumps({"file_name": "1.png", "aus": {"AU99": 1}}))
    with pytest.raises(BadLabels, match="line 1"):
        frames(tmp_path, "table")


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One person three times, and a picture of nobody."""
    folder = tmp_path_factory.mktemp("footage")
    sittings = [sample(5_000_003, aus={"AU12": dose}, occluder=None, **STILL) for dose in (0.0, 2.0, 4.0)]
    lines = [{"file_name": "nobody.png", "identity": 1, "aus": {}}]
    pictures(folder, "nobody.png")
    for number, each in enumerate(photograph(sittings, 256)):
        Image.fromarray(each.image).save(folder / f"{number}.png")
        lines.append({"file_name": f"{number}.png", "identity": 1, "aus": dict(each.sitting.aus), "caption": "a face"})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_pairs_of_frames_take_the_background_from_what_is_to_be_made(footage: Path, tmp_path: Path) -> None:
    reader: Pairs = frame_pairs(str(footage), str(tmp_path), pixels=64, batch=6)
    assert len(reader.known) == 3  # nobody is left out
    batch, again = reader.batch(0), reader.batch(0)
    assert all(torch.equal(batch[name], again[name]) for name in batch if name != "prompts")
    assert batch["aus"][:, 6].abs().min() == 2.0
    assert not torch.equal(batch["picture"], batch["picture.source"])
    shown = batch["picture.background"] > -0.98
    near = (batch["picture.background"] - batch["picture"]).abs()[shown]
    assert near.median() < 0.02
    before = {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()}
    frame_pairs(str(footage), str(tmp_path), pixels=64)
    assert {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()} == before


def test_single_frames_come_with_intensities(footage: Path, tmp_path: Path) -> None:
    batch = frame_portraits(str(footage), str(tmp_path), pixels=64, batch=8).batch(1)
    assert set(batch["aus"][:, 6].tolist()) <= {0.0, 2.0, 4.0}
    assert batch["prompts"] == ["a face"] * 8

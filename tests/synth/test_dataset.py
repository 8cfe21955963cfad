"""Datasets: whole after any interruption, the same whoever writes them, and honest about what they are."""

import json
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from faceforge.errors import BadSpec, CannotWrite, ReservedSeed
from faceforge.io.provenance import read_provenance
from faceforge.synth.dataset import write
from faceforge.synth.draws import RESERVED
from faceforge.synth.wanted import Wanted

SMALL = {"size": 32, "maps": ("parts", "depth", "normals")}
SCRIPT = """
from faceforge.synth.dataset import write
from faceforge.synth.wanted import Wanted
if __name__ == "__main__":
    write({folder!r}, Wanted(count=40, size=32, maps=("parts", "depth", "normals")))
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_picture_has_its_line_its_maps_and_says_that_it_is_synthetic(tmp_path: Path) -> None:
    write(tmp_path / "set", Wanted(count=3, **SMALL))
    lines = [json.loads(line) for line in (tmp_path / "set/images/metadata.jsonl").read_text().splitlines()]
    assert [line["seed"] for line in lines] == [0, 1, 2]
    for line in lines:
        path = tmp_path / "set/images" / line["file_name"]
        assert Image.open(path).size == (32, 32)
        told = read_provenance(path)
        assert (told["label"], told["seed"]) == ("synthetic", line["seed"])
        assert len(line["landmarks"]) == 68
        assert all((tmp_path / "set" / name / path.name).is_file() for name in SMALL["maps"])


@pytest.mark.slow
def test_killed_anywhere_it_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "whole", Wanted(count=40, **SMALL))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(tmp_path / "cut")))
    for more in (6, 18):
        running = subprocess.Popen([sys.executable, script])
        deadline = time.monotonic() + 60
        while len(list((tmp_path / "cut").rglob("*.png"))) < 4 * more and time.monotonic() < deadline:
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        running.wait()
    write(tmp_path / "cut", Wanted(count=40, **SMALL))
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_the_number_of_workers_changes_no_byte(tmp_path: Path) -> None:
    for workers in (1, 2):
        write(tmp_path / str(workers), Wanted(count=20, size=32, kind="pairs"), workers=workers)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_shards_are_plain_tars_that_hold_a_seed_together(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, Wanted(count=3, size=32, kind="pairs", format="webdataset"))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    with tarfile.open(tmp_path / "one/synth-000000.tar") as tar:
        assert tar.getnames()[:4] == ["000000.a.png", "000000.a.json", "000000.b.png", "000000.b.json"]
        labels = json.loads(tar.extractfile("000002.b.json").read())  # type: ignore[union-attr]
    assert labels["partner"] == "000002.a.png"


def test_another_wish_for_the_same_folder_is_refused_with_what_differs(tmp_path: Path) -> None:
    write(tmp_path / "set", Wanted(count=1, size=32))
    with pytest.raises(BadSpec, match="size was 32 and is 48"):
        write(tmp_path / "set", Wanted(count=1, size=48))


def test_seeds_kept_for_evaluation_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReservedSeed):
        write(tmp_path / "set", Wanted(count=2, seed=RESERVED.start - 1))
    assert not (tmp_path / "set").exists()


def test_a_place_that_cannot_hold_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "set"):
        with pytest.raises(CannotWrite, match="file"):
            write(place, Wanted(count=1, size=32))
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_with_somebody_else_s_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CannotWrite, match=r"thesis\.txt"):
        write(tmp_path, Wanted(count=1, size=32))
    assert contents(tmp_path) == {"thesis.txt": b"mine"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"hair_style": "spiky"}, {"sex": "robot"}, {"age": "abc"}, {"age": 500.0}, {"tone": 30.0}, {"seed": 3},
        {"yaw_deg": float("nan")}, {"light": "dark"}, {"person": "bob"}, {"traits": 1.0}, {"occluder": "hand"},
    ],
    ids=str,
)  # fmt: skip
def test_values_that_no_portrait_has_are_refused_before_a_folder_is_made(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSpec, match=next(iter(wrong))):
        write(tmp_path / "set", Wanted(count=1, size=32, overrides=wrong))
    assert not (tmp_path / "set").exists()

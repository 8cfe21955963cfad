"""`faceforge synth`: datasets and contact sheets from the command line."""

import json
from pathlib import Path

from PIL import Image

from tests.cli.running import run


def test_it_writes_pictures_with_labels_and_goes_on(tmp_path: Path) -> None:
    asked = ("synth", str(tmp_path / "set"), "--count", "2", "--size", "32", "--au", "AU12=3", "--set", "yaw_deg=10")
    assert "2 pictures, 2 of them new" in run(*asked).out
    assert "2 pictures, 0 of them new" in run(*asked).out
    line = json.loads((tmp_path / "set/images/metadata.jsonl").read_text().splitlines()[0])
    assert (line["aus"], line["yaw_deg"]) == ({"AU12": 3.0}, 10.0)


def test_it_draws_a_contact_sheet(tmp_path: Path) -> None:
    run("synth", str(tmp_path / "hair.webp"), "--sheet", "hair", "--size", "32", "--count", "4")
    assert Image.open(tmp_path / "hair.webp").size == (128, 32)


def test_what_it_cannot_do_is_one_line(tmp_path: Path) -> None:
    for more in (
        ("--seed", "900000000"),
        ("--set", "hair"),
        ("--set", "colour=3"),
        ("--set", "sex=robot"),
        ("--device", "abacus"),
        ("--pairs", "aus", "--clips"),
    ):
        failed = run("synth", str(tmp_path / "set"), "--count", "1", "--size", "32", *more)
        assert failed.code != 0
        assert len(failed.err.strip().splitlines()) == 1, failed.err
    assert not (tmp_path / "set").exists()

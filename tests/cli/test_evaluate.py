"""`faceforge evaluate` end to end, and what it refuses before any work."""

import json
from pathlib import Path

import pytest

from tests.cli.running import names_in, run
from tests.mer.pairs import face


def test_a_small_evaluation_writes_a_report_and_compares_itself(here: Path) -> None:
    asked = ("evaluate", "--faces", 1, "--au", "AU26", "--doses", "2,4", "--judge", "landmarks", "-o", "out")
    ran = run(*asked)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0] == "out/report.html"
    assert ran.out.splitlines()[1].startswith("landmarks: icc ")
    assert names_in(here / "out") == ["observed.jsonl", "pictures", "report.html", "report.json"]
    found = json.loads((here / "out/report.json").read_text())
    assert found["judges"][0]["name"] == "landmarks"
    assert found["scores"]["landmarks"]["headline"]["spearman"] == 1
    assert run(*asked, "--against", "out").code == 0
    assert all(not each["change"] for each in json.loads((here / "out/report.json").read_text())["against"]["changes"])
    assert run("evaluate", "--pairs", "out/pictures", "-o", "pairs").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--judge", "nobody"), "No judge is called 'nobody'"),
        (("--judge", "landmarks", "--judge", "landmarks"), "named twice"),
        (("--identity", "nobody"), "No identity embedding"),
        (("--au", "AU99"), "not an action unit"),
        (("--doses", "0"), "a dose that is not 0"),
        (("--against", "nowhere"), "no report"),
        (("nowhere",), "no folder 'nowhere'"),
        (("--pairs",), "needs the FOLDER"),
        (("--pairs", "nowhere"), "no folder 'nowhere'"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_one_line(here: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in run("evaluate", *arguments, "-o", "out").refusal
    assert names_in(here) == []


def test_a_folder_of_photographs_is_edited(here: Path) -> None:
    (here / "people").mkdir()
    face().save(here / "people/ada.jpg")
    ran = run("evaluate", "people", "--au", "AU26", "--doses", "4", "-o", "out")
    assert ran.code == 0, ran.err
    assert json.loads((here / "out/report.json").read_text())["faces"][0][0] == "ada"

"""`faceforge mer check`: what a corpus holds, in words and as JSON."""

import json
from pathlib import Path

import pytest

from faceforge.mer.corpora import CORPORA
from tests.cli.running import run
from tests.mer.trees import Shot, picture, rows, table, tree


def test_a_sound_corpus_is_counted_beside_what_is_published(here: Path) -> None:
    tree("casme2", here / "corpus", [Shot(emotion="disgust"), Shot("02", emotion="happiness", units="12")])
    ran = run("mer", "check", "casme2", "corpus")
    assert ran.code == 0, ran.err
    first, *others = ran.out.splitlines()
    assert first == "CASME II: 2 clips can be used, of 2 subjects, from 2 rows; the whole corpus has 256"
    assert "  classes  negative 1 (88), positive 1 (32), surprise 0 (25); in brackets MEGC2019" in others
    assert any(line.startswith("  units    AU1 1 (26), AU2 1 (22), AU4 0 (130), AU5 0 (2)") for line in others)
    assert any("none of them is applied" in line for line in others)


def test_repairs_and_losses_are_told_and_the_exit_code_says_so(here: Path) -> None:
    shots = [Shot(units="12A or 14"), *(Shot(clip=f"n{number}", apex="/") for number in range(7))]
    place = tree("casme", here / "corpus", shots)
    for file in (place / "clips/sub01/EP01").glob("*-2.jpg"):
        file.write_bytes(picture(20, ".jpg"))
    ran = run("mer", "check", "casme", "corpus")
    assert ran.code == 1
    told = ran.out.splitlines()
    assert (
        "  row 0 (01/EP01): units '12A or 14' is read as '12'; the coder was not sure; the first unit is kept" in told
    )
    assert "Error: missing apex, 7" in told
    assert "  row 1 (01/n0): The apex is '/'." in told
    assert "  and 2 more (--all)" in told
    assert any("'reg_01_1-1.jpg' has 16x16 pixels, 'reg_01_1-2.jpg' has 20x20" in line for line in told)
    assert len(run("mer", "check", "casme", "corpus", "--all").out.splitlines()) == len(told) + 1


def test_json_is_complete_and_counts_what_words_count(here: Path) -> None:
    place = tree(
        "casme", here / "corpus", [Shot(), Shot(clip="torn"), *(Shot(clip=f"n{n}", apex="/") for n in range(7))]
    )
    next((place / "clips/sub01/torn").iterdir()).write_bytes(b"no picture")
    ran = run("mer", "check", "casme", "corpus", "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["clips"], found["rows"], found["units"]) == (1, 1, 9, {"AU1": 1, "AU2": 1})
    assert [each["kind"] for each in found["findings"]] == ["another edition", *["missing apex"] * 7, "no picture"]
    assert found["labels"] == "corpus/labels.csv"
    assert found["classes_published"] is None


def test_places_can_be_named(here: Path) -> None:
    place = tree("casme", here / "corpus", [Shot()])
    tree("casme", place, [Shot(clip="EP01"), Shot(clip="other")], clips="cropped")
    table(here / "mine.csv", rows("casme", [Shot()]))
    assert "Name one with --frames" in run("mer", "check", "casme", "corpus").refusal
    ran = run("mer", "check", "casme", "corpus", "--frames", "corpus/cropped", "--labels", "mine.csv")
    assert "  frames   corpus/cropped" in ran.out
    assert "'sub01/other': It is not read." in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("casme9", "."), "'casme9' is not one of"),
        (("casme", "nowhere"), "There is no folder 'nowhere'"),
        (("casme", "."), "no table of labels"),
        (("disfa", "."), "Give DISFA's own folder"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_one_line(arguments: tuple[str, ...], words: str) -> None:
    assert words in run("mer", "check", *arguments).refusal


def test_help_names_every_corpus() -> None:
    page = run("mer", "check", "--help").out
    assert all(f" {name} " in page for name in CORPORA)

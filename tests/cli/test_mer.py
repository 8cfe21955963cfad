"""`faceforge mer check`: what a corpus holds, in words and as JSON."""

import json
from pathlib import Path

import pytest

from faceforge.mer.corpora import CORPORA
from tests.cli.running import run
from tests.mer.pairs import smiling
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


def smiles(folder: Path) -> None:
    """Two people who smile, from neutral."""
    shots = [Shot(id, onset=1, apex=2, offset=2, units="12") for id in ("01", "02")]
    place = tree("casme2", folder, shots)
    for subject in ("sub01", "sub02"):
        for number, dose in ((1, 0.0), (2, 4.0)):
            smiling(AU12=dose).save(place / f"clips/{subject}/EP01/img{number}.jpg", quality=95)


def test_a_judge_is_scored_on_a_corpus_and_asked_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smiles(here / "corpus")
    asked = ("mer", "eval", "casme2=corpus", "--protocol", "loso", "--judge", "intensity", "-o", "out")
    ran = run(*asked)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0] == "out/score.json"
    assert "| AU12 | 2 | 100.0 |" in ran.out
    found = json.loads((here / "out/score.json").read_text())
    assert (found["folds"], found["clips"], found["f1"], found["without_answer"]) == (2, 2, "binary", [])
    assert found["units"]["AU12"] == 100
    assert found["units_never_seen"] == ["AU7", "AU10", "AU14"]
    assert found["corpora"]["casme2"] == pytest.approx(found["unit_average"])
    assert found["read"]["casme2"]["clips"] == 2
    kept = (here / "out/answers.jsonl").read_bytes()
    monkeypatch.setattr("faceforge.mer.answering.Judged.answer", None)
    assert run(*asked).out == ran.out
    assert (here / "out/answers.jsonl").read_bytes() == kept
    assert (here / "out/score.md").read_text() in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("casme2", "--protocol", "loso", "--judge", "flow"), "not CORPUS=FOLDER"),
        (("casme2=a", "casme2=b", "--protocol", "loso", "--judge", "flow"), "named twice"),
        (("casme2=a", "--protocol", "loso"), "Give --judge, or --detector with --weights"),
        (("casme2=a", "--protocol", "loso", "--detector", "ststnet"), "Give --judge, or --detector with --weights"),
        (("casme2=a", "--protocol", "holdout", "--judge", "flow"), "--test belongs to"),
        (("casme2=a", "--protocol", "loso", "--judge", "nobody"), "No judge is called 'nobody'"),
        (("casme2=a", "--protocol", "megc2019", "--judge", "landmarks"), "MEGC2019 asks for classes"),
        (("smic=a", "--protocol", "loso", "--judge", "landmarks"), "smic has none coded"),
        (("casme2=a", "--protocol", "loso", "--detector", "ststnet", "--weights", "w.pth"), "no file 'w.pth'"),
        (("casme2=a", "--protocol", "loso", "--judge", "landmarks"), "There is no folder 'a'"),
    ],
)
def test_what_cannot_be_scored_is_refused_and_leaves_nothing(
    here: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert words in run("mer", "eval", *arguments, "-o", "out").refusal
    assert list(here.iterdir()) == []

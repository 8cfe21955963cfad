"""`faceforge sweep` and `faceforge generate`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceforge.io.provenance import read_provenance
from faceforge.io.sheet import GAP, Sheet
from tests.cli.running import TINY, names_in, run
from tests.makes import forge_of, portrait


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return forge_of("identity", "magicface", name="two").save(tmp_path_factory.mktemp("models") / "two")


def test_a_sheet_has_a_row_per_unit_and_a_column_per_value(here: Path, model: Path) -> None:
    portrait().save("ada.png")
    ran = run(
        *("sweep", "ada.png", "--model", model, "--steps", 1, "--au", "AU12", "--au", "4", "--au", "AU6=1"),
        *("--values", "-1:1:1", "--cell", 64, "-o", "sheet.png", "--folder", "singles"),
    )
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[:2] == ["sheet.png", "singles"]
    assert names_in(here / "singles") == sorted(f"{au}_{v}.png" for au in ("AU12", "AU4") for v in ("-1", "0", "+1"))
    found = read_provenance("sheet.png")
    assert found["sweep"] == {"aus": ["AU12", "AU4"], "values": [-1.0, 0.0, 1.0], "cell": 64}
    assert found["spec"]["aus"] == {"AU6": 1.0}
    assert read_provenance("singles/AU4_+1.png")["spec"]["aus"] == {"AU6": 1.0, "AU4": 1.0}
    sheet = Image.open("sheet.png")
    assert sheet.width > 3 * (64 + GAP)
    assert sheet.height > 2 * (64 + GAP)


def test_a_single_of_a_sweep_is_the_picture_that_edit_makes(here: Path, model: Path) -> None:
    assert (
        run("sweep", "--model", model, "--steps", 1, "--au", "AU12", "--values", "2", "--folder", "singles").code == 0
    )
    assert run("edit", "--model", model, "--steps", 1, "--au", "AU12=2", "-o", "edit.png").code == 0
    one, other = (np.asarray(Image.open(name)) for name in ("singles/AU12_+2.png", "edit.png"))
    assert np.array_equal(one, other)


def test_every_cell_of_a_sheet_is_where_its_labels_say() -> None:
    sheet = Sheet([("AU12", "lip corner puller"), ("AU4", "brow lowerer")], ["-1", "0", "+1"], 40)
    for row in range(2):
        for column in range(3):
            sheet.place(row, column, Image.new("RGB", (80, 40), (100 * row, 60 * column, 200)))
    pixels = np.asarray(sheet.image)
    bands = [np.unique(np.argwhere((pixels == (100, 60 * c, 200)).all(-1)), axis=0) for c in range(3)]
    assert [len(band) for band in bands] == [40 * 20] * 3  # whole and centred: twice as wide as high
    assert [band[:, 1].min() for band in bands] == sorted(band[:, 1].min() for band in bands)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--au", "AU12=1", "-o", "s.png"], "Name what to vary"),
        (["--au", "AU12"], "-o SHEET.png"),
        (["--au", "AU12", "--au", "12", "-o", "s.png"], "varied twice"),
        (["--au", "AU12", "--au", "AU12=1", "-o", "s.png"], "varied and held"),
        (["--au", "AU12", "--values", "3:-3:1", "-o", "s.png"], "FIRST:LAST:STEP"),
        (["--au", "AU12", "--values", "0,nan", "-o", "s.png"], "out of range"),
        (["--au", "AU99", "-o", "s.png"], "not an action unit"),
        (["--au", "AU12", "-o", "s.gif"], "ends in .png"),
        (["--au", "AU12", "--folder", "no/where"], "no folder"),
    ],
)
def test_a_bad_sweep_is_refused(here: Path, arguments: list[str], says: str) -> None:
    assert says in run("sweep", *TINY, *arguments).refusal
    assert names_in(here) == []


def test_a_dry_sweep_counts(here: Path) -> None:
    ran = run("sweep", *TINY, "--au", "AU1", "--au", "AU2", "--values", "0,1,2", "--dry-run", "-o", "s.png")
    assert "would make 6 pictures" in ran.out
    assert names_in(here) == []


def test_generate_makes_a_face_without_a_source_and_can_be_repeated(here: Path) -> None:
    ran = run("generate", "--prompt", "a face", "--au", "AU12=1", "--seed", 2, "--steps", 2, "-o", "one.png")
    assert ran.code == 0, ran.err
    assert "identity: has nothing to say" in ran.out
    assert read_provenance("one.png")["label"] == "AI-generated"
    for command in ("generate", "edit"):
        assert run(command, "--from", "one.png", "-o", "two.png").code == 0
        assert np.array_equal(np.asarray(Image.open("one.png")), np.asarray(Image.open("two.png")))

"""The flow pictures of public detector code, and frames coded by intensity."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceforge.errors import BadCorpus, BadPicture
from faceforge.mer.corpora import read
from faceforge.mer.corpora.coded import disfa
from faceforge.mer.corpora.emotions import class_of
from faceforge.mer.corpora.flow import channels
from tests.mer.trees import frames

PEOPLE = ("sub01", "s03", "006")


def flow_tree(root: Path) -> Path:
    """Three subjects with a clip of each class, sorted into their folds."""
    for subject in PEOPLE:
        for side, whose in (("u_test", [subject]), ("u_train", [each for each in PEOPLE if each != subject])):
            for number in range(3):
                folder = root / "three_norm_u_v_os" / subject / side / str(number)
                folder.mkdir(parents=True)
                for each in whose:
                    pixels = np.full((28, 28, 3), (10 * number, 100 + PEOPLE.index(each), 250), np.uint8)
                    Image.fromarray(pixels).save(folder / f"{each}_{number}.png")
    return root


def test_flow_pictures_are_read_from_the_folds_that_test_them(tmp_path: Path) -> None:
    found = read("flow", flow_tree(tmp_path))
    assert {(each.corpus, each.subject) for each in found.clips} == {("casme2", "01"), ("smic", "s03"), ("samm", "006")}
    assert sorted(class_of(each) for each in found.clips) == [0, 0, 0, 1, 1, 1, 2, 2, 2]  # type: ignore[type-var]
    assert found.findings == ()
    seen = channels(next(each for each in found.clips if each.name == "s03_2"))
    assert seen.shape == (3, 28, 28)
    assert [float(plane[0, 0]) for plane in seen] == pytest.approx([20 / 255, 101 / 255, 250 / 255])


def test_folds_that_leak_or_lack_somebody_are_named(tmp_path: Path) -> None:
    root = flow_tree(tmp_path) / "three_norm_u_v_os"
    (root / "s03/u_train/0/copy.png").write_bytes((root / "s03/u_test/0/s03_0.png").read_bytes())
    (root / "006/u_train/1/sub01_1.png").unlink()
    (root / "sub01/u_test/7").mkdir()
    (root / "guest/u_test").mkdir(parents=True)
    told = {each.kind: (each.where, each.what) for each in read("flow", tmp_path).findings}
    assert told["clip on both sides"] == ("'s03'", "1 of its 3 clips are trained on and tested.")
    assert told["fold without everybody else"][0] == "'006'"
    assert told["fold without everybody else"][1].startswith("1 clips of other subjects are not in u_train")
    assert told["unknown class"][0] == "'sub01/u_test/7'"
    assert told["subject of no known corpus"][0] == "'guest'"
    assert told["empty subject"][0].startswith("'guest/")


def test_flow_that_is_not_square_is_refused(tmp_path: Path) -> None:
    root = flow_tree(tmp_path)
    Image.new("RGB", (28, 30)).save(root / "three_norm_u_v_os/s03/u_test/0/s03_0.png")
    with pytest.raises(BadPicture, match="28x30 pixels; flow is square"):
        channels(next(each for each in read("flow", root).clips if each.name == "s03_0"))
    with pytest.raises(BadCorpus, match="SUBJECT/u_test"):
        read("flow", tmp_path / "three_norm_u_v_os/s03/u_test")


def coded(file: Path, *intensities: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{number},{each}\n" for number, each in enumerate(intensities, start=1)))


def test_disfa_gives_the_calmest_and_the_first_strongest_frame_of_every_strong_unit(tmp_path: Path) -> None:
    coded(tmp_path / "ActionUnit_Labels/SN001/SN001_au12.txt", 1, 0, 4, 4)
    coded(tmp_path / "ActionUnit_Labels/SN001/SN001_au25.txt", 0, 0, 1, 0)
    frames(tmp_path / "SN001", ["1.png", "2.png", "3.png", "4.png"])
    (clip,) = read("disfa", tmp_path).clips
    assert [each.name for each in clip.pair] == ["2.png", "3.png"]
    assert (clip.name, clip.units) == ("SN001/AU12", ("AU12", "AU25"))
    assert clip.intensities == {"AU12": 4.0, "AU25": 1.0}


def test_bp4d_s_unseen_units_are_left_out(tmp_path: Path) -> None:
    coded(tmp_path / "AUCoding/AU_INT/AU06/F001_T1_AU06.csv", 0, 9, 3)
    coded(tmp_path / "AUCoding/AU_INT/AU12/F001_T1_AU12.csv", 9, 0, 5)
    frames(tmp_path / "Sequences/F001/T1", ["0001.jpg", "0002.jpg", "0003.jpg"])
    found = read("bp4d", tmp_path)
    assert [(each.name, dict(each.intensities)) for each in found.clips] == [
        ("T1/AU6", {"AU6": 3.0, "AU12": 5.0}),
        ("T1/AU12", {"AU6": 3.0, "AU12": 5.0}),
    ]
    assert {each.kind: each.what for each in found.findings} == {
        "units not coded throughout": "AU12, AU6 not coded in every frame."
    }


def test_frames_and_labels_that_do_not_belong_together_are_named(tmp_path: Path) -> None:
    for person in ("SN001", "SN002"):
        coded(tmp_path / f"ActionUnit_Labels/{person}/{person}_au1.txt", 0, 3, 3)
    frames(tmp_path / "SN002", ["1.png", "2.png"])
    found = read("disfa", tmp_path)
    assert [(each.kind, each.where, each.error) for each in found.findings] == [
        ("no frames", "SN001/SN001", True),
        ("frames missing", "SN002/SN002", False),
    ]
    assert [each.subject for each in found.clips] == ["SN002"]


@pytest.mark.parametrize(("line", "told"), [("3,six", "not a frame and an intensity"), ("3,7", "7 is no intensity")])
def test_intensities_that_are_none_are_refused_with_their_line(line: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "ActionUnit_Labels/SN001/SN001_au1.txt"
    coded(file, 0, 1)
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(BadCorpus, match=f"SN001_au1.txt', line 3: .*{told}"):
        list(disfa(tmp_path))


@pytest.mark.parametrize("corpus", ["disfa", "bp4d"])
def test_folders_without_codes_are_refused(corpus: str, tmp_path: Path) -> None:
    with pytest.raises(BadCorpus, match=r"Give .* own folder"):
        read(corpus, tmp_path)

"""Readers of corpora, on small trees in each owner's layout, and everything a user's folder may have wrong."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceforge.errors import BadCorpus, BadSpec
from faceforge.mer.cells import held, is_unsure, units_of
from faceforge.mer.corpora import CORPORA, read
from faceforge.mer.corpora.clips import Clip
from faceforge.mer.corpora.emotions import CLASSES, class_of
from faceforge.mer.corpora.fixes import FIXES
from faceforge.mer.corpora.frames import number_of
from faceforge.mer.corpora.layouts import LAYOUTS
from tests.mer.trees import NAMES, Shot, frames, rows, table, tree

IDS = {
    "casme": ("1", "01"),
    "casme2": ("sub01", "01"),
    "samm": ("006", "006"),
    "smic": ("s3", "s03"),
    "fourd": ("S13_2nd", "S13"),
    "mmew": ("S05", "S05"),
    "casme3a": ("spNO.1", "spNO.1"),
    "casme3c": ("1", "01"),
}
TABLED = [name for name in NAMES if LAYOUTS[name].columns]
SHOTS = [Shot(clip="a", onset=46, apex=50, offset=54), Shot(clip="b", units="L12 + 4B")]


def shots(corpus: str) -> list[Shot]:
    return [replace(each, id=IDS[corpus][0]) for each in SHOTS]


def kinds(found: object) -> dict[str, int]:
    return dict(Counter(each.kind for each in found.findings))  # type: ignore[attr-defined]


@pytest.mark.parametrize("corpus", TABLED)
def test_every_corpus_is_read_in_its_owners_layout(corpus: str, tmp_path: Path) -> None:
    found = read(corpus, tree(corpus, tmp_path, shots(corpus)))
    first, second = found.clips
    assert {each.subject for each in found.clips} == {IDS[corpus][1]}
    assert (first.name, first.units, second.units) == ("a", ("AU1", "AU2"), ("AU12", "AU4"))
    assert [number_of(each) for each in first.pair] == [46, 50]
    assert [number_of(each) for each in first.frames] == list(range(46, 55))
    assert (first.emotion, class_of(first)) == ("surprise", 2)
    assert (found.rows, found.errors, found.root) == (2, (), tmp_path / "clips")
    assert set(kinds(found)) <= {"another edition"}  # the known fixes are for the whole table


def test_folders_of_smic_say_what_a_clip_is(tmp_path: Path) -> None:
    clips = [Shot("s3", f"s3_{emotion[:2]}_01", 11, 0, 20, emotion=emotion) for emotion in CLASSES]
    found = read("smic", tree("smic", tmp_path, [*clips, Shot("s03", "s3_su_02", 5, 0, 5, emotion="surprise")]))
    assert {each.subject for each in found.clips} == {"s03"}
    assert sorted(class_of(each) for each in found.clips) == [0, 1, 2, 2]  # type: ignore[type-var]
    assert number_of(found.clips[1].pair[1]) == 15 == 11 + (20 - 11) // 2
    assert found.clips[0].units is None
    assert "halfway" in found.notes[0]


def test_a_spreadsheet_and_its_export_say_the_same(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl", reason="needs the extra mer")
    for corpus, numbers in (("samm", 4.0), ("casme2", 4)):
        place = tree(corpus, tmp_path / corpus, [Shot(id="7", units=numbers)], "labels.xlsx")  # type: ignore[arg-type]
        found = read(corpus, place).clips
        assert found[0].units == ("AU4",)
        table(tmp_path / f"{corpus}.csv", rows(corpus, [Shot(id="7", units="4.0")]))
        assert read(corpus, place, labels=tmp_path / f"{corpus}.csv").clips == found
    (tmp_path / "torn.xlsx").write_bytes(b"PK but no more")
    with pytest.raises(BadCorpus, match=r"torn.xlsx' is damaged or no .xlsx"):
        read("samm", tmp_path / "samm", labels=tmp_path / "torn.xlsx")


@pytest.mark.parametrize("corpus", FIXES)
def test_known_mistakes_are_repaired_in_the_whole_table_and_in_no_other(corpus: str, tmp_path: Path) -> None:
    fixes, id = FIXES[corpus], IDS[corpus][0]
    whole = [Shot(id, f"c{number}", 7, "/", 9, units=f"{number % 9 + 1}", frames=[1]) for number in range(fixes.rows)]
    place = tree(corpus, tmp_path, whole[:1])
    table(place / "labels.csv", rows(corpus, whole))
    found = read(corpus, place)
    cells = {
        (column, number): str(value) for column, (each, _) in fixes.cells.items() for number, value in each.items()
    }
    if fixes.exchanged:
        one, other = fixes.exchanged
        cells |= {("units", one): whole[other].units, ("units", other): whole[one].units}
    assert {(each.column, each.row): each.now for each in found.repairs} == cells
    assert all(each.was != each.now and each.why for each in found.repairs)
    assert "another edition" not in kinds(found)
    table(place / "labels.csv", rows(corpus, whole[:-1]))
    shorter = read(corpus, place)
    assert shorter.repairs == ()
    assert kinds(shorter)["another edition"] == 1


def test_units_that_are_held_and_units_in_doubt_are_repaired_and_told(tmp_path: Path) -> None:
    ready = {f"AU{unit}": "0" for unit in (4, 7, 12)}
    place = tree(
        "fourd",
        tmp_path,
        [
            Shot("S01", "a", units="AU4(k)+L7", more=ready | {"AU4": "1", "AU7": "1.0"}),
            Shot("S01", "b", units="12", more=ready | {"AU7": "1"}),
            Shot("S01", "c", units="4(k)+12", more=ready | {"AU12": "1"}),
        ],
    )
    assert [each.units for each in read("fourd", place).clips] == [("AU7",), ("AU7",), ("AU12",)]
    found = read("fourd", place)
    assert [(each.was, each.now) for each in found.repairs] == [("AU4(k)+L7", "7"), ("4(k)+12", "12")]
    assert [each.where for each in found.findings if each.kind == "units disagree"] == ["row 1 (S01/b)"]
    doubtful = tree("casme", tmp_path / "casme", [Shot(units="12A or 14"), Shot(clip="b", units="1+1214")])
    found = read("casme", doubtful)
    assert [each.units for each in found.clips] == [("AU12",), ("AU1",)]
    assert [(each.row, each.was, each.now) for each in found.repairs] == [(0, "12A or 14", "12")]
    assert kinds(found)["unknown unit"] == 1


def test_repeated_names_are_numbered_as_on_disk(tmp_path: Path) -> None:
    named = [("spNO.1", "a", "a"), ("spNO.1", "a", "a2"), ("spNO.1", "a", "a3"), ("spNO.2", "a", "a")]
    place = tree("casme3a", tmp_path, [Shot(id, clip, folder=folder) for id, clip, folder in named])
    found = read("casme3a", place)
    assert [each.name for each in found.clips] == ["a", "a2", "a3", "a"]
    assert [(each.row, each.column, each.was, each.now) for each in found.repairs] == [
        (1, "clip", "a", "a2"),
        (2, "clip", "a", "a3"),
    ]


def test_a_folder_may_call_an_emotion_otherwise(tmp_path: Path) -> None:
    place = tree("mmew", tmp_path, [Shot("S01", "S01-1", emotion="others"), Shot("S01", "S01-2", emotion="repression")])
    table(place / "labels.csv", rows("mmew", [Shot("S01", f"S01-{n}", emotion="others") for n in (1, 2)]))
    assert [each.frames[0].parent.parent.name for each in read("mmew", place).clips] == ["others", "repression"]


def test_commas_of_any_width_part_units(tmp_path: Path) -> None:
    place = tree("casme3c", tmp_path, [Shot("1", "1", units="1，2,4"), Shot("1", "2", onset=10, offset=15)])
    first, second = read("casme3c", place).clips
    assert first.units == ("AU1", "AU2", "AU4")
    assert number_of(second.pair[1]) == 12


WRONG = {
    "missing apex": (Shot(apex="/"), "apex is '/'"),
    "missing onset or offset": (Shot(offset=""), "offset ''"),
    "impossible order": (Shot(apex=9), "Onset 1, apex 9, offset 5"),
    "empty clip": (Shot(frames=[]), "holds no pictures"),
    "unusable frames": (
        Shot(frames=[11, 12, 13]),
        "onset 1, apex 3, offset 5 is not among its frames, which are 11 to 13",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_row_that_cannot_be_used_is_named_with_the_reason(kind: str, tmp_path: Path) -> None:
    shot, told = WRONG[kind]
    found = read("casme", tree("casme", tmp_path, [Shot(clip="good"), replace(shot, id="2", clip="bad")]))
    assert [each.name for each in found.clips] == ["good"]
    (lost,) = found.errors
    assert (lost.kind, lost.where) == (kind, "row 1 (02/bad)")
    assert told in lost.what


def test_frames_that_are_not_contiguous_or_too_many_are_named_and_used(tmp_path: Path) -> None:
    place = tree("casme", tmp_path, [Shot(frames=[1, 3, 5]), Shot(clip="b", frames=range(9)), Shot(clip="c", apex=1)])
    found = read("casme", place)
    told = {each.kind: (each.where, each.what) for each in found.findings}
    assert told["frames not contiguous"] == ("row 0 (01/EP01)", "Frames 2, 4 are missing between onset 1 and offset 5.")
    assert told["more frames than the table says"][0] == "row 1 (01/b)"
    assert told["apex is the onset"][0] == "row 2 (01/c)"
    assert [len(each.frames) for each in found.clips] == [3, 5, 5]
    assert [each.apex for each in found.clips] == [1, 2, 0]


def test_two_pictures_of_one_frame_or_of_none_are_refused(tmp_path: Path) -> None:
    place = tree("casme", tmp_path, [Shot(clip=name) for name in "abc"])
    frames(place / "clips/sub01/a", ["img3.png"])
    frames(place / "clips/sub01/b", ["cover.png"])
    found = read("casme", place)
    assert [each.name for each in found.clips] == ["c"]
    assert "Two pictures are frame 3: 'img3.png' and 'reg_01_1-3.jpg'" in found.errors[0].what
    assert "'cover.png' has no number" in found.errors[1].what


def test_what_is_on_disk_and_not_in_the_table_is_named(tmp_path: Path) -> None:
    place = tree("casme", tmp_path, [Shot(), Shot("3", "gone"), Shot("4", "extra")])
    table(place / "labels.csv", rows("casme", [Shot(), Shot("3", "missing")]))
    (place / "clips/sub09").mkdir()
    told = {each.kind: each.where for each in read("casme", place).findings if each.kind != "another edition"}
    assert told == {
        "missing clip": "row 1 (03/missing)",
        "empty subject": "'sub09'",
        "clip not in the table": "'sub04/extra'",
    }


def test_a_table_with_other_columns_is_refused_by_their_names(tmp_path: Path) -> None:
    place = tree("casme", tmp_path, [Shot(more={"Coder 2": "x", "": "", "ApexF2": 4})])
    (finding,) = (each for each in read("casme", place).findings if each.kind == "unknown column")
    assert finding.where == "'Coder 2'"
    table(place / "labels.csv", [["Subject", "Filename", "Apex"], ["1", "EP01", "3"]])
    with pytest.raises(
        BadCorpus, match=r"lacks the columns 'OnsetF', 'ApexF1', 'OffsetF', 'Emotion', 'AU'; it has 'Apex'"
    ):
        read("casme", place)
    (place / "labels.csv").write_text("")
    with pytest.raises(BadCorpus, match="is empty"):
        read("casme", place)
    (place / "labels.csv").write_bytes("Subject,表情".encode("gbk"))
    with pytest.raises(BadCorpus, match="not in UTF-8"):
        read("casme", place)


def test_where_several_tables_or_folders_could_be_meant_the_user_chooses(tmp_path: Path) -> None:
    place = tree("casme", tmp_path / "corpus", [Shot()])
    tree("casme", place, [Shot()], clips="cropped")
    with pytest.raises(BadCorpus, match=r"clips' \(1\), .*cropped' \(1\). Name one with --frames"):
        read("casme", place)
    assert read("casme", place, root=place / "cropped").root == place / "cropped"
    table(place / "copy.csv", rows("casme", [Shot()]))
    with pytest.raises(BadCorpus, match=r"several tables of labels: 'copy.csv', 'labels.csv'. Name one with --labels"):
        read("casme", place)
    assert read("casme", place, place / "copy.csv", place / "clips").labels == place / "copy.csv"
    for name in ("copy.csv", "labels.csv"):
        (place / name).unlink()
    (place / "coding.xls").touch()
    with pytest.raises(BadCorpus, match=r"no table of labels .* Save 'coding.xls' as"):
        read("casme", place)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCorpus, match="There is no folder"):
        read("casme", tmp_path / "nowhere")
    with pytest.raises(BadSpec, match=r"No corpus is called 'cassme'. Did you mean 'casme'"):
        read("cassme", tmp_path)
    table(tmp_path / "labels.csv", rows("casme", [Shot()]))
    with pytest.raises(BadCorpus, match="the 1 clips of the table would, such as 'sub01/EP01'"):
        read("casme", tmp_path)
    with pytest.raises(BadCorpus, match="lies where"):
        read("smic", tmp_path)


def test_classes_of_the_composite_are_those_of_megc2019() -> None:
    def classed(corpus: str, emotion: str, subject: str = "01", name: str = "x") -> int | None:
        return class_of(Clip(corpus, subject, name, (), emotion=emotion))

    assert [classed("casme2", each) for each in ("disgust", "repression", "happiness", "surprise")] == [0, 0, 1, 2]
    assert [classed("casme2", each) for each in ("others", "fear", "sadness")] == [None] * 3
    assert [classed("samm", each) for each in ("anger", "contempt", "disgust", "sadness", "fear")] == [0] * 5
    assert classed("casme2", "happiness", "04", "EP12_01f") is None
    assert classed("casme2", "happiness", "05", "EP12_01f") == 1
    assert classed("fourd", "surprise+positive") is None
    assert set(CORPORA) >= {*LAYOUTS}


UNITS = st.lists(st.integers(1, 64), min_size=1, max_size=6, unique=True)
unhurried = settings(deadline=None)
AROUND = [(before, after) for before in ("", "AU", "R", "L", " ") for after in ("", "A", "E", "b ")]


@unhurried
@given(UNITS, st.lists(st.sampled_from(AROUND), min_size=6, max_size=6), st.sampled_from(["+", " + ", ",", "，"]))
def test_units_survive_whatever_coders_write_around_them(
    units: list[int], around: list[tuple[str, str]], between: str
) -> None:
    cell = between.join(f"{before}{unit}{after}" for unit, (before, after) in zip(units, around, strict=False))
    assert units_of(cell) == tuple(units)
    assert not is_unsure(cell)
    assert held(cell) == ()


@unhurried
@given(UNITS, st.integers(1, 64), st.sampled_from([" or ", "/", "A or ", " / L"]))
def test_of_two_alternatives_the_first_stays_wherever_they_stand(units: list[int], other: int, word: str) -> None:
    cell = "+".join([*map(str, units[:-1]), f"{units[-1]}{word}{other}"])
    assert units_of(cell) == tuple(units)
    assert is_unsure(cell)


@unhurried
@given(UNITS, st.sets(st.integers(0, 5)))
def test_held_units_are_those_with_a_mark(units: list[int], marked: set[int]) -> None:
    cell = "+".join(f"{unit}(k)" if place in marked else str(unit) for place, unit in enumerate(units))
    assert held(cell) == tuple(unit for place, unit in enumerate(units) if place in marked)


@unhurried
@given(st.text(max_size=30))
def test_no_cell_breaks_the_parser(cell: str) -> None:
    assert all(isinstance(unit, int) for unit in units_of(cell))

"""`faceforge convert flame` and `convert ict`: one file of a head, or one line that says why not."""

import pickle
from pathlib import Path

import pytest

from faceforge.face3d.heads import load_head
from faceforge.face3d.ict_files import LAYOUT
from tests.cli.running import names_in, run, run_apart
from tests.face3d.heads import flame, write_flame, write_ict, write_landmarks


def test_flame_becomes_one_file_with_its_licence(here: Path, tmp_path: Path) -> None:
    files = [write_flame(tmp_path), write_landmarks(tmp_path)]
    ran = run("convert", "flame", *files, "-o", "flame.safetensors", "--licence-note", "FLAME 2023 Open, CC BY 4.0")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        "flame.safetensors",
        "flame: 40 vertices, 56 faces, 300 identity and 6 expression shapes, parts skin",
        "licence: FLAME 2023 Open, CC BY 4.0",
    ]
    assert names_in(here) == ["flame.json", "flame.safetensors"]
    assert len(load_head("flame.safetensors").faces) == 56


@pytest.mark.slow
def test_facekit_becomes_one_file(here: Path, tmp_path: Path) -> None:
    folder = write_ict(tmp_path / "kit", LAYOUT)
    ran = run("convert", "ict", folder, "-o", "ict.safetensors", "--part", "skin", "--part", "eyes")
    assert ran.code == 0, ran.err
    assert "ict: 12549 vertices" in ran.out
    assert "licence: MIT (ICT-FaceKit)" in ran.out
    assert set(load_head("ict.safetensors").parts) == {"skin", "eye_left", "eye_right"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["flame", "absent.pkl"], "no file 'absent.pkl'"),
        (["flame", "."], "is a folder"),
        (["flame", "page.pkl", "--licence-note", "mine"], "is a web page"),
        (["flame", "harm.pkl", "--licence-note", "mine"], "asks for 'os.system'"),
        (["flame", "model.pkl"], "Say which, as in"),
        (["flame", "model.pkl", "--licence-note", "mine", "--base", "x"], "no stock parts"),
        (["flame", "model.pkl", "--licence-note", "mine", "--part", "skin"], "Leave out --part"),
        (["flame", "wrong.pkl", "--licence-note", "mine"], "'weights' has shape (3, 5)"),
        (["flame", "lmk.npy", "--licence-note", "mine"], "FLAME 2023 Open"),
        (["ict", "."], "no generic_neutral_mesh.obj"),
        (["ict", ".", "model.pkl"], "one folder"),
        (["ict", ".", "--part", "hair"], "generic_neutral_mesh"),
        (["flaem", "model.pkl"], "Did you mean 'flame'?"),
        (["magicface", ".", "--licence-note", "mine"], "--licence-note and --part are for heads"),
    ],
)
def test_what_is_no_head_is_refused_in_one_line(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    write_flame(work)
    write_landmarks(work).rename("lmk.npy")
    Path("wrong.pkl").write_bytes(pickle.dumps({**flame(), "weights": flame()["weights"][:3]}, 2))
    Path("page.pkl").write_text("<!DOCTYPE html><title>Log in</title>")
    Path("harm.pkl").write_bytes(b"cos\nsystem\nU\x0ctouch harmedR.")
    before = names_in(work)
    assert says in run("convert", *arguments, "-o", "head.safetensors").refusal
    assert names_in(work) == before


def test_a_full_disk_leaves_nothing_behind(here: Path, tmp_path: Path) -> None:
    model = write_flame(tmp_path)
    arguments = ("convert", "flame", model, "-o", "head.safetensors", "--licence-note", "mine")
    ran = run_apart(*arguments, cwd=here, limit=50_000)
    assert "Cannot write 'head.safetensors'" in ran.refusal
    assert names_in(here) == []

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from faceforge.errors import CannotWrite
from faceforge.io.files import INVENTORY, existing_file, replacing, replacing_folder, sha256


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def write(target: Path, text: str, then: type[BaseException] | None = None) -> None:
    with replacing(target) as temporary:
        temporary.write_text(text)
        if then:
            raise then


def test_a_finished_block_leaves_exactly_the_target(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "new")
    assert names_in(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


def test_the_target_is_untouched_until_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


@pytest.mark.parametrize("failure", [ZeroDivisionError, KeyboardInterrupt])
def test_a_block_that_fails_keeps_the_old_content_and_leaves_nothing_else(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(failure):
        write(target, "half", then=failure)
    assert target.read_text() == "old"
    assert names_in(tmp_path) == ["a.txt"]


def test_a_full_disk_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full to stand for a full disk")
    advice = r"a\.txt.*No space left on device.*Free some space"
    with pytest.raises(CannotWrite, match=advice) as refusal, replacing(tmp_path / "a.txt"):
        Path("/dev/full").write_text("x")
    assert "\n" not in str(refusal.value)
    assert names_in(tmp_path) == []


def test_a_write_cut_short_by_the_system_keeps_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    script = """
import resource, sys
from faceforge.errors import CannotWrite
from faceforge.io.files import replacing
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    with replacing(sys.argv[1]) as temporary:
        temporary.write_bytes(bytes(10_000))
except CannotWrite as refusal:
    print(refusal)
"""
    done = subprocess.run([sys.executable, "-c", script, target], capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    assert target.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.bin"]


def test_a_failing_sync_is_a_failing_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(CannotWrite, match="Free some space"):
        write(tmp_path / "a.txt", "x")
    assert names_in(tmp_path) == []


def test_kill_9_in_the_middle_of_a_write_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    script = """
import sys, time
from faceforge.io.files import replacing
with replacing(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script, target], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        writer.kill()
    assert writer.returncode == -signal.SIGKILL
    assert target.read_text() == "old"


def test_impossible_places_are_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    for path, advice in {
        tmp_path / "missing" / "a.txt": "Create its folder first",
        tmp_path / "file" / "a.txt": "One of its folders is a file",
        tmp_path / ("n" * 300): "Choose a shorter name",
        tmp_path: "it is not a file",
        tmp_path / "pipe": "it is not a file",
    }.items():
        with pytest.raises(CannotWrite, match=advice):
            write(path, "x")
    assert names_in(tmp_path) == ["file", "pipe"]
    assert (tmp_path / "pipe").is_fifo()


def test_a_symbolic_link_stays_and_its_file_is_rewritten(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    write(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_permissions_are_those_of_an_ordinary_file_or_of_the_one_replaced(tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("")
    write(tmp_path / "new.txt", "x")
    assert (tmp_path / "new.txt").stat().st_mode == (tmp_path / "plain.txt").stat().st_mode
    (tmp_path / "private.txt").write_text("old")
    (tmp_path / "private.txt").chmod(0o600)
    write(tmp_path / "private.txt", "new")
    assert (tmp_path / "private.txt").stat().st_mode & 0o777 == 0o600


def write_folder(target: Path, *names: str, overwrite: bool = False, then: type[BaseException] | None = None) -> None:
    with replacing_folder(target, overwrite=overwrite) as temporary:
        for name in names:
            (temporary / name).parent.mkdir(exist_ok=True)
            (temporary / name).write_text("x")
        if then:
            raise then


def test_a_folder_appears_whole_and_a_later_write_replaces_it(tmp_path: Path) -> None:
    write_folder(tmp_path / "plugin", "a.txt", "deep/b.txt")
    assert names_in(tmp_path / "plugin") == [INVENTORY, "a.txt", "deep"]
    write_folder(tmp_path / "plugin", "c.txt")
    assert names_in(tmp_path / "plugin") == [INVENTORY, "c.txt"]
    assert names_in(tmp_path) == ["plugin"]


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "plugin").mkdir()
    write_folder(tmp_path / "plugin", "a.txt")
    assert (tmp_path / "plugin" / "a.txt").read_text() == "x"


def test_a_folder_that_fails_keeps_the_old_one_and_leaves_nothing_else(tmp_path: Path) -> None:
    write_folder(tmp_path / "plugin", "a.txt")
    with pytest.raises(ZeroDivisionError):
        write_folder(tmp_path / "plugin", "b.txt", then=ZeroDivisionError)
    assert names_in(tmp_path / "plugin") == [INVENTORY, "a.txt"]
    assert names_in(tmp_path) == ["plugin"]


def test_a_folder_whose_last_rename_fails_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path / "plugin", "a.txt")
    rename, calls = os.rename, []

    def second_fails(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "rename", second_fails)
    with pytest.raises(CannotWrite, match="Free some space"):
        write_folder(tmp_path / "plugin", "b.txt")
    assert names_in(tmp_path / "plugin") == [INVENTORY, "a.txt"]
    assert names_in(tmp_path) == ["plugin"]


def test_a_folder_with_strangers_files_is_replaced_only_on_request(tmp_path: Path) -> None:
    write_folder(tmp_path / "plugin", "a.txt")
    (tmp_path / "plugin" / "thesis.txt").write_text("ten years")
    with pytest.raises(CannotWrite, match=r"'thesis\.txt', which FaceForge did not write.*overwrite=True"):
        write_folder(tmp_path / "plugin", "b.txt")
    assert (tmp_path / "plugin" / "thesis.txt").read_text() == "ten years"
    write_folder(tmp_path / "plugin", "b.txt", overwrite=True)
    assert names_in(tmp_path / "plugin") == [INVENTORY, "b.txt"]


def test_a_folder_cannot_take_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "plugin").write_text("a file")
    with pytest.raises(CannotWrite, match="a file has that name"):
        write_folder(tmp_path / "plugin", "a.txt", overwrite=True)
    assert (tmp_path / "plugin").read_text() == "a file"


def test_only_an_ordinary_file_counts_as_existing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    assert existing_file(tmp_path / "a.txt", CannotWrite) == tmp_path / "a.txt"
    os.mkfifo(tmp_path / "pipe")
    for path, refusal in {
        tmp_path: "is a folder",
        tmp_path / "pipe": "is a device or a pipe",
        tmp_path / "b.txt": "There is no file",
        tmp_path / ("n" * 300): "There is no file",
        Path("nul\0byte"): "There is no file",
    }.items():
        with pytest.raises(CannotWrite, match=refusal):
            existing_file(path, CannotWrite)


def test_a_file_and_its_bytes_have_one_digest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert sha256(b"abc") == sha256(tmp_path / "a.txt") == sha256(str(tmp_path / "a.txt")) == known


def test_reading_and_writing_files_imports_neither_torch_nor_numpy() -> None:
    script = """
import sys
import faceforge
before = set(sys.modules)
import faceforge.io.files, faceforge.io.pictures, faceforge.io.provenance, faceforge.io.weights
print([name for name in ("torch", "numpy", "diffusers") if name in set(sys.modules) - before])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

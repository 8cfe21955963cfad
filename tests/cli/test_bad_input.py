"""Whatever is wrong: one line that says what to do, an exit code that is not zero, and no file left."""

import io
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceforge.store.backbones import tiny
from tests.cli.running import TINY, names_in, run, run_apart
from tests.makes import portrait
from tests.releases import diffusers_files, fineface_files, magicface_files, written


def png() -> bytes:
    stream = io.BytesIO()
    portrait(side=64).save(stream, "PNG")
    return stream.getvalue()


def enormous() -> bytes:
    """A PNG of a few bytes that claims 30000 x 30000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def dot() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (1, 1)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not a picture at all", "is not a picture"),
        (b"", "is not a picture"),
        (png()[:-200], "cut off or damaged"),
        (dot(), "1x1 pixels"),
        (enormous(), "100 megapixels"),
    ],
    ids=["text", "empty", "cut off", "1x1", "30000x30000"],
)
def test_a_bad_picture_is_refused(here: Path, content: bytes, says: str) -> None:
    Path("in.png").write_bytes(content)
    refusal = run("edit", *TINY, "in.png", "-o", "out.png").refusal
    assert says in refusal
    assert "'in.png'" in refusal
    assert names_in(here) == ["in.png"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--au", "AU12=nan"], "out of range"),
        (["--au", "AU12=1e30"], "out of range"),
        (["--au", "AU12=1e999"], "out of range"),
        (["--au", "AU12"], "no name and value"),
        (["--au", "AU12=much"], "not a number"),
        (["--au", "AU13=1"], "Did you mean 'AU1"),
        (["--au", "AU12=1", "--au", "au12=2"], "twice"),
        (["--au", "AU28=1"], "no loaded plugin can do it"),
        (["--preset", "surprize"], "Did you mean 'surprise'?"),
        (["--preset", "anger=9"], "out of range"),
        (["--plugin", "magicfase"], "Did you mean 'magicface'?"),
        (["--plugin", "nowhere.py"], "no file 'nowhere.py'"),
        (["--plugin", "faceid"], "needs the vector 'faceid'"),
        (["--plugin", "attributes"], "needs the picture 'background'"),
        (["--picture", "background=nowhere.png"], "no file 'nowhere.png'"),
        (["--vector", "faceid=nowhere.npy"], "no file 'nowhere.npy'"),
        (["--strength", "identety=0.5"], "Did you mean 'identity'?"),
        (["--strength", "identity=-1"], "strength"),
        (["--strength", "identity=0.5:1,0.2:0"], "rising fractions"),
        (["--set", "magicface.gain=1"], "has no controls"),
        (["--size", "100"], "multiples of 8"),
        (["--size", "0"], "size"),
        (["--size", "big"], "is not a size"),
        (["--steps", "0"], "steps"),
        (["--guidance", "nan"], "guidance"),
        (["--seed", "-1"], "seed"),
        (["--start", "sketch", "--start-at", "0.5"], "not one of the pictures"),
        (["--model", "magicfase"], "Did you mean 'magicface'?"),
        (["--model", "."], "model.json is missing"),
        (["--base", "somewhere"], "--base belongs to a published release"),
        (["--lora-scale", "fineface=1"], "not loaded"),
        (["--device", "toaster"], "faceforge doctor"),
        (["--commercial"], "mengtingwei/magicface are not known to be free for commercial use: Apache-2.0 as tagged"),
        (["--commercial", "--model", "faceid"], "h94/IP-Adapter-FaceID may not be used for commercial use"),
        (["--from", "nowhere.png"], "no file 'nowhere.png'"),
        (["--aus", "AU12=1"], "Did you mean one of: '--au'"),
    ],
)
def test_a_bad_wish_is_refused(here: Path, arguments: list[str], says: str) -> None:
    assert says in run("edit", *TINY, "-o", "out.png", *arguments).refusal
    assert names_in(here) == []


def test_a_vector_file_may_not_bring_code_or_words(here: Path) -> None:
    np.save("objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save("words.npy", np.array(["a"]))
    Path("noise.npy").write_bytes(b"nothing")
    for name in ("objects", "words", "noise"):
        assert f"'{name}.npy'" in run("edit", *TINY, "--vector", f"faceid={name}.npy", "-o", "out.png").refusal


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"{}", "does not say how it was made"), (b"[", "does not say how it was made"), (b'{"spec": 3}', "spec")],
    ids=["empty", "broken", "wrong"],
)
def test_a_bad_sidecar_is_refused(here: Path, content: bytes, says: str) -> None:
    Path("old.png.json").write_bytes(content)
    assert says in run("edit", "--from", "old.png.json", "-o", "out.png").refusal


def test_a_picture_of_somebody_else_cannot_be_repeated(here: Path) -> None:
    portrait().save("photo.png")
    assert "carries no FaceForge provenance" in run("edit", "--from", "photo.png", "-o", "out.png").refusal


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("out.gif", "ends in .png"),
        ("out", "ends in .png"),
        ("nowhere/out.png", "no folder"),
        ("folder.png", "is a folder"),
        ("file/out.png", "no folder"),
        ("/proc/out.png", "Cannot write"),
        ("photo.png", "would be lost"),
    ],
)
def test_a_bad_output_is_refused(here: Path, output: str, says: str) -> None:
    portrait(side=40).save("photo.png")
    Path("folder.png").mkdir()
    Path("file").touch()
    before = names_in(here)
    assert says in run("edit", *TINY, "photo.png", "--steps", 1, "-o", output).refusal
    assert names_in(here) == before


def test_a_full_disk_leaves_nothing_behind(here: Path) -> None:
    ran = run_apart("edit", *TINY, "--steps", 1, "--size", 128, "-o", "out.png", cwd=here, limit=4096)
    assert "Cannot write 'out.png'" in ran.refusal
    assert names_in(here) == []


def test_an_interrupted_edit_leaves_nothing_behind(here: Path) -> None:
    command = [sys.executable, "-c", "from faceforge.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "edit", "--model", "tiny", "--steps", "900", "--size", "256", "-o", "out.png"],
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    time.sleep(6)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.decode().strip().startswith("Error: Interrupted.")
    assert names_in(here) == []


class Payload:
    """What a malicious checkpoint holds: unpickling it would create a file."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("harm",)


def test_a_checkpoint_that_runs_code_does_not(here: Path, tmp_path: Path) -> None:
    import torch

    base = tmp_path / "base"
    diffusers_files(tiny(), base)
    folder = written(fineface_files(tiny()), tmp_path / "release")
    torch.save({"state_dict": Payload()}, folder / "attn_processors.ckpt")
    refusal = run("convert", "fineface", folder, "--base", base, "-o", "model").refusal
    assert "nothing in the file was executed" in refusal
    assert names_in(here) == []


def test_weights_of_another_family_are_refused(here: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    diffusers_files(tiny(), base)
    wide = written(fineface_files(tiny(widths=(24, 48))), tmp_path / "wide")
    refusal = run("convert", "fineface", wide, "--base", base, "-o", "model").refusal
    assert "has shape" in refusal
    other = written(magicface_files(), tmp_path / "other")
    assert "is not in other" in run("convert", "fineface", other, "--base", base, "-o", "model").refusal
    assert names_in(here) == []

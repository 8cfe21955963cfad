"""Clips on the command line: one line for whatever is wrong, and a killed command that goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("av", reason="videos need the extra video")

from faceforge import Motion
from faceforge.cli.repeat import SAMPLE
from faceforge.io.video import read_video
from faceforge.motion.driving import SMOOTHING
from tests.cli.running import names_in, run, run_apart
from tests.io.videos import only_sound, pictures, wrote

SMILE = "AU12: 0s=0, 1s=3"
ASK = ("reenact", "ada.png", "--finder", "embedded", "--timeline", SMILE, "--fps", 8, "-o", "out.mp4")


@pytest.fixture
def ada(here: Path) -> Path:
    Image.open(SAMPLE).convert("RGB").resize((160, 160)).save("ada.png")
    return here / "ada.png"


def test_a_timeline_moves_a_portrait(ada: Path) -> None:
    ran = run(*ASK, "--compare", "--save-motion", "smile.npz")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == ["out.mp4", "9 frames", "smile.npz"]
    assert read_video("out.mp4").size == (160, 320)
    assert Motion.load("smile.npz").specs()[-1].aus == {"AU12": 3.0}
    assert names_in(ada.parent) == ["ada.png", "out.mp4", "smile.npz"]


def test_a_video_is_edited(ada: Path) -> None:
    shown = np.asarray(Image.open(ada))
    wrote(Path("in.mp4"), [shown, shown], sound="aac")
    ran = run("edit", "in.mp4", "--finder", "embedded", "--au", "AU12=2", "-o", "out.mp4", "--sidecar")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == ["out.mp4", "2 frames", "more lip corner puller (AU12 +2); seed 0"]
    assert names_in(ada.parent) == ["ada.png", "in.mp4", "out.mp4", "out.mp4.json"]


def test_kill_nine_and_the_same_command_make_the_same_clip(ada: Path) -> None:
    """A process of its own, killed when it has drawn two frames."""
    started = subprocess.Popen(
        [sys.executable, "-c", "from faceforge.cli import main; main()", *map(str, ASK)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    folder = ada.with_name("out.mp4.frames")
    until = time.monotonic() + 500
    while not (folder / "000001.png").is_file() and started.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    assert not ada.with_name("out.mp4").exists()
    drawn = [name for name in names_in(folder) if name.endswith(".png") and not name.startswith(".")]
    assert 2 <= len(drawn) < 9
    first = {name: (folder / name).read_bytes() for name in drawn}
    assert run(*ASK).code == 0
    interrupted = ada.with_name("out.mp4").read_bytes()
    ada.with_name("out.mp4").unlink()
    assert run(*ASK).code == 0
    assert ada.with_name("out.mp4").read_bytes() == interrupted
    assert first


def test_a_full_disk_in_the_middle_is_one_line(ada: Path) -> None:
    refusal = run_apart(*ASK, cwd=ada.parent, limit=20_000).refusal
    assert "Cannot write" in refusal
    assert not ada.with_name("out.mp4").exists()


def test_the_help_knows_the_smoothing_of_the_library() -> None:
    assert f"[default: {SMOOTHING:g}]" in run("reenact", "--help").out


def videos(here: Path) -> None:
    Path("empty.mp4").write_bytes(b"")
    Path("text.mp4").write_text("no video")
    only_sound(here / "sound.mp4")
    wrote(here / "wall.mp4", pictures(2))
    Path("bad.npz").write_bytes(b"no motion")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["reenact", "ada.png", "-o", "o.mp4"], "Name one thing that drives"),
        (["reenact", "ada.png", "wall.mp4", "--timeline", SMILE, "-o", "o.mp4"], "Name one thing that drives"),
        (["reenact", "ada.png", "empty.mp4", "-o", "o.mp4"], "'empty.mp4' is empty"),
        (["reenact", "ada.png", "text.mp4", "-o", "o.mp4"], "cannot be read as a video"),
        (["reenact", "ada.png", "sound.mp4", "-o", "o.mp4"], "holds only sound"),
        (["reenact", "ada.png", "no.mp4", "-o", "o.mp4"], "no file 'no.mp4'"),
        (["reenact", "no.png", "wall.mp4", "-o", "o.mp4"], "no file 'no.png'"),
        (["reenact", "text.mp4", "wall.mp4", "-o", "o.mp4"], "not a picture"),
        (["reenact", "ada.png", "--motion", "bad.npz", "-o", "o.mp4"], "no motion file"),
        (["reenact", "ada.png", "--motion", "ada.png", "-o", "o.mp4"], "no motion file"),
        (["reenact", "ada.png", "--timeline", "AU13: 0s=1", "-o", "o.mp4"], "'AU13' cannot be moved"),
        (["reenact", "ada.png", "--timeline", SMILE, "--fps", "0", "-o", "o.mp4"], "frames per second"),
        (["reenact", "ada.png", "--timeline", SMILE, "--jaw", "9", "-o", "o.mp4"], "strength of the jaw is 9.0"),
        (["reenact", "ada.png", "--timeline", SMILE, "--face", "7", "-o", "o.mp4"], "no face 7"),
        (["reenact", "ada.png", "--timeline", SMILE, "-o", "o.gif"], "a video's name ends in"),
        (["reenact", "ada.png", "--timeline", SMILE, "-o", "no/o.mp4"], "no folder"),
        (["reenact", "ada.png", "wall.mp4", "-o", "wall.mp4"], "is a source too"),
        (["edit", "empty.mp4", "--au", "AU12=1", "-o", "o.mp4"], "'empty.mp4' is empty"),
        (["edit", "wall.mp4", "--au", "AU12=1", "-o", "o.png"], "a video's name ends in"),
        (["edit", "wall.mp4", "--prompt", "a clown", "-o", "o.mp4"], "--prompt does nothing for a video"),
        (["edit", "wall.mp4", "--model", "magicface", "-o", "o.mp4"], "--model does nothing for a video"),
        (["edit", "wall.mp4", "--face", "all", "-o", "o.mp4"], "one face at a time"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_is_said_in_one_line(ada: Path, arguments: list[str], says: str) -> None:
    videos(ada.parent)
    before = names_in(ada.parent)
    finder = () if arguments[0] == "edit" and "--model" in arguments else ("--finder", "embedded")
    refusal = run(*arguments, *finder).refusal
    assert says in refusal
    assert names_in(ada.parent) == before


def test_a_driver_without_a_face_is_refused(ada: Path) -> None:
    wrote(ada.with_name("wall.mp4"), pictures(2))
    refusal = run("reenact", "ada.png", "wall.mp4", "--finder", "embedded", "-o", "o.mp4").refusal
    assert "No face was found in any of 2 frames of 'wall.mp4'" in refusal
    assert names_in(ada.parent) == ["ada.png", "wall.mp4"]

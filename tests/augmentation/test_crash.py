"""Killed anywhere, or out of space: the same command goes on to the bytes of a run that nobody disturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from faceforge.augmentation.running import run
from tests.augmentation.sources import Roller, contents, noise, plan

ROOT = Path(__file__).parents[2]
KILLS = 20
SCRIPT = """
import sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from faceforge.augmentation import running
from tests.augmentation.sources import Roller, plan

class Slow(Roller):
    def _rolled(self, job):
        time.sleep(0.01)
        return super()._rolled(job)

running._editor = lambda *_: Slow()
if __name__ == "__main__":
    given = plan(Path({folder!r}), block=3, variants=3, output={{"layout": sys.argv[1]}}, gates={{"measure": False}})
    running.run(given, Path(sys.argv[2]), workers=2)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(root=str(ROOT), folder=str(tmp_path / "in")))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["images", "shards"])
def test_killed_at_twenty_random_points_it_ends_with_the_same_bytes(
    tmp_path: Path, roller: Roller, script: Path, layout: str
) -> None:
    (noise(tmp_path / "in", 60) / "n07.png").write_bytes(b"torn")
    given = plan(tmp_path / "in", block=3, variants=3, output={"layout": layout}, gates={"measure": False})
    run(given, tmp_path / "whole")
    chance, stopped = random.Random(7), 0
    for number in range(KILLS // 2):
        running = subprocess.Popen([sys.executable, script, layout, tmp_path / "cut"], stderr=subprocess.DEVNULL)
        children = _working(running, tmp_path / "cut", made=number)
        time.sleep(chance.uniform(0, 0.12))
        victim = chance.choice([running.pid, *children])
        stopped += _killed(victim)
        running.wait(timeout=60)
    assert stopped >= KILLS // 4
    run(given, tmp_path / "cut")
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def _working(running: "subprocess.Popen[bytes]", folder: Path, made: int) -> list[int]:
    """The worker processes, once there are more blocks than before or the run has ended."""
    deadline = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < deadline:
        if len(list(folder.glob("blocks/[!.]*"))) > made:
            break
        time.sleep(0.005)
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    return [int(pid) for pid in children.read_text().split()] if children.exists() else []


def _killed(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
sys.argv = [sys.argv[0], "shards", sys.argv[1]]
exec(open({script!r}).read().replace("workers=2", "workers=1"))
"""


@pytest.mark.slow
def test_where_the_system_takes_no_more_it_stops_in_one_line_and_goes_on_later(
    tmp_path: Path, roller: Roller, script: Path
) -> None:
    folder = noise(tmp_path / "in", 12)
    code = LIMITED.format(limit=20_000, script=str(script))  # a shard needs more
    stopped = subprocess.run([sys.executable, "-c", code, tmp_path / "cut"], capture_output=True, text=True)
    assert "CannotWrite" in stopped.stderr.splitlines()[-1]
    assert not list((tmp_path / "cut").rglob(".faceforge-*"))
    given = plan(folder, block=3, variants=3, output={"layout": "shards"}, gates={"measure": False})
    for place in ("cut", "whole"):
        run(given, tmp_path / place)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")

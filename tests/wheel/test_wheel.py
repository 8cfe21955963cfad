"""The built wheel alone, unpacked into an empty folder and used from another: nothing may be missing from it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from faceforge.cli.commands import BUILT_IN

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    tracked = ["pyproject.toml", "README.md", "LICENSE", "faceforge", "plugins", "training", "demos"]
    copy.mkdir()
    for name in tracked:
        subprocess.run(["cp", "-r", ROOT / name, copy / name], check=True)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, copy],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def faceforge(site: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as the wheel brings it; -P keeps the current folder, and the editable install, out of the way."""
    start = (
        "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]\n"
        "import faceforge, faceforge_plugins\n"
        f"assert faceforge.__file__.startswith({str(site)!r}), faceforge.__file__\n"
        f"assert faceforge_plugins.__file__.startswith({str(site)!r}), faceforge_plugins.__file__\n"
        "from faceforge.cli import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-P", "-c", start, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "FACEFORGE_HOME": str(cwd / "home")},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "line",
    [
        "doctor",
        "plugins",
        "plugins info magicface",
        "edit --au AU12=2 --au AU6=1 -o smile.png",
        "sweep --au AU12 --values 0,1 -o sheet.png",
        "generate --prompt face --steps 1 -o face.png",
        "new my-plugin",
        "train --list",
        "train face-finder-detect --dry-run",
        *(f"{name} --help" for name in BUILT_IN),
    ],
)
def test_every_command_works_from_the_wheel_in_an_empty_folder(site: Path, tmp_path: Path, line: str) -> None:
    ran = faceforge(site, tmp_path, *line.split())
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr


def test_what_the_wheel_makes_the_wheel_can_check_and_repeat(site: Path, tmp_path: Path) -> None:
    for line in ("new glow", "check glow.py", "edit --au AU12=1 -o one.png", "edit --from one.png -o two.png"):
        ran = faceforge(site, tmp_path, *line.split())
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "two.png").is_file()


def test_the_wheel_holds_what_it_should_and_nothing_else(site: Path) -> None:
    names = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert {"faceforge/assets/sample.png", "faceforge/py.typed", "faceforge_plugins/magicface.py"} <= names
    assert {"faceforge/assets/face-finder.safetensors", "faceforge_training/recipes/face-finder-detect.toml"} <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))]
    (entry_points,) = site.glob("*.dist-info/entry_points.txt")
    assert "faceforge = faceforge.cli:main" in entry_points.read_text()

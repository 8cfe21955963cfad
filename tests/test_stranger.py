"""A stranger's plugin in a wheel of its own, in a fresh virtualenv, with no file of FaceForge changed."""

import json
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

STRANGER = Path(__file__).parent / "stranger"
CODE = """
import faceforge as ff
from faceforge.store.registry import plugin_class

forge = ff.load("tiny")
forge.attach(plugin_class("warmth")())
edits = [forge.edit(SAMPLE, steps=1, size=32, controls={"warmth": {"amount": a}}) for a in (0.0, 1.0)]
print(bool((edits[0].latents != edits[1].latents).any()))
"""


def run(python: Path, *arguments: str, cwd: Path) -> str:
    ran = subprocess.run([str(python), *arguments], cwd=cwd, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtualenv that holds the stranger's wheel, and sees FaceForge where it is installed."""
    place = tmp_path_factory.mktemp("stranger")
    source = shutil.copytree(STRANGER, place / "source")
    wheel = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(place), str(source)]
    run(Path(sys.executable), "-m", "pip", *wheel, cwd=place)
    run(Path(sys.executable), "-m", "venv", "--without-pip", str(place / "venv"), cwd=place)
    inside = place / "venv" / "bin" / "python"
    target = run(inside, "-c", "import site; print(site.getsitepackages()[0])", cwd=place).strip()
    found = next(place.glob("*.whl"))
    run(Path(sys.executable), "-m", "pip", "install", "-q", "--no-deps", "--target", target, str(found), cwd=place)
    here = site.getsitepackages()[0]
    (Path(target) / "faceforge-here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    return inside


@pytest.mark.slow
def test_it_is_listed_with_its_controls(python: Path, tmp_path: Path) -> None:
    listed = json.loads(run(python, "-m", "faceforge", "plugins", "--json", cwd=tmp_path))
    assert "warmth" in {each["name"] for each in listed}
    assert "warmth.amount" in run(python, "-m", "faceforge", "edit", "--help", cwd=tmp_path)


@pytest.mark.slow
def test_it_works_from_python(python: Path, tmp_path: Path) -> None:
    from faceforge.assets import __file__ as assets

    sample = str(Path(assets).parent / "sample.png")
    assert run(python, "-c", CODE.replace("SAMPLE", repr(sample)), cwd=tmp_path).strip() == "True"


@pytest.mark.slow
def test_it_works_from_the_command_line(python: Path, tmp_path: Path) -> None:
    pictures = []
    for amount in ("0", "1"):
        run(
            python, "-m", "faceforge", "edit", "--model", "tiny", "--plugin", "warmth",
            "--set", f"warmth.amount={amount}", "--steps", "1", "-o", f"{amount}.png", cwd=tmp_path,
        )  # fmt: skip
        pictures.append((tmp_path / f"{amount}.png").read_bytes())
    assert pictures[0] != pictures[1]
    again = run(python, "-m", "faceforge", "edit", "--from", "1.png", "--plugin", "warmth", "-o", "2.png", cwd=tmp_path)
    assert "2.png" in again
    assert (tmp_path / "2.png").read_bytes() == pictures[1]

"""`faceforge new`, `check` and `check --dose`."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from faceforge.forge import Forge
from tests.cli.running import names_in, run
from tests.makes import forge_of

JUDGE = """
import numpy

class Brightness:
    codes = ("AU12", "AU4")

    def delta(self, source, edited):
        change = numpy.asarray(edited, float).mean() - numpy.asarray(source, float).mean()
        return [change, 0.0]
"""


def test_a_new_plugin_passes_check(here: Path) -> None:
    ran = run("new", "my-plugin")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "my_plugin.py")
    ran = run("check", "my_plugin.py")
    assert ran.code == 0, ran.out
    assert "FAILED" not in ran.out
    assert "my-plugin: detaching leaves no trace" in ran.out


def test_a_new_plugin_is_formatted_and_clean(here: Path) -> None:
    run("new", "my-plugin")
    for command in (["check", "--select", "E,F,I"], ["format", "--check"]):
        line = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "120", "my_plugin.py"]
        ruff = subprocess.run(line, capture_output=True, text=True)
        assert ruff.returncode == 0, ruff.stdout


def test_new_overwrites_nothing_and_refuses_bad_names(here: Path) -> None:
    assert run("new", "glow", "-o", here).code == 0
    before = (here / "glow.py").read_text()
    assert "exists already" in run("new", "glow").refusal
    assert (here / "glow.py").read_text() == before
    for name in ("Glow", "9lives", "a--b", "glow-", "../glow", "two words"):
        assert "is not a name" in run("new", name).refusal
    assert "installed already" in run("new", "magicface").refusal
    assert "Cannot write" in run("new", "shine", "-o", "nowhere").refusal
    assert names_in(here) == ["glow.py"]


def test_the_exit_code_of_check_counts_broken_laws(here: Path) -> None:
    run("new", "glow")
    text = (here / "glow.py").read_text().replace("points=(HookPoint.TIMESTEP,)", "points=(HookPoint.INPUT,)")
    (here / "glow.py").write_text(text)
    ran = run("check", "glow.py")
    failures = [line for line in ran.out.splitlines() if line.startswith("FAILED")]
    assert ran.code == len(failures) > 0
    assert any("only declared points are used" in line for line in failures)


def test_a_plugin_that_cannot_be_checked_is_refused(here: Path) -> None:
    Path("broken.py").write_text("import a_package_nobody_has")
    Path("empty.py").write_text("")
    assert "does not import" in run("check", "broken.py").refusal
    assert "0 plugin classes" in run("check", "empty.py").refusal
    assert "Did you mean 'magicface'?" in run("check", "magicfase").refusal
    assert "not a file" in run("check", "nowhere.py").refusal


def test_a_saved_model_is_checked_down_to_its_tensors(here: Path) -> None:
    forge_of("magicface").save("model")
    assert run("check", "model").code == 0
    weights = here / "model/plugins/magicface/weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    ran = run("check", "model")
    assert ran.code == 1
    assert "FAILED  magicface: holds what was saved: changed since: " in ran.out
    weights.unlink()
    assert run("check", "model").code == 2


def test_a_folder_that_is_no_model_fails(here: Path) -> None:
    ran = run("check", ".")
    assert ran.code == 1
    assert "model.json is missing" in ran.out


def test_without_a_judge_the_dose_says_so(here: Path) -> None:
    forge_of("magicface").save("model")
    asked = ("check", "magicface", "--dose", "--model", "model", "--judge", "nobody")
    assert "No judge is called 'nobody'" in run(*asked).refusal
    assert "--model" in run("check", "magicface", "--dose").refusal
    assert "belong to --dose" in run("check", "magicface", "--judge", "x").refusal


def test_a_dose_is_measured_and_stored(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    (site / "eyes-1.0.dist-info").mkdir(parents=True)
    (site / "eyes.py").write_text(JUDGE)
    (site / "eyes-1.0.dist-info/METADATA").write_text("Name: eyes\nVersion: 1.0\n")
    (site / "eyes-1.0.dist-info/entry_points.txt").write_text("[faceforge.judges]\nbrightness = eyes:Brightness\n")
    monkeypatch.syspath_prepend(site)

    def sweep(self: Forge, image: object, *, au: str, values: list[float]) -> object:
        for value in values:
            yield type("Edit", (), {"image": Image.new("RGB", (16, 16), (128 - 3 * round(value),) * 3)})

    monkeypatch.setattr(Forge, "sweep", sweep)
    forge_of("magicface").save("model")
    ran = run("check", "magicface", "--dose", "--model", "model", "--judge", "brightness")
    assert ran.code == 0, ran.err
    assert "AU12: -3.00 units for each unit asked, the wrong way round" in ran.out
    assert "AU4: +0.00 units for each unit asked, too little to correct for" in ran.out
    assert '"AU12": -3.0' in (here / "model/plugins/magicface/manifest.json").read_text()
    assert (
        "Did you mean 'brightness'?"
        in run(*("check", "magicface", "--dose", "--model", "model", "--judge", "brightnes")).refusal
    )

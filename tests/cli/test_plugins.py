"""`faceforge plugins`: what is installed, with licences, and broken ones with their reason."""

import json
from pathlib import Path

import pytest

from tests.cli.running import TINY, run


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package whose plugins do not import."""
    site = tmp_path / "site"
    about = site / "strange-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "strange.py").write_text(
        "import a_package_nobody_has\n\nclass Strange(Plugin):\n    manifest = Manifest()\n"
    )
    (about / "METADATA").write_text("Name: strange\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[faceforge.plugins]\nstrange = strange:Strange\ngone = gone:Gone\n")
    monkeypatch.syspath_prepend(site)


def test_the_list_has_a_line_for_each() -> None:
    ran = run("plugins")
    assert ran.code == 0
    lines = {line.split()[0]: line for line in ran.out.splitlines() if line.strip()}
    for name in ("text", "identity", "attributes", "magicface", "fineface", "faceid"):
        assert "Apache-2.0" in lines[name]
    assert "timestep" in lines["magicface"]
    assert " 12 " in lines["magicface"]
    assert run("plugins", "list").out == ran.out


@pytest.mark.usefixtures("stranger")
def test_broken_plugins_are_listed_with_their_reason_and_break_nothing() -> None:
    ran = run("plugins")
    assert ran.code == 0
    assert "strange is broken" in ran.out
    assert "'a_package_nobody_has', which is not installed" in ran.out
    assert "gone is broken: module 'gone' is not installed" in ran.out
    assert "magicface" in ran.out
    assert run("edit", *TINY, "--help").code == 0
    assert run("edit", *TINY, "--steps", 1, "-o", "out.png").code == 0
    assert "not installed" in run("plugins", "info", "strange").out


def test_info_names_the_source_and_licence_of_every_weight() -> None:
    out = run("plugins", "info", "magicface").out
    for text in ("mengtingwei/magicface", "as tagged by its authors", "not verified", "Aff-Wild", "--model magicface"):
        assert text in out
    assert "not allowed" in run("plugins", "info", "faceid").out
    assert "vectors.faceid" in run("plugins", "info", "faceid").out


def test_an_unknown_plugin_suggests() -> None:
    assert "Did you mean 'magicface'?" in run("plugins", "info", "magicfase").refusal


@pytest.mark.parametrize("line", [["plugins", "--json"], ["plugins", "list", "--json"]])
def test_the_list_for_programs(line: list[str]) -> None:
    found = {each["name"]: each for each in json.loads(run(*line).out)}
    assert found["faceid"]["weights"]["commercial"] is False
    assert found["text"]["built_in"]


def test_info_for_programs() -> None:
    assert json.loads(run("plugins", "info", "fineface", "--json").out)["points"] == ["cross_attention", "weights"]

"""`faceforge doctor`: it works when things are missing, and says how to get them."""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from faceforge.cli import diagnosis
from tests.cli.running import run


def test_it_reports_packages_devices_and_places(here: Path) -> None:
    ran = run("doctor")
    assert (ran.code, ran.err) == (0, "")
    for text in ("torch ", "float32", "settings", "downloads", "magicface", "threads"):
        assert text in ran.out


def test_what_is_optional_comes_with_the_way_to_get_it(here: Path) -> None:
    found = json.loads(run("doctor", "--json").out)
    assert set(found["optional"]) == {"xformers", "pytorch3d", "mediapipe", "opencv-contrib-python", "openpyxl", "ray"}
    assert "--no-build-isolation" in diagnosis.OPTIONAL["pytorch3d"][1]
    assert "hub" not in found  # nothing is asked of the network unless --online


def test_a_missing_core_package_is_named_and_is_a_failure(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_peft(name: str) -> str:
        if name in ("peft", "mediapipe"):
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(diagnosis, "version", without_peft)
    ran = run("doctor")
    assert ran.code == 1
    assert 'MISSING; pip install "peft' in ran.out
    assert "pip install mediapipe" in ran.out


def test_an_unreachable_hub_is_a_finding_and_no_failure(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    ran = run("doctor", "--online")
    assert ran.code == 0
    assert "http://127.0.0.1:9" in ran.out
    assert "cannot be reached" in ran.out

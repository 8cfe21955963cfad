"""Every command test runs in an empty folder of its own and keeps away from the user's settings."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("FACEFORGE_HOME", str(tmp_path / "home"))
    return folder

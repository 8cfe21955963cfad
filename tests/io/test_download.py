"""A file comes from its address once, whole and checked, or not at all."""

import hashlib
from pathlib import Path

import pytest

from faceforge.errors import HubError
from faceforge.io.download import Remote, fetched


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    monkeypatch.setenv("FACEFORGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    (tmp_path / "model.task").write_bytes(b"weights")
    return Remote((tmp_path / "model.task").as_uri(), hashlib.sha256(b"weights").hexdigest(), 7)


def test_a_file_is_fetched_once(remote: Remote, tmp_path: Path) -> None:
    assert fetched(remote).read_bytes() == b"weights"
    (tmp_path / "model.task").unlink()
    assert fetched(remote) == remote.place


@pytest.mark.parametrize("bad", [b"weightz", b"weights and more", b""])
def test_other_bytes_are_refused_and_not_kept(remote: Remote, tmp_path: Path, bad: bytes) -> None:
    (tmp_path / "model.task").write_bytes(bad)
    with pytest.raises(HubError, match="other bytes than the known file"):
        fetched(remote)
    assert not list(remote.place.parent.iterdir())


def test_a_damaged_copy_is_fetched_again(remote: Remote) -> None:
    fetched(remote).write_bytes(b"rotten")
    assert fetched(remote).read_bytes() == b"weights"


def test_without_network_the_error_says_where_to_put_it(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(HubError, match=r"HF_HUB_OFFLINE is set.*copy it to"):
        fetched(remote)

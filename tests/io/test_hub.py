"""The real client against a small hub on loopback: what comes, what is refused, and what survives a broken line."""

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from huggingface_hub import close_session, constants, hf_hub_download

from faceforge.errors import HubError
from faceforge.io import hub
from tests.io.hub_server import HubServer

REPO = "ada/faces"
CONFIG, WEIGHTS = b'{"width": 8}', b"weights " * 1000
FILES = {
    "README.md": b"# Faces",
    "unet/config.json": CONFIG,
    "unet/weights.safetensors": WEIGHTS,
    "vae/config.json": b"{}",
}
CODE = {"unet/attention.py": b"raise SystemExit", "setup.py": b"raise SystemExit", "run.sh": b"exit 1"}
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def fresh_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "client"))
    monkeypatch.setenv("FACEFORGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    # With telemetry on, the client also calls the real hub, which tests must not.
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    close_session()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.push(REPO, FILES | CODE, large=("unet/weights.safetensors",))
        yield server


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def refusal(repo: str = REPO, files: tuple[str, ...] = (), revision: str | None = None) -> str:
    with pytest.raises(HubError) as caught:
        hub.fetch(repo, files=files, revision=revision)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_only_what_matches_a_pattern_comes(server: HubServer) -> None:
    folder = hub.fetch(REPO, files=["unet/"])
    assert names(folder) == {"unet/config.json", "unet/weights.safetensors"}
    assert (folder / "unet/weights.safetensors").read_bytes() == WEIGHTS


def test_without_patterns_all_data_comes_and_no_code(server: HubServer) -> None:
    assert names(hub.fetch(REPO)) == set(FILES)


def test_code_does_not_come_even_when_asked_for(server: HubServer) -> None:
    assert "'unet/*.py'" in refusal(files=("unet/*.py", "*.json"))
    assert not server.downloads("unet/attention.py")


def test_a_broken_download_goes_on_where_it_stopped(server: HubServer) -> None:
    data, mebi = os.urandom(12 << 20), 1 << 20
    server.push(REPO, {"big.bin": data}, large=("big.bin",))
    server.cut("big.bin", after=11 * mebi)
    assert (hub.fetch(REPO) / "big.bin").read_bytes() == data
    first, second = server.downloads("big.bin")
    assert (first.byte_range, first.sent) == (None, 11 * mebi)
    # The client writes in pieces of 10 MiB, and what came after the last whole piece is asked for again.
    assert (second.byte_range, second.sent) == (f"bytes={10 * mebi}-", 2 * mebi)


def test_a_killed_download_is_completed_by_the_same_call(server: HubServer, tmp_path: Path) -> None:
    server.stall("unet/weights.safetensors", after=4000)
    call = f"from faceforge.io.hub import fetch; fetch({REPO!r})"
    process = subprocess.Popen([sys.executable, "-c", call], cwd=ROOT, stderr=subprocess.DEVNULL)
    assert server.stalled.wait(30)
    while len(list((tmp_path / "client").glob("hub/*/snapshots/*/**/*.json"))) < 2:
        time.sleep(0.01)
    process.kill()
    process.wait()
    server.released.set()
    assert "unet/weights.safetensors" not in names(tmp_path / "client")
    folder = hub.fetch(REPO)
    assert (folder / "unet/weights.safetensors").read_bytes() == WEIGHTS
    assert len(server.downloads("vae/config.json")) == 1


def test_the_first_commit_stays_although_main_moves(server: HubServer) -> None:
    first = hub.fetch(REPO)
    later = server.push(REPO, {"README.md": b"# Other faces"})
    assert hub.fetch(REPO) == first
    assert hub.locked_revision(REPO) == first.name != later


def test_a_file_wanted_later_comes_from_the_locked_commit(server: HubServer) -> None:
    hub.fetch(REPO, files=["README.md"])
    server.push(REPO, {"README.md": b"# Other faces", "unet/config.json": b"{}"})
    assert (hub.fetch(REPO, files=["unet/config.json"]) / "unet/config.json").read_bytes() == CONFIG


def test_after_unlock_main_is_taken_as_it_is_then(server: HubServer) -> None:
    hub.fetch(REPO)
    later = server.push(REPO, {"README.md": b"# Other faces"})
    hub.unlock(REPO)
    assert hub.locked_revision(REPO) is None
    assert hub.fetch(REPO).name == hub.locked_revision(REPO) == later


def test_an_explicit_revision_wins_and_locks_nothing(server: HubServer) -> None:
    first = hub.fetch(REPO)
    half = server.push(REPO, {"README.md": b"# Half"}, branch="pr/half")
    assert hub.fetch(REPO, revision="pr/half").name == half
    assert hub.fetch(REPO, revision=half).name == half
    assert hub.locked_revision(REPO) == first.name


def test_a_complete_locked_snapshot_is_used_without_a_request(server: HubServer) -> None:
    folder = hub.fetch(REPO)
    server.requests.clear()
    assert hub.fetch(REPO, files=["unet/*"]) == folder
    assert server.requests == []


@pytest.mark.parametrize("revision", [None, "main"])
@pytest.mark.parametrize("offline", ["0", "1"])
def test_the_cache_serves_when_nobody_answers(
    server: HubServer, monkeypatch: pytest.MonkeyPatch, offline: str, revision: str | None
) -> None:
    folder = hub.fetch(REPO)
    server.stop()
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    assert hub.fetch(REPO, revision=revision) == folder


def test_offline_really_means_no_request(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    refusal()
    assert server.requests == []


def test_a_download_by_another_program_is_found_offline(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    # File by file, as programs without snapshots do it, so that the cache never learns what else there is.
    cache = Path(os.environ["HF_HOME"]) / "hub"
    config = Path(hf_hub_download(REPO, "unet/config.json", cache_dir=cache, endpoint=server.url))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert hub.fetch(REPO, files=["unet/*.json"]) == config.parent.parent
    assert "lacks 'vae/*'" in refusal(files=("unet/*", "vae/*"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert names(hub.fetch(REPO)) == set(FILES)


@pytest.mark.parametrize("offline", ["0", "1"])
def test_what_is_missing_offline_is_named_with_the_remedy(
    server: HubServer, monkeypatch: pytest.MonkeyPatch, offline: str
) -> None:
    commit = hub.fetch(REPO, files=["README.md"]).name
    server.stop()
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    message = refusal(files=("README.md", "unet/*.json"))
    assert f"'ada/faces' at revision '{commit}' lacks 'unet/config.json'" in message
    assert ("HF_HUB_OFFLINE is set" if offline == "1" else "Connection refused") in message
    assert "Connect once" in message
    assert "local folder" in message
    assert "'ada/other' at revision 'main' lacks '*.json'" in refusal("ada/other", ("*.json",))


def test_a_hub_out_of_order_counts_as_no_hub(server: HubServer) -> None:
    folder = hub.fetch(REPO)
    server.broken_with = 503
    assert hub.fetch(REPO, revision="main") == folder
    assert "503" in refusal("ada/other")


def test_a_gated_repository_says_how_to_get_in(server: HubServer) -> None:
    server.repositories[REPO].gated = True
    message = refusal()
    assert f"Accept its licence on {server.url}/ada/faces" in message
    assert "hf auth login" in message


def test_what_the_hub_does_not_have_is_named(server: HubServer) -> None:
    assert "'ada/other' does not exist" in refusal("ada/other")
    assert "no revision 'v9'" in refusal(revision="v9")
    assert "'text_encoder/*'" in refusal(files=("unet/*", "text_encoder/*"))
    assert not server.downloads("unet/config.json")
    assert "Write 'owner/name'" in refusal("faces")


def test_a_locked_commit_that_left_the_hub_can_be_forgotten(server: HubServer) -> None:
    commit = hub.fetch(REPO, files=["README.md"]).name
    del server.repositories[REPO].commits[commit]
    assert f"unlock({REPO!r})" in refusal()


def test_a_full_disk_is_called_a_full_disk(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "move", full)
    message = refusal()
    assert os.strerror(errno.ENOSPC) in message
    assert "HF_HOME" in message
    assert hub.locked_revision(REPO) is None


def test_processes_that_lock_at_once_lose_nothing() -> None:
    code = "import sys; from faceforge.io.hub import _lock; [_lock(f'{sys.argv[1]}/{i}', 'c' * 40) for i in range(150)]"
    owners = ("ada", "ben", "cleo")
    processes = [subprocess.Popen([sys.executable, "-c", code, owner], cwd=ROOT) for owner in owners]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert all(hub.locked_revision(f"{owner}/{i}") for owner in owners for i in range(150))


def test_two_downloads_at_once_both_end_in_the_locks(server: HubServer) -> None:
    repos = [f"ada/face{i}" for i in range(6)]
    commits = [server.push(repo, {"config.json": b"{}"}) for repo in repos]
    with ThreadPoolExecutor(len(repos)) as pool:
        assert [folder.name for folder in pool.map(hub.fetch, repos)] == commits
    assert [hub.locked_revision(repo) for repo in repos] == commits


def test_two_first_downloads_end_at_one_commit_although_main_moved_between(server: HubServer) -> None:
    server.stall("vae/config.json", after=1)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(hub.fetch, REPO)
        assert server.stalled.wait(30)
        later = server.push(REPO, {"README.md": b"# Other faces"})
        quick = hub.fetch(REPO)
        server.released.set()
        assert slow.result() == quick
    assert quick.name == hub.locked_revision(REPO) == later


def test_damaged_locks_are_not_overwritten(server: HubServer) -> None:
    hub.fetch(REPO)
    (hub.home() / "revisions.json").write_text('{"ada/fa')
    assert "Delete it" in refusal()


def test_a_home_that_cannot_be_written_is_refused_with_its_name(server: HubServer, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    assert "revisions.json" in refusal()


def test_a_path_that_exists_is_not_a_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert hub.repository_id(REPO)
    (tmp_path / REPO).mkdir(parents=True)
    assert not hub.repository_id(REPO)
    assert not any(
        map(hub.repository_id, ["faces", "a/b/c", "../faces", "ada/", "ada/a--b", "ada/a\n", "a" * 97 + "/b"])
    )


def test_importing_the_module_does_not_import_the_client() -> None:
    code = "import sys, faceforge; before = set(sys.modules); import faceforge.io.hub"
    code += "; sys.exit('huggingface_hub' in set(sys.modules) - before)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_diffusers_loads_a_fetched_unet(server: HubServer, tmp_path: Path) -> None:
    from diffusers import UNet2DConditionModel

    blocks = {"down_block_types": ("CrossAttnDownBlock2D",), "up_block_types": ("CrossAttnUpBlock2D",)}
    sizes = {"block_out_channels": (8,), "cross_attention_dim": 8, "attention_head_dim": 4, "norm_num_groups": 4}
    saved = UNet2DConditionModel(sample_size=8, layers_per_block=1, mid_block_type=None, **blocks, **sizes)
    saved.save_pretrained(tmp_path / "repo" / "unet")
    files = {name: (tmp_path / "repo" / name).read_bytes() for name in names(tmp_path / "repo")}
    server.push("ada/unet", files, large=("unet/diffusion_pytorch_model.safetensors",))
    loaded = UNet2DConditionModel.from_pretrained(hub.fetch("ada/unet", files=["unet/*"]) / "unet")
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in saved.state_dict().items())

"""`load` by name and hub id, with the real hub client against a small hub on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from faceforge import load
from faceforge.errors import HubError
from faceforge.io import hub
from faceforge.plugin import RIGFACE
from faceforge.store.backbones import SD15, SD21, sd15, sd21, tiny
from tests.io.hub_server import HubServer
from tests.makes import forge_of, portrait
from tests.releases import diffusers_files, magicface_files, paired_files

MAGICFACE = "mengtingwei/magicface"
EDIT = {"aus": {"AU12": 2.0}, "steps": 2, "size": 64, "pictures": {"background": portrait(3)}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    from huggingface_hub import close_session, constants

    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "client"))
    monkeypatch.setenv("FACEFORGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    close_session()
    with HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.push(SD15, diffusers_files(tiny(), tmp_path / "sd15"))
        server.push(MAGICFACE, magicface_files())
        yield server


def fetched(server: HubServer) -> set[str]:
    return {
        request.path.split("/resolve/")[1].partition("/")[2]
        for request in server.requests
        if "/resolve/" in request.path
    }


def test_a_published_name_downloads_what_it_needs_and_nothing_else(server: HubServer) -> None:
    forge = load("magicface")
    assert set(forge.plugins) == {"text", "identity", "attributes", "magicface"}
    names = fetched(server)
    assert "unet/diffusion_pytorch_model.safetensors" not in names  # the release brings its own denoiser
    assert not [name for name in names if name.endswith(".py")]
    assert forge.edit(portrait(), **EDIT).image is not None


def test_rigface_is_found_in_the_folder_of_its_training_run(server: HubServer) -> None:
    server.push("mengtingwei/rigface", paired_files(RIGFACE, below="checkpoint-70000/"))
    forge = load("rigface")
    assert set(forge.plugins) == {"text", "identity", "attributes", "attributes-render", "rigface"}
    assert "third_party/run.py" not in fetched(server)


def test_the_builders_of_the_known_bases_read_their_repositories(server: HubServer, tmp_path: Path) -> None:
    server.push(SD21, diffusers_files(tiny(seed=3), tmp_path / "sd21"))
    one, two = sd15(), sd21(torch.bfloat16)
    assert (one.dtype, two.dtype) == (torch.float32, torch.bfloat16)
    assert one.sources["vae"].startswith(f"{SD15}@")
    assert torch.equal(one.text.embed("a face"), tiny().text.embed("a face"))


def test_a_moved_main_changes_nothing_until_it_is_unlocked(server: HubServer) -> None:
    before = load("magicface").edit(portrait(), **EDIT)
    server.push(MAGICFACE, magicface_files(seed=9))
    assert torch.equal(load("magicface").edit(portrait(), **EDIT).latents, before.latents)
    hub.unlock(MAGICFACE)
    assert not torch.equal(load("magicface").edit(portrait(), **EDIT).latents, before.latents)


def test_what_was_loaded_once_loads_without_a_network(server: HubServer) -> None:
    before = load("magicface").edit(portrait(), **EDIT)
    server.stop()
    assert torch.equal(load("magicface").edit(portrait(), **EDIT).latents, before.latents)


def test_never_loaded_and_no_network_is_one_plain_line(server: HubServer) -> None:
    server.stop()
    with pytest.raises(HubError) as refusal:
        load("magicface")
    assert "\n" not in str(refusal.value)
    assert MAGICFACE in str(refusal.value)


def test_the_base_is_an_argument(server: HubServer, tmp_path: Path) -> None:
    server.push("somebody/mirror", diffusers_files(tiny(seed=5), tmp_path / "mirror"))
    one, two = (load("magicface", base=base).edit(portrait(), **EDIT) for base in ("", "somebody/mirror"))
    assert not torch.equal(one.latents, two.latents)


def test_a_converted_release_refers_to_its_base_at_the_commit_it_was_made_with(
    server: HubServer, tmp_path: Path
) -> None:
    forge = load("magicface")
    before = forge.edit(portrait(), **EDIT)
    folder = forge.save(tmp_path / "saved")
    assert not (folder / "backbone/vae").exists()
    server.push(SD15, diffusers_files(tiny(seed=7), tmp_path / "moved"))
    hub.unlock(SD15)
    assert torch.equal(load(folder).edit(portrait(), **EDIT).latents, before.latents)


def test_a_saved_forge_on_the_hub_loads_by_its_id(server: HubServer, tmp_path: Path) -> None:
    folder = forge_of("identity", "magicface").save(tmp_path / "saved")
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    server.push("ada/faces", files)
    one, two = (load(name).edit(portrait(), aus={"AU4": 1}, steps=1) for name in (folder, "ada/faces"))
    assert torch.equal(one.latents, two.latents)

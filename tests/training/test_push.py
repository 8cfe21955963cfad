"""Publishing a trained model, on a hub of this machine."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load

import faceforge as ff
from faceforge.core.types import Request
from faceforge.plugin import pairs_from
from faceforge.spec import EditSpec
from faceforge.store.backbones import tiny
from faceforge.testing import randomise
from faceforge_training.card import card
from faceforge_training.diffusion import DenoiseObjective
from faceforge_training.push import command, diffusers_layout
from tests.io.hub_server import HubServer, _Answer
from tests.io.hub_server import Request as Asked

NAME = "ada/small"


class Taking(_Answer):
    """The hub's side of a commit whose files are all small."""

    def do_POST(self) -> None:  # noqa: N802  the server's name for it
        self.request_entry = Asked("POST", self.path, None)
        self.server.requests.append(self.request_entry)
        path, sent = urlsplit(self.path).path, self.rfile.read(int(self.headers["Content-Length"] or 0))
        if path == "/api/repos/create":
            self._json({"url": f"{self.server.url}/{NAME}"})
        elif path.endswith("/preupload/main"):
            files = [each["path"] for each in json.loads(sent)["files"]]
            modes = [{"path": each, "uploadMode": "regular", "shouldIgnore": False} for each in files]
            self._json({"files": modes})
        elif path.endswith("/commit/main"):
            lines = [json.loads(line) for line in sent.decode().splitlines()]
            values = [each["value"] for each in lines if each["key"] == "file"]
            self.server.push(NAME, {each["path"]: base64.b64decode(each["content"]) for each in values})
            self._json({"commitUrl": f"{self.server.url}/{NAME}/commit/1", "commitOid": "1" * 40})
        else:
            self._json({"errors": [], "warnings": []})  # of the page's head


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer() as server:
        server.RequestHandlerClass = Taking
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", "hf_0")
        monkeypatch.setenv("FACEFORGE_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        yield server


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with a model whose weights do something."""
    torch.manual_seed(0)
    plugins = [{"name": "magicface"}, {"name": "lora", "rank": 2, "scale": 0.5}]
    made = DenoiseObjective("tiny", plugins, train=["plugins"])
    for plugin in made.forge.plugins.values():
        randomise(plugin)
    (tmp_path / "run").mkdir()
    made.save(tmp_path / "run" / "model", "small")
    (tmp_path / "run" / "figures.jsonl").write_text('{"step": 10, "face_psnr": 21.5}\n')
    return tmp_path / "run"


def test_what_was_pushed_opens_and_edits_as_before(hub: HubServer, run: Path) -> None:
    said = CliRunner().invoke(command, [str(run), NAME, "--data", "noise"], catch_exceptions=False)
    assert said.stdout.strip() == f"{hub.url}/{NAME}/commit/1"
    forges = [ff.load(run / "model"), ff.load(NAME)]
    wish = {"aus": {"AU12": 2.0}, "steps": 2, "prompt": "a face"}
    one, other = (forge.generate(**wish).latents for forge in forges)
    assert torch.equal(one, other)
    (files,) = hub.repositories[NAME].commits.values()
    assert "noise" in files["README.md"].decode()


def test_the_page_says_units_licence_and_figures(run: Path) -> None:
    text = card(run, NAME, licence="mit", data="Synthetic portraits.")
    for told in ("license: mit", "AU12 (lip corner puller)", "| face_psnr | 21.5 |", "Synthetic portraits.", NAME):
        assert told in text


def test_a_dry_run_sends_nothing(hub: HubServer, run: Path) -> None:
    assert "# small" in CliRunner().invoke(command, [str(run), NAME, "--dry-run"], catch_exceptions=False).output
    assert not hub.requests


def test_a_hub_that_refuses_is_told_with_what_to_do(hub: HubServer, run: Path) -> None:
    hub.stop()
    refused = CliRunner().invoke(command, [str(run), NAME])
    assert "hf auth login" in str(refused.exception)


def test_diffusers_reads_an_exported_lora_as_we_do(run: Path) -> None:
    forge = ff.load(run / "model")
    forge.detach("magicface")
    tensors = diffusers_layout(forge.plugins["lora"].lora)
    latents, text = torch.randn(1, 4, 8, 8), forge.backbone.text.embed("a face")
    with torch.no_grad(), forge.prepared([Request(EditSpec(prompt="a face"))]) as prepared:
        ours = prepared.predict(latents, torch.tensor(500))
    stock = tiny().unet
    stock.load_lora_adapter(tensors, prefix="unet")
    with torch.no_grad():
        theirs = stock(latents, 500, encoder_hidden_states=text).sample
        stock.disable_lora()
        plain = stock(latents, 500, encoder_hidden_states=text).sample
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    assert (ours - plain).abs().max() > 1e-2
    assert set(pairs_from(tensors)) == set(forge.plugins["lora"].lora.paths)


def test_loras_lie_beside_the_model(hub: HubServer, run: Path) -> None:
    CliRunner().invoke(command, [str(run), NAME], catch_exceptions=False)
    (files,) = hub.repositories[NAME].commits.values()
    assert load(files["lora/lora/pytorch_lora_weights.safetensors"])

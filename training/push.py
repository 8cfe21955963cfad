"""`faceforge push`: a trained model on the hub, with the page that describes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from torch import Tensor

    from faceforge.core.lora import Lora


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("name", metavar="OWNER/NAME")
@click.option("--licence", default="apache-2.0", show_default=True, help="Of the weights, as the hub calls it.")
@click.option("--data", default="", help="What it learned from, and who allowed that, in a sentence.")
@click.option("--private", is_flag=True, help="Let nobody else see it.")
@click.option("--dry-run", is_flag=True, help="Print the page, and send nothing.")
def command(run: Path, name: str, licence: str, data: str, private: bool, dry_run: bool) -> None:
    """Publish the model of RUN, a folder that `faceforge train` left, as OWNER/NAME.

    \b
    Example:
      faceforge push runs/mini-edit ada/mini-edit --data "synthetic portraits"
    """
    from faceforge_training.card import card

    text = card(run, name, licence=licence, data=data)
    click.echo(text if dry_run else published(run / "model", name, text, private=private))


def published(model: Path, name: str, text: str, *, private: bool = False) -> str:
    """Send a saved model with its page, and its LoRAs once more as diffusers reads them; the address."""
    from huggingface_hub import CommitOperationAdd, HfApi

    from faceforge.errors import HubError
    from faceforge.io.hub import endpoint

    files = {each.relative_to(model).as_posix(): each for each in sorted(model.rglob("*")) if each.is_file()}
    sent = [CommitOperationAdd(path, file) for path, file in files.items() if not path.startswith(".")]
    sent.append(CommitOperationAdd("README.md", text.encode()))
    sent += [CommitOperationAdd(f"lora/{path}", content) for path, content in loras(model).items()]
    api = HfApi(endpoint=endpoint())
    try:
        api.create_repo(name, private=private, exist_ok=True)
        return str(api.create_commit(name, sent, commit_message="A model trained with FaceForge").commit_url)
    except Exception as reason:  # the client lets through what its HTTP library, JSON and the disk raise
        raise HubError(
            f"{name!r} could not be written at {endpoint()}: {reason}. Check the name, and log in: hf auth login."
        ) from reason


def loras(model: Path) -> dict[str, bytes]:
    """By file name, the LoRAs of a saved model's plugins in diffusers' layout."""
    from safetensors.torch import save

    from faceforge.models import load_forge

    plugins = load_forge(model).plugins.items()
    found = {name: plugin.lora for name, plugin in plugins if plugin.lora is not None}
    return {f"{name}/pytorch_lora_weights.safetensors": save(diffusers_layout(lora)) for name, lora in found.items()}


def diffusers_layout(lora: Lora) -> dict[str, Tensor]:
    """Pairs under peft's names; their factor is multiplied in, as a rank without an alpha means one."""
    found = {}
    for path in lora.paths:
        key = path.replace(".", "/")
        found[f"unet.{path}.lora_A.weight"] = lora.down[key].detach().contiguous()
        found[f"unet.{path}.lora_B.weight"] = (lora.up[key].detach() * lora.scale).contiguous()
    return found

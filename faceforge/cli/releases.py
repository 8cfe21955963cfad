"""What is published under which name, and whether its owners allow what the user wants to do; from manifests alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from faceforge.cli.asked import Asked
from faceforge.core.manifest import Manifest, Published
from faceforge.errors import BadWeights
from faceforge.io.hub import repository_id
from faceforge.store.registry import listings


def published() -> dict[str, tuple[Manifest, Published]]:
    """Names of releases -> the plugin that reads each, and where it is published."""
    found = [listing.manifest for listing in listings() if listing.manifest]
    return {name: (manifest, release) for manifest in found for name, release in manifest.releases.items()}


def check_model_options(asked: Asked, model: str | None) -> None:
    """Refuse before anything is downloaded."""
    release = published().get(model or "")
    if asked.base:
        if release is None:
            raise click.UsageError("--base belongs to a published release: give its --model NAME, too.")
        check_base(asked.base)
    if asked.commercial and release is not None:
        refuse_restricted([release[0]])


def check_base(base: str) -> None:
    """Refuse what is neither on the hub nor a folder of stock parts."""
    if not repository_id(base) and not (Path(base) / "scheduler" / "scheduler_config.json").is_file():
        raise BadWeights(
            f"{base!r} is neither a hub id (owner/name) nor a folder in diffusers' layout, with vae/, scheduler/, "
            f"text_encoder/ and tokenizer/. Give one of the two as --base."
        )


def refuse_restricted(manifests: Iterable[Manifest]) -> None:
    """Refuse weights whose owners forbid commercial use, or of which nobody knows."""
    for manifest in manifests:
        weights = manifest.weights
        if weights.source and weights.commercial is not True:
            state = "may not be used" if weights.commercial is False else "are not known to be free"
            raise BadWeights(
                f"The weights of {manifest.name!r} from {weights.source} {state} for commercial use: "
                f"{weights.licence}. Use another model, or ask their owners and leave --commercial out."
            )

"""`--dry-run`: what would be done, from manifests alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from faceforge.cli.asked import Asked
from faceforge.cli.releases import check_model_options, published
from faceforge.cli.wishes import Wish
from faceforge.errors import BadPlugin, BadWeights, nearest
from faceforge.io.hub import repository_id
from faceforge.loading import WARP


def tell_plan(asked: Asked, wish: Wish, output: Path, *, pictures: int = 1) -> None:
    """The wish and the work in words, line by line."""
    model = asked.model or (wish.record.model.name if wish.record else None)
    check_model_options(asked, model)
    click.echo(wish.spec.describe())
    for name, picture in wish.pictures.items():
        width, height = picture.image.size
        click.echo(f"{name} picture: {picture.name}, {width}x{height} pixels, sha256 {picture.sha256[:12]}")
    for line in _model(WARP if asked.draft else model or WARP, asked):
        click.echo(line)
    for name in asked.plugins:
        click.echo(f"also attached: {name}")
    click.echo(f"would make {pictures} picture{'s' if pictures > 1 else ''} and write {output}; nothing was done")


def _model(name: str, asked: Asked) -> Iterator[str]:
    releases = published()
    release = releases.get(name)
    if name == WARP:
        yield "model warp: the photograph's own pixels, moved by a fitted head; nothing is generated"
    elif name == "tiny":
        yield "model tiny: the random miniature that comes with FaceForge"
    elif Path(name).is_dir():
        yield _saved(Path(name))
    elif release is not None:
        manifest, files = release
        yield f"model {name}: a release read by the plugin {manifest.name} {manifest.version}"
        yield f"weights: {manifest.weights.source or 'unknown source'}; {manifest.weights.licence}"
        yield f"downloads unless cached: {', '.join(files.files)}, and stock parts of {asked.base or files.base}"
    elif repository_id(name):
        yield f"model {name}: a saved model on the hub, downloaded unless cached"
    else:
        known = [WARP, "tiny", *releases]
        raise BadPlugin(f"{name!r} is not a model, a folder or a hub id (owner/name). {nearest(name, known)}")


def _saved(folder: Path) -> str:
    try:
        saved = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        return f"model {saved['name']}: saved in {folder}, with {', '.join(saved['plugins']) or 'no plugins'}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadWeights(f"{str(folder)!r} is not a saved model ({error}). Give one that `convert` wrote.") from None

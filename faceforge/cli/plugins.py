"""`faceforge plugins`: what is installed, with licences and sources."""

from __future__ import annotations

import json
from typing import Any

import click

from faceforge import aus
from faceforge.cli.sections import Command, option
from faceforge.errors import BadPlugin, nearest
from faceforge.store.registry import Listing, listings

as_json = option("--json", "machine", is_flag=True, help="As JSON, for programs.")


@click.group(invoke_without_command=True)
@as_json
@click.pass_context
def command(context: click.Context, machine: bool) -> None:
    """List the plugins that are installed; none of them is imported for that.

    \b
    Examples:
      faceforge plugins
      faceforge plugins info magicface
      faceforge plugins list --json
    """
    if context.invoked_subcommand is None:
        _list(machine)


@command.command("list", cls=Command)
@as_json
def list_plugins(machine: bool) -> None:
    """Name, version, hook points, licence and origin of each plugin.

    \b
    Examples:
      faceforge plugins list
      faceforge plugins list --json
    """
    _list(machine)


@command.command(cls=Command)
@click.argument("name")
@as_json
def info(name: str, machine: bool) -> None:
    """Everything about one plugin: controls, needs, releases, and the licence of its weights.

    \b
    Examples:
      faceforge plugins info fineface
      faceforge plugins info fineface --json
    """
    found = {listing.name: listing for listing in listings()}
    if name not in found:
        raise BadPlugin(f"No plugin is called {name!r}. {nearest(name, found)}")
    if machine:
        click.echo(json.dumps(_facts(found[name]), indent=2))
        return
    for label, text in _lines(found[name]):
        click.echo(f"{label:14} {text}")


def _list(machine: bool) -> None:
    found = listings()
    if machine:
        click.echo(json.dumps([_facts(listing) for listing in found], indent=2))
        return
    rows = [("NAME", "VERSION", "HOOK POINTS", "AUS", "LICENCE", "FROM")]
    for listing in found:
        if (own := listing.manifest) is not None:
            points = ", ".join(point.value for point in own.points)
            count = str(len(own.aus.codes)) if own.aus else "-"
            rows.append((own.name, own.version, points, count, own.licence, _origin(listing)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for listing in found:
        if listing.broken:
            click.echo(f"{listing.name} is broken: {' '.join(listing.broken.split())} ({listing.where})")
    click.echo("\nThe licence is that of the code. `faceforge plugins info NAME` tells that of the weights.")


def _lines(listing: Listing) -> list[tuple[str, str]]:
    lines = [("name", listing.name), ("from", _origin(listing))]
    if (own := listing.manifest) is None:
        return [*lines, ("broken", listing.broken)]
    lines += [("version", own.version), ("summary", own.summary), ("licence", own.licence)]
    lines += [("hook points", ", ".join(f"{point.value} ({point.law.value})" for point in own.points))]
    if own.aus:
        wish = {"change": "as changes", "absolute": "as absolute intensities"}[own.aus.kind]
        lines.append(("action units", f"{wish}, {own.aus.range[0]:g} to {own.aus.range[1]:g}"))
        lines += [("", f"{code} {aus.UNITS[aus.unsided(code)].name}") for code in own.aus.codes]
    lines += [("needs", ", ".join(own.needs) or "nothing"), ("also reads", ", ".join(own.reads) or "nothing")]
    for name, control in own.controls.items():
        lines.append(("control", f"--set {own.name}.{name}={control.default}  {control.help}"))
    weights = own.weights
    allowed = {True: "allowed", False: "not allowed", None: "not verified"}[weights.commercial]
    lines += [("weights", weights.source or "none are published"), ("their licence", weights.licence)]
    lines += [("commercial use", allowed if weights.source else "-"), ("trained on", weights.training_data or "-")]
    for name, release in own.releases.items():
        places = ", ".join(release.files)
        lines.append(("release", f"--model {name}: {places}, on stock parts of {release.base}"))
    return [(label, text) for label, text in lines if text]


def _facts(listing: Listing) -> dict[str, Any]:
    facts = {
        "name": listing.name,
        "from": listing.where,
        "built_in": listing.built_in,
        "broken": listing.broken or None,
    }
    return facts | (listing.manifest.model_dump(mode="json") if listing.manifest else {})


def _origin(listing: Listing) -> str:
    return "FaceForge" if listing.built_in else listing.where

"""`faceforge doctor`: what works here, what is missing, and how to get it."""

from __future__ import annotations

import json
from typing import Any

import click

from faceforge.cli.sections import Command, option


@click.command(cls=Command)
@option("--online", is_flag=True, help="Also ask the hub whether it can be reached.")
@option("--json", "machine", is_flag=True, help="As JSON, for programs and for bug reports.")
def command(online: bool, machine: bool) -> int:
    """Say what works on this machine, what is missing, and how to get it.

    \b
    Examples:
      faceforge doctor
      faceforge doctor --online
      faceforge doctor --json > doctor.json

    The exit code is 1 if something that FaceForge cannot do without is missing, else 0.
    """
    from faceforge.cli import diagnosis

    facts: dict[str, Any] = {
        "system": diagnosis.system(),
        "packages": diagnosis.packages(),
        "optional": diagnosis.optional(),
        "devices": diagnosis.devices(),
        "plugins": diagnosis.plugins(),
        "storage": diagnosis.storage(),
    }
    if online:
        facts["hub"] = diagnosis.hub()
    if machine:
        click.echo(json.dumps(facts, indent=2))
    else:
        for title, rows in facts.items():
            click.echo(f"{title}:")
            for name, text in rows.items():
                click.echo(f"  {name:20} {text}")
    return int(any("MISSING" in text for text in facts["packages"].values()))

"""`faceforge train`: one recipe, one folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from faceforge_training.journal import Told


@click.command()
@click.argument("recipe", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The run's folder.  [default: runs/RECIPE]")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Another value, as optim.lr=1e-4.")
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), help="End, rate down to 0, after so long in all."
)
@click.option("--pause", type=click.FloatRange(min=0, min_open=True), help="Stop this call after so many minutes.")
@click.option("--dry-run", is_flag=True, help="Check the recipe, try two steps, and say what all of it takes.")
@click.option("--list", "listed", is_flag=True, help="Print the recipes that ship.")
def command(
    recipe: str | None,
    output: Path | None,
    changes: tuple[str, ...],
    minutes: float | None,
    pause: float | None,
    dry_run: bool,
    listed: bool,
) -> None:
    """Train the model of RECIPE, a name from --list or a .toml file; again, to go on where it stopped.

    \b
    Examples:
      faceforge train --list
      faceforge train face-finder-landmarks --minutes 8
      faceforge train mini-edit --set optim.lr=1e-3 --dry-run
    """
    from faceforge_training.settings import read, recipes

    if listed:
        click.echo("\n".join(recipes()))
        return
    if recipe is None:
        raise click.UsageError("Name a recipe, or ask for --list.")
    known = read(recipe, changes)
    folder = output or Path("runs") / known.name
    if dry_run:
        from faceforge_training.forecast import forecast

        for name, value in {**vars(known), **forecast(known, folder)}.items():
            click.echo(f"{name} = {value}")
        return
    import torch

    from faceforge_training.loop import train

    torch.set_flush_denormal(True)  # numbers near zero, of which training makes many, are slow on processors
    click.echo(train(known, folder, minutes=minutes, pause=pause, tell=_tell))


def _tell(told: Told) -> None:
    losses = ", ".join(f"{name} {loss:.4f}" for name, loss in told.losses.items())
    click.echo(f"step {told.step}/{told.steps}  {losses}  lr {told.lr:.2e}  {told.seconds:.0f} s", err=True)

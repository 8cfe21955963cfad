"""`faceforge augment`: a dataset of faces made larger by a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from faceforge.cli.sections import Command, option

_file = click.Path(path_type=Path)
_plan = click.argument("plan", type=_file, metavar="PLAN")


class _Plans(click.Group):
    """A group in which a plan needs no word before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = next((number for number, word in enumerate(args) if word != "--debug"), None)
        if first is not None and args[first] not in (*self.commands, "--help", "-h"):
            args = [*args[:first], "run", *args[first:]]
        return super().parse_args(ctx, args)


@click.group(cls=_Plans)
def command() -> None:
    """Make a dataset of faces larger: edited variants of every picture, with labels that were measured.

    \b
    Examples:
      faceforge augment init > plan.yaml
      faceforge augment preview plan.yaml -o sheet.png
      faceforge augment plan.yaml --workers 2        # the same as: augment run plan.yaml
      faceforge augment stats augmented

    A plan says what comes in, what is drawn, what is good enough and how it is written. The same command continues
    after any interruption; the bytes do not depend on the number of workers.
    """


@command.command(cls=Command)
@click.argument("plan", required=False, type=_file, metavar="PLAN")
@option("-o", "--output", type=_file, metavar="FOLDER", help="Where to.  [default: the plan's output.folder]")
@option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes, or actors on Ray.")
@option("--device", default="", metavar="NAME", help="Where a model computes.  [default: the fastest]")
@option("--ray", "address", metavar="ADDRESS", help="Work on this Ray cluster: auto, local, or its address.")
@option("--dry-run", is_flag=True, help="Count, try two sources to estimate the time, and write nothing.")
@option("--print-schema", is_flag=True, help="Print what a plan may hold, as JSON Schema.")
def run(plan: Path | None, print_schema: bool, **asked: Any) -> None:
    """Carry out PLAN, or what is missing of it.

    \b
    Examples:
      faceforge augment run plan.yaml --dry-run
      faceforge augment run plan.yaml --workers 2
      faceforge augment run plan.yaml --ray auto --workers 16
      faceforge augment run --print-schema > plan.schema.json
    """
    from faceforge.cli.augmenting import augment, schema

    if print_schema:
        click.echo(schema())
    elif plan is None:
        raise click.UsageError("Name a plan; `faceforge augment init` writes an example.")
    else:
        augment(plan, **asked)


@command.command(cls=Command)
@click.argument("output", required=False, type=_file, metavar="FILE")
def init(output: Path | None) -> None:
    """Write a commented example of a plan into FILE, or print it.

    \b
    Examples:
      faceforge augment init plan.yaml
      faceforge augment init > plan.yaml
    """
    from faceforge.cli.augmenting import write_example

    write_example(output)


@command.command(cls=Command)
@_plan
@option("-o", "--output", required=True, type=_file, metavar="FILE", help="The contact sheet: .png, .jpg or .webp.")
@option("--sources", default=4, show_default=True, type=click.IntRange(1, 64), help="How many, one row each.")
@option("--cell", default=160, show_default=True, type=click.IntRange(32, 1024), help="Side of a picture in pixels.")
def preview(plan: Path, output: Path, sources: int, cell: int) -> None:
    """Draw the first few sources of PLAN beside their variants, as the run will make them.

    \b
    Examples:
      faceforge augment preview plan.yaml -o sheet.png
      faceforge augment preview plan.yaml --sources 8 --cell 96 -o sheet.webp
    """
    from faceforge.cli.augmenting import draw_preview

    draw_preview(plan, output, sources, cell)


@command.command(cls=Command)
@click.argument("folder", type=_file, metavar="FOLDER")
def stats(folder: Path) -> None:
    """Say what lies in FOLDER: requested against measured, shares reached; stats.html in it shows it.

    \b
    Examples:
      faceforge augment stats augmented
      faceforge augment stats augmented && xdg-open augmented/stats.html
    """
    from faceforge.cli.augmenting import show_stats

    show_stats(folder)

"""`faceforge synth`: datasets of synthetic portraits with exact labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from faceforge.cli.sections import Command, option
from faceforge.cli.values import amount, read_by

if TYPE_CHECKING:
    import torch

_WHAT, _HOW, _SHEET = "What is drawn", "How it is written", "Contact sheets"


@click.command(cls=Command)
@click.argument("output", type=click.Path(path_type=Path), metavar="OUT")
@option("--count", section=_WHAT, default=None, type=click.IntRange(1), help="How many seeds. [1000; sheets: all]")
@option("--seed", section=_WHAT, default=0, show_default=True, help="The first seed; each gives another picture.")
@option("--size", section=_WHAT, default=256, show_default=True, type=click.IntRange(1, 4096), help="Pixels a side.")
@option(
    "--pairs",
    section=_WHAT,
    multiple=True,
    type=click.Choice(["aus", "pose", "light"]),
    help="Two pictures per seed that differ in this; repeatable.",
)
@option("--clips", section=_WHAT, is_flag=True, help="A clip per seed: an expression comes and goes.")
@option("--frames", section=_WHAT, default=25, show_default=True, type=click.IntRange(1), help="Frames of a clip.")
@option("--fps", section=_WHAT, default=25.0, show_default=True, help="Frames per second of a clip.")
@option(
    "--per-person",
    section=_WHAT,
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Seeds in a row that show one person.",
)
@option(
    "--au",
    "aus",
    section=_WHAT,
    multiple=True,
    callback=read_by(amount),
    metavar="AU12=3",
    help="Everybody makes this expression; repeatable.",
)
@option(
    "--set",
    "settings",
    section=_WHAT,
    multiple=True,
    metavar="NAME=VALUE",
    help="Hold a number or word of every portrait, such as hair_style=long or yaw_deg=20; repeatable.",
)
@option(
    "--format",
    "layout",
    section=_HOW,
    default="folder",
    show_default=True,
    type=click.Choice(["folder", "webdataset"]),
    help="Pictures and one table, or tar shards.",
)
@option(
    "--picture",
    section=_HOW,
    default="png",
    show_default=True,
    type=click.Choice(["png", "jpg", "webp"]),
    help="The format of the pictures.",
)
@option(
    "--map",
    "maps",
    section=_HOW,
    multiple=True,
    type=click.Choice(["parts", "depth", "normals"]),
    help="An exact map beside every picture; repeatable.",
)
@option(
    "--workers",
    section=_HOW,
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Processes that draw; the bytes do not depend on it.",
)
@option("--device", section=_HOW, metavar="NAME", help="Where to draw, as PyTorch calls it.  [default: the processor]")
@option("--allow-reserved", section=_HOW, is_flag=True, help="Allow the seeds that are kept for evaluation.")
@option(
    "--sheet",
    section=_SHEET,
    default=None,
    type=click.Choice(["identities", "aus", "poses", "lights", "ages", "hair"]),
    help="Draw only this contact sheet, into the picture OUT.",
)
def command(
    output: Path, count: int | None, seed: int, size: int, pairs: tuple[str, ...], clips: bool, **more: Any
) -> None:
    """Draw portraits of people who do not exist, with exact labels, into the folder OUT.

    \b
    Examples:
      faceforge synth portraits --count 1000 --size 256 --workers 2
      faceforge synth smiles --pairs aus --map parts --set yaw_deg=0
      faceforge synth shards --format webdataset --picture webp
      faceforge synth people.webp --sheet identities --size 128

    The same command continues after any interruption. Labels are what the pictures were drawn from, so they are exact;
    tone, age and sex are balanced over every 80 seeds in a row.
    """
    from faceforge.cli.fields import by_unit
    from faceforge.cli.terminal import spare_processor
    from faceforge.errors import BadSpec

    if pairs and clips:
        raise BadSpec("--pairs and --clips exclude each other. Give one of them.")
    spare_processor()
    if more["sheet"]:
        _draw_sheet(output, more["sheet"], seed, count, size)
        return
    from faceforge.synth.dataset import write
    from faceforge.synth.wanted import Wanted

    overrides = dict(_setting(each) for each in more["settings"])
    if more["aus"]:
        overrides["aus"] = by_unit(more["aus"], "--au")
    wanted = Wanted(
        count=count or 1000,
        seed=seed,
        size=size,
        kind="pairs" if pairs else "clips" if clips else "portraits",
        change=pairs or ("aus",),
        frames=more["frames"],
        fps=more["fps"],
        per_person=more["per_person"],
        overrides=overrides,
        format=more["layout"],
        picture=more["picture"],
        maps=more["maps"],
        allow_reserved=more["allow_reserved"],
    )
    device = _device(more["device"])
    with _Bar() as bar:
        written = write(output, wanted, workers=more["workers"], device=device, tell=bar.tell)
    click.echo(output)
    click.echo(f"{written.pictures} pictures, {written.new} of them new")


class _Bar:
    """A progress bar whose length is known when the first news comes."""

    def __enter__(self) -> _Bar:
        from tqdm import tqdm

        self._bar = tqdm(unit="picture", disable=None)
        return self

    def tell(self, done: int, of: int) -> None:
        self._bar.total = of
        self._bar.update(done - self._bar.n)

    def __exit__(self, *_: object) -> None:
        self._bar.close()


def _draw_sheet(output: Path, kind: str, seed: int, count: int | None, size: int) -> None:
    from faceforge.cli.outputs import check_output
    from faceforge.io.pictures import write_picture
    from faceforge.synth.draws import check_seed
    from faceforge.synth.examples import provenance
    from faceforge.synth.sheets import sheet

    check_output(output)
    write_picture(sheet(kind, check_seed(seed), count, min(size, 256)), output, provenance(sheet=kind, seed=seed))
    click.echo(output)


def _device(name: str | None) -> torch.device | None:
    if name is None:
        return None
    import torch

    from faceforge.errors import BadSpec

    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as reason:
        told = str(reason).splitlines()[0]
        raise BadSpec(f"--device {name!r} cannot be used here ({told}). See `faceforge doctor`.") from reason


def _setting(text: str) -> tuple[str, Any]:
    """NAME=VALUE, the value as a number where it is one."""
    from faceforge.errors import BadSpec

    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise BadSpec(f"--set {text!r} is not NAME=VALUE. Write it like hair_style=long.")
    try:
        return name, float(value)
    except ValueError:
        return name, value

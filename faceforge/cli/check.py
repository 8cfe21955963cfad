"""`faceforge check`: the laws, for a plugin or for everything in a saved model."""

from __future__ import annotations

from pathlib import Path

import click

from faceforge.cli.sections import Command, option


@click.command(cls=Command)
@click.argument("subject", metavar="NAME|FILE.py|FOLDER")
@click.argument("image", required=False, type=click.Path(path_type=Path))
@option("--dose", is_flag=True, help="Instead, measure what one unit of each AU of plugin NAME does, and store it.")
@option("--model", type=click.Path(path_type=Path), metavar="FOLDER", help="The saved model to measure, with --dose.")
@option("--judge", default="", metavar="NAME", help="Who measures, with --dose.  [default: intensity]")
def command(subject: str, image: Path | None, dose: bool, model: Path | None, judge: str) -> int:
    """Hold a plugin against the laws that let it compose with everybody else's.

    \b
    Examples:
      faceforge check magicface                  # an installed plugin
      faceforge check my_plugin.py               # a loose file
      faceforge check models/magicface           # a saved model: its plugins, and every tensor of theirs
      faceforge check magicface --dose --model models/magicface ada.png

    The exit code is the number of broken laws. With --dose, IMAGE is the face to measure on; without one it is
    the sample portrait.
    """
    from faceforge.cli.terminal import hush

    hush()
    from faceforge.cli.checking import check_class, check_saved, measure_dose
    from faceforge.store.registry import class_in, plugin_class

    if dose:
        return measure_dose(subject, image, model, judge)
    if image is not None or model is not None or judge:
        raise click.UsageError("IMAGE, --model and --judge belong to --dose.")
    if Path(subject).is_dir():
        return check_saved(Path(subject))
    return check_class(class_in(Path(subject)) if subject.endswith(".py") else plugin_class(subject))

"""`faceforge new`: one file to start a plugin from."""

from __future__ import annotations

import re
from pathlib import Path

import click

from faceforge.cli.sections import Command, option
from faceforge.errors import BadPlugin, CannotWrite
from faceforge.io.files import replacing
from faceforge.store.registry import listings

TEMPLATE = '''\
"""Say in one sentence what this plugin lets people do to a face."""

import torch
from faceforge.plugin import Aus, Backbone, Contribution, Control, HookPoint, Manifest, Plugin, Requests, zeroed
from torch import Tensor, nn


class {class_name}(Plugin):
    """Reading order is life order: manifest, build, encode, null. This one shifts the time embedding by AU changes."""

    manifest = Manifest(
        name="{name}",
        version="0.1",
        summary="say in a few words what it does",
        points=(HookPoint.TIMESTEP,),  # every place it contributes to; see faceforge.plugin.HookPoint
        aus=Aus("disfa12", kind="change"),  # which action units, in which order, as changes or absolute intensities
        controls={{"gain": Control(default=1.0, help="how strongly it acts", minimum=0.0, maximum=4.0)}},
    )

    def build(self, backbone: Backbone) -> None:
        """Layers that feed a sum start at zero, so an untrained plugin changes nothing."""
        self.shift = zeroed(nn.Linear(12, backbone.time_width))

    def encode(self, requests: Requests) -> Contribution:
        """Called once per edit, not once per step: what this plugin adds, one row per request."""
        gain = torch.tensor([float(value) for value in requests.controls("gain")])
        return self._shifted(requests.aus() * gain.to(requests.aus())[:, None])

    def null(self, requests: Requests) -> Contribution:
        """The same with the condition absent: the other branch of guidance, and what training sometimes drops to."""
        return self._shifted(requests.no_aus())

    def _shifted(self, changes: Tensor) -> Contribution:
        return Contribution(timestep=self.shift(changes.to(self.shift.weight)))
'''


@click.command(cls=Command)
@click.argument("name")
@option(
    "-o",
    "--output",
    default=".",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    show_default=True,
    help="Where to write NAME.py.",
)
def command(name: str, output: Path) -> None:
    """Write a plugin called NAME to start from: one file that works and passes `faceforge check`.

    \b
    Examples:
      faceforge new my-plugin                            # writes my_plugin.py
      faceforge check my_plugin.py                       # the laws it has to keep, and keeps
      faceforge edit ada.png --plugin my_plugin.py --au AU12=2 --set my-plugin.gain=2 -o out.png

    \b
    To install it for everybody, list it in the pyproject.toml of a package:
      [project.entry-points."faceforge.plugins"]
      my-plugin = "my_plugin:MyPlugin"
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise BadPlugin(f"{name!r} is not a name for a plugin. Use small letters, digits and single dashes: my-plugin.")
    if name in {listing.name for listing in listings()}:
        raise BadPlugin(f"A plugin called {name!r} is installed already. Choose another name.")
    path = output / f"{name.replace('-', '_')}.py"
    if path.exists():
        raise CannotWrite(f"{str(path)!r} exists already. Choose another name, or another folder with -o.")
    class_name = "".join(part.capitalize() for part in name.split("-"))
    with replacing(path) as temporary:
        temporary.write_text(TEMPLATE.format(name=name, class_name=class_name), encoding="utf-8")
    click.echo(path)
    click.echo(f"next: faceforge check {path}")

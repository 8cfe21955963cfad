"""How commands are found: ours by name, other packages' by entry point, and none is imported before it is used."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from faceforge.cli.failures import failed, with_debug
from faceforge.errors import BadPlugin, nearest

GROUP = "faceforge.commands"
BUILT_IN = {
    "edit": "Change the face in a picture.",
    "reenact": "Make a portrait move as a video, a timeline or a motion file says.",
    "sweep": "Draw one face at many intensities, as a contact sheet.",
    "generate": "Make a new face from text and action units.",
    "synth": "Draw portraits of people who do not exist, with exact labels.",
    "augment": "Make a dataset of faces larger, by a plan.",
    "evaluate": "Say whether an editor does what it is asked, as judges see it.",
    "mer": "Micro-expressions: check a corpus that you have a licence for, and score who reads it.",
    "convert": "Turn a published release into a saved model.",
    "plugins": "List what is installed; `info NAME` tells everything about one.",
    "new": "Write a plugin to start from.",
    "check": "Hold a plugin or a saved model against the laws.",
    "doctor": "Say what works on this machine, and how to get what is missing.",
}
ADDED = {  # by packages that are installed along with this one
    "demo": "Open the studio: edit faces in a browser.",
    "train": "Train FaceForge's own models, from recipes.",
    "push": "Publish a trained model with its page.",
}


class Commands(click.Group):
    """The commands of FaceForge and of whoever adds some."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        with_debug(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*BUILT_IN, *sorted(_foreign())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in BUILT_IN:
            found: click.Command = import_module(f"faceforge.cli.{cmd_name}").command
            return with_debug(found)
        entry = _foreign().get(cmd_name)
        return None if entry is None else with_debug(_loaded(entry))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            raise click.UsageError(f"No command is called {args[0]!r}. {nearest(args[0], known)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        found = _foreign()
        own = {name: told for name, told in ADDED.items() if name in found and _is_ours(found[name])}
        with formatter.section("Commands"):
            formatter.write_dl([*BUILT_IN.items(), *own.items()])
        others = sorted((name, f"from {_origin(entry)}") for name, entry in found.items() if name not in own)
        if others:
            with formatter.section("Commands of other packages"):
                formatter.write_dl(others)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:
            raise failed(error, ctx) from error


def _foreign() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in BUILT_IN}


def _loaded(entry: EntryPoint) -> click.Command:
    try:
        found = entry.load()
    except Exception as error:
        raise BadPlugin(
            f"The command {entry.name!r} from {_origin(entry)} does not import: {type(error).__name__}: {error}. "
            f"Update or remove that package."
        ) from error
    if not isinstance(found, click.Command):
        raise BadPlugin(f"The command {entry.name!r} from {_origin(entry)} is not a click command, but {found!r}.")
    return found


def _is_ours(entry: EntryPoint) -> bool:
    return entry.dist is not None and entry.dist.name == "faceforge"


def _origin(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value

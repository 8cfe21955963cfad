"""Every failure as one line that says what to do; --debug adds where it happened."""

from __future__ import annotations

import traceback

import click

from faceforge.cli.sections import Option
from faceforge.errors import FaceForgeError

_DEBUG = "faceforge.debug"


class Failed(click.ClickException):
    """A failure in one line; the exit code is 1."""


def failed(error: Exception, context: click.Context) -> Failed:
    """The error as one line; its traceback is printed first if --debug was given."""
    if context.meta.get(_DEBUG):
        traceback.print_exception(error)
    return Failed(_explained(error))


def with_debug(found: click.Command) -> click.Command:
    """The command and its subcommands with --debug, wherever on the line a user puts it."""
    if not any("--debug" in parameter.opts for parameter in found.params):
        found.params.append(_debug_option())
    for each in getattr(found, "commands", {}).values():
        with_debug(each)
    return found


def one_line(text: str) -> str:
    """The text without line breaks."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


def _explained(error: Exception) -> str:
    if isinstance(error, FaceForgeError):
        return str(error)
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__ or "allocate memory" in str(error):
        return "There is not enough memory. Try --low-memory, a smaller --size, or --dtype bfloat16."
    if isinstance(error, OSError) and error.strerror:
        place = f": {str(error.filename)!r}" if error.filename else ""
        return f"{error.strerror}{place}. Check the path, its permissions and the free space."
    return f"{type(error).__name__}: {error}. Nobody foresaw this; run again with --debug to see where it happened."


def _debug_option() -> click.Option:
    def remember(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            context.meta[_DEBUG] = True

    about = "Add the traceback to an error."
    return Option(["--debug"], is_flag=True, is_eager=True, expose_value=False, callback=remember, help=about)

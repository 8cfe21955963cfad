"""Where a picture goes: checked before the work, reported after it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from faceforge.cli.asked import Asked
from faceforge.errors import CannotWrite
from faceforge.io.pictures import writable_format

if TYPE_CHECKING:
    from faceforge import Result
    from faceforge.editor import Editor


def check_output(path: Path, sources: Iterable[Path | None] = ()) -> None:
    """Refuse an output that cannot be written, or that would replace a source, before any work is done for it."""
    writable_format(path)
    check_target(path, sources)


def check_target(path: Path, sources: Iterable[Path | None] = ()) -> None:
    """The same for a file of any kind."""
    if any(source is not None and source.exists() and path.exists() and path.samefile(source) for source in sources):
        raise CannotWrite(f"{str(path)!r} is a source too, and would be lost. Choose another name for the output.")
    if path.is_dir():
        raise CannotWrite(f"Cannot write {str(path)!r}: it is a folder. Name a file in it.")
    check_folder(path, Path(os.path.realpath(path)).parent)


def check_folder(path: Path, folder: Path) -> None:
    """Refuse a path whose folder is missing or closed."""
    if not folder.is_dir():
        raise CannotWrite(f"Cannot write {str(path)!r}: there is no folder {str(folder)!r}. Create it first.")
    if not os.access(folder, os.W_OK):
        raise CannotWrite(f"Cannot write {str(path)!r}: {str(folder)!r} is closed to you. Choose another folder.")


def tell(path: Path, result: Result) -> None:
    """The path first, so that a script can take it; then what was done, in words."""
    click.echo(path)
    click.echo(result.report())


def tell_about(editor: Editor, asked: Asked) -> None:
    """What the model has to say about itself, and the memory it took where that was asked for."""
    if editor.notice:
        click.echo(editor.notice)
    if asked.low_memory:
        from faceforge.core.device import peak_memory

        click.echo(f"peak memory {peak_memory(editor.device) / 2**20:.0f} MiB")

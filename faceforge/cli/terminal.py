"""What goes to the terminal: results on stdout, and on stderr notes, progress, and nothing that libraries chatter."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from faceforge.core.loop import Step

_CHATTER = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning, ResourceWarning)


def note(text: str) -> None:
    """One line on stderr that is worth knowing but stops nothing."""
    click.echo(f"Note: {' '.join(text.split())}", err=True)


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Warnings as notes; those that only a programmer could act upon not at all."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        note(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        for category in _CHATTER:
            warnings.simplefilter("ignore", category)
        warnings.showwarning = show
        yield


def spare_processor() -> None:
    """Before torch is imported: spinning threads make small networks hundreds of times slower on a busy machine."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def hush() -> None:
    """Import the libraries without their log lines and loading bars; downloads keep a bar on a terminal."""
    spare_processor()
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    if os.environ["DIFFUSERS_VERBOSITY"] == "error":  # it may have been imported before
        diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


class Progress:
    """A bar on stderr that follows the steps of one or several pictures; silent where stderr is not a terminal."""

    def __init__(self, pictures: int = 1) -> None:
        self._pictures = pictures
        self._bar: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def step(self, step: Step) -> None:
        """One more step of one more batch."""
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(total=step.total, unit="step", leave=False, disable=None, file=sys.stderr)
        self._bar.n = step.number
        self._bar.refresh()

    def picture(self, number: int) -> None:
        """So many pictures are done."""
        if self._bar is not None and self._pictures > 1:
            self._bar.set_description(f"{number}/{self._pictures} pictures")


class Frames:
    """A bar on stderr that follows the frames of a clip, with the time left; silent where stderr is not a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._doing = ""

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def heard(self, doing: str, done: int, total: int) -> None:
        """So many frames of one part of the work are done."""
        from tqdm import tqdm

        if doing != self._doing:
            self.__exit__()
            self._doing = doing
            # The time left is that of frames which are made now: those of an earlier run were there at once.
            self._bar = tqdm(
                desc=doing, total=total, initial=done - 1, unit="frame", leave=False, disable=None, file=sys.stderr
            )
        self._bar.total = total
        self._bar.update(done - self._bar.n)

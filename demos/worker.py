"""One edit at a time, whoever asks, and refusals as one line above the picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import wraps
from html import escape
from threading import Lock
from typing import Any

import gradio as gr

from faceforge.errors import FaceForgeError

Updates = dict[Any, Any]  # what an event changes, by component
_worker = Lock()


def guarded(do: Callable[..., Updates], banner: Any, patience: float = -1) -> Callable[..., Updates]:
    """Refusals become one line above the picture, and whatever worked takes it away; no two run at a time."""

    @wraps(do)
    def tried(*given: Any) -> Updates:
        if not _worker.acquire(timeout=patience):
            return {banner: gr.skip()}
        try:
            return {banner: "", **do(*given)}
        except FaceForgeError as refusal:
            return {banner: alert(str(refusal))}
        finally:
            _worker.release()

    return tried


def guarded_steps(do: Callable[..., Iterator[Updates]], banner: Any) -> Callable[..., Iterator[Updates]]:
    """The same for work in steps: each takes a turn of its own, so that nobody waits for all of them."""

    @wraps(do)
    def tried(*given: Any) -> Iterator[Updates]:
        steps = do(*given)
        while True:
            try:
                with _worker:
                    updates = next(steps)
            except StopIteration:
                return
            except FaceForgeError as refusal:
                yield {banner: alert(str(refusal))}
                return
            yield {banner: "", **updates}

    return tried


def let_others() -> None:
    """Between the steps of long work that is one call: whoever waits goes first."""
    _worker.release()
    time.sleep(0.01)
    _worker.acquire()


def alert(line: str) -> str:
    """HTML: a line for the banner; nothing for nothing."""
    return f'<p role="alert">{escape(line)}</p>' if line else ""

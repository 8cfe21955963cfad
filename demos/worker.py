"""One edit at a time, whoever asks, and refusals as one line above the picture."""

from __future__ import annotations

from collections.abc import Callable
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


def alert(line: str) -> str:
    """HTML: a line for the banner; nothing for nothing."""
    return f'<p role="alert">{escape(line)}</p>' if line else ""

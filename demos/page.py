"""What all tabs of the studio share: who is visiting, the line for refusals, and how events are wired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import gradio as gr

from faceforge.errors import BadSpec
from faceforge.face.finding import Finder, named_finder
from faceforge_demos.session import NOTHING, Session
from faceforge_demos.worker import Updates, guarded


@cache
def _finder() -> Finder:
    """One for all visitors; what it found is theirs alone."""
    return named_finder(None)


@dataclass(frozen=True)
class Page:
    """The components and the settings that every tab reads."""

    session: gr.State
    banner: gr.HTML

    def on(
        self,
        happens: list[Any],
        do: Callable[..., Updates],
        reads: list[Any],
        writes: list[Any],
        *,
        patience: float = -1,
        **more: Any,
    ) -> Any:
        """What follows when one of these things happens; refusals go to the banner, and one worker does it all."""
        settings = {"show_progress": "hidden", "concurrency_limit": 1, "concurrency_id": "worker", **more}
        done = guarded(do, self.banner, patience)
        return gr.on(happens, done, [self.session, *reads], [*writes, self.banner], **settings)

    def at_once(self, happens: list[Any], do: Callable[..., None], **more: Any) -> Any:
        """What cannot wait for a turn, because it is about the work that runs."""
        return gr.on(happens, do, [self.session], None, queue=False, show_progress="hidden", **more)

    def visited(self, session: Session | None) -> Session:
        """The visitor's session, a new one with the first picture."""
        return session or Session(_finder())


def opened(session: Session | None) -> Session:
    """A session that has a photograph, or a refusal."""
    if session is None or session.picture is None:
        raise BadSpec(NOTHING)
    return session

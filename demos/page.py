"""What all tabs of the studio share: who is visiting, the line for refusals, and how events are wired."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import gradio as gr

from faceforge.errors import BadSpec
from faceforge.face.finding import Finder, named_finder
from faceforge.loading import WARP
from faceforge_demos.knobs import Knob, knobs
from faceforge_demos.session import NOTHING, Session
from faceforge_demos.sheets import progress as in_words
from faceforge_demos.worker import Updates, guarded, guarded_steps

if TYPE_CHECKING:
    from faceforge.core.loop import Step
    from faceforge.forge import Forge

PROGRESS = gr.Progress()  # as a default, it asks Gradio for one that is shown


@cache
def _finder() -> Finder:
    """One for all visitors; what it found is theirs alone."""
    return named_finder(None)


@dataclass(frozen=True)
class Page:
    """The components and the settings that every tab reads."""

    session: gr.State
    banner: gr.HTML
    model: str = WARP
    forge: Forge | None = None  # None: the warp, of which every visitor has their own

    @property
    def knobs(self) -> list[Knob]:
        """What the model can be told besides the face."""
        found: list[Knob] = knobs(self.forge)
        return found

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

    def in_turns(
        self, happens: list[Any], do: Callable[..., Iterator[Updates]], reads: list[Any], writes: list[Any], **more: Any
    ) -> Any:
        """Long work that shows what it has; other work goes on between its steps."""
        settings = {"show_progress": "hidden", "concurrency_limit": 1, "concurrency_id": "long", **more}
        return gr.on(
            happens, guarded_steps(do, self.banner), [self.session, *reads], [*writes, self.banner], **settings
        )

    def at_once(self, happens: list[Any], do: Callable[..., None], **more: Any) -> Any:
        """What cannot wait for a turn, because it is about the work that runs."""
        return gr.on(happens, do, [self.session], None, queue=False, show_progress="hidden", **more)

    def visited(self, session: Session | None) -> Session:
        """The visitor's session, a new one with the first picture."""
        return session or Session(_finder(), self.forge, self.model)


def opened(session: Session | None) -> Session:
    """A session that has a photograph, or a refusal."""
    if session is None or session.picture is None:
        raise BadSpec(NOTHING)
    return session


def steps_told(progress: gr.Progress) -> Callable[[Step], None]:
    """What an editor calls after each step, so that the visitor sees how many are left."""
    began = time.monotonic()

    def told(step: Step) -> None:
        said = in_words(step.number, step.total, time.monotonic() - began)
        progress((step.number, step.total), desc=f"step {said}", unit="steps")

    return told

"""What follows when somebody touches the Edit tab; every event has a name that `gradio_client` can call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from faceforge_demos import widgets
from faceforge_demos.bringing import uploaded
from faceforge_demos.controls import DIRECTION, resting
from faceforge_demos.lighting import lit
from faceforge_demos.page import PROGRESS, Page, opened, steps_told
from faceforge_demos.pulling import pull
from faceforge_demos.session import Session
from faceforge_demos.showing import begun, measured, put_back, shown
from faceforge_demos.worker import Updates, alert

if TYPE_CHECKING:
    from faceforge_demos.edit_tab import Tab

DRAFT_SECONDS = 2.0  # a draft that waits longer for its turn is dropped: the finished edit follows anyway


def wire(page: Page, tab: Tab) -> None:
    """All events of the tab."""
    outcome = [tab.compare, tab.notes, tab.chart, tab.history, tab.undo, tab.redo, tab.command, tab.python]
    everything = [*outcome, *tab.values.values(), tab.ball]
    _sources(page, tab, [page.session, *everything])
    _sliders(page, tab, outcome)
    _history(page, tab, everything)
    _files(page, tab)
    page.at_once([tab.cancel.click], cancel, api_name="cancel")
    tab.values["light"].change(
        lambda light: [gr.update(visible=light == DIRECTION)] * 2,
        tab.values["light"],
        [tab.values["across"], tab.values["up"]],
        show_progress="hidden",
        api_visibility="private",
    )


def cancel(session: Session | None) -> None:
    """Let the visitor's running work end."""
    if session is not None:
        session.stop.set()


def _sources(page: Page, tab: Tab, writes: list[Any]) -> None:
    def open_it(session: Session | None, sent: Any) -> Updates:
        session = page.visited(session)
        said = session.bring(*uploaded(sent))
        seen = begun(tab, session) if session.edits else {}
        return {**seen, page.session: session, page.banner: alert(said)}

    def open_sample(session: Session | None) -> Updates:
        session = page.visited(session)
        session.open_sample()
        return {**begun(tab, session), page.session: session}

    def go_on(session: Session | None) -> Updates:
        opened(session).go_on()
        return begun(tab, opened(session))

    page.on([tab.picker.submit], open_it, [tab.picker], writes, api_name="open", show_progress="minimal")
    page.on([tab.sample.click], open_sample, [], writes, api_name="sample", show_progress="minimal")
    page.on([tab.go_on.click], go_on, [], writes, api_name="go_on")
    tab.take.click(None, js="() => document.querySelector('#picker input').click()", api_visibility="private")


def _sliders(page: Page, tab: Tab, writes: list[Any]) -> None:
    numbers, choices = list(tab.values.values()), [tab.values[name] for name in ("preset", "light")]
    settings = [tab.values[each.name] for each in page.knobs]
    slid = [each for each in numbers if isinstance(each, gr.Slider) and each not in settings]

    def values_of(given: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(tab.values, given, strict=True))

    def draft(session: Session | None, *given: Any) -> Updates:
        image = opened(session).draft(values_of(given)).image
        assert image is not None
        return {tab.compare: {"after": widgets.on_screen(image)}}

    def finish(session: Session | None, progress: gr.Progress = PROGRESS, *given: Any) -> Updates:
        opened(session).finish(values_of(given), steps_told(progress))
        return shown(tab, opened(session))

    def face(session: Session | None, progress: gr.Progress = PROGRESS, *given: Any) -> Updates:
        return {**finish(session, progress, *given), **measured(tab, opened(session), values_of(given)["face"])}

    def pull_it(session: Session | None, sent: Any, progress: gr.Progress = PROGRESS, *given: Any) -> Updates:
        pull(opened(session), values_of(given), sent, steps_told(progress))
        return put_back(tab, opened(session))

    def light_it(session: Session | None, sent: Any, progress: gr.Progress = PROGRESS, *given: Any) -> Updates:
        opened(session).finish(lit(values_of(given), sent), steps_told(progress))
        return put_back(tab, opened(session))

    # Past the queue, whose browser end looks only every 50 ms; drafts have a queue of their own, of one per browser.
    page.on(
        [each.input for each in slid],
        draft,
        numbers,
        [tab.compare],
        patience=DRAFT_SECONDS,
        api_name="draft",
        trigger_mode="always_last",
        queue=False,
    )
    # The warp is done before a bar could be read.
    bar: dict[str, Any] = {} if page.forge is None else {"show_progress": "full", "show_progress_on": tab.compare}
    settled = [event for each in (*slid, *choices, *settings) for event in widgets.settled(each)]
    page.on(settled, finish, numbers, writes, api_name="edit", trigger_mode="always_last", **bar)
    page.on([tab.values["face"].input], face, numbers, [*writes, *numbers], api_name="face", **bar)

    everything = [*writes, *numbers, tab.ball]
    page.on([tab.compare.submit], pull_it, [tab.compare, *numbers], everything, api_name="pull", **bar)
    page.on([tab.ball.submit], light_it, [tab.ball, *numbers], everything, api_name="light", **bar)


def _history(page: Page, tab: Tab, writes: list[Any]) -> None:
    def reset(session: Session | None) -> Updates:
        opened(session).finish(resting(page.knobs))
        return put_back(tab, opened(session))

    def step(by: int) -> Callable[[Session | None], Updates]:
        def go(session: Session | None) -> Updates:
            opened(session).go(opened(session).at + by)
            return put_back(tab, opened(session))

        return go

    def restore(session: Session | None, chosen: gr.SelectData) -> Updates:
        opened(session).go(int(chosen.index))
        return put_back(tab, opened(session))

    page.on([tab.reset.click], reset, [], writes, api_name="reset")
    page.on([tab.undo.click], step(-1), [], writes, api_name="undo")
    page.on([tab.redo.click], step(+1), [], writes, api_name="redo")
    page.on([tab.history.select], restore, [], writes, api_name="restore")


def _files(page: Page, tab: Tab) -> None:
    def save(session: Session | None, badge: bool) -> Updates:
        return {tab.file: str(opened(session).save(badge=badge))}

    def save_preset(session: Session | None) -> Updates:
        return {tab.file: str(opened(session).save_preset())}

    for saved in (
        page.on([tab.save.click], save, [tab.badge], [tab.file], api_name="save"),
        page.on([tab.keep.click], save_preset, [], [tab.file], api_name="save_preset"),
    ):
        saved.success(None, js="() => document.querySelector('#file').click()", api_visibility="private")

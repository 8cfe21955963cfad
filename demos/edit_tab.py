"""The Edit tab: sliders beside a photograph that moves with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import gradio as gr

from faceforge.aus import PRESETS
from faceforge.errors import BadSpec
from faceforge.face.finding import Finder, named_finder
from faceforge_demos import widgets
from faceforge_demos.chart import chart, notes
from faceforge_demos.controls import DIRECTION, MOST_AMOUNT, UNCHANGED, Control, lights, resting, turns, units
from faceforge_demos.copying import as_command, as_python
from faceforge_demos.session import Edit, Session
from faceforge_demos.worker import Updates, guarded

KEPT_SECONDS = 3600
DRAFT_SECONDS = 2.0  # a draft that waits longer for its turn is dropped: the finished edit follows anyway
OPEN = ("brow", "mouth")
_THUMB = 160


@cache
def _finder() -> Finder:
    """One for all visitors; what it found is theirs alone."""
    return named_finder(None)


@dataclass
class Tab:
    """The components that events read and write."""

    session: gr.State
    picker: gr.HTML
    sample: gr.Button
    banner: gr.HTML
    compare: gr.HTML
    undo: gr.Button
    redo: gr.Button
    reset: gr.Button
    save: gr.Button
    file: gr.DownloadButton
    notes: gr.HTML
    chart: gr.HTML
    history: gr.Gallery
    command: gr.Code
    python: gr.Code
    values: dict[str, Any]  # widgets by their name in a wish
    sliders: dict[str, Control]


def build() -> None:
    """Lay the tab out, and say what follows what."""
    session = gr.State(None, time_to_live=KEPT_SECONDS)
    with gr.Row(elem_id="source"):
        picker = widgets.picker()
        sample = gr.Button("Take the sample portrait, of nobody", size="sm", elem_id="sample")
    banner = gr.HTML("", elem_id="banner")
    with gr.Row(elem_id="edit"):
        with gr.Column(min_width=0, elem_id="look"):
            compare = widgets.compare()
            with gr.Row(elem_id="steps"):
                undo, redo, reset, save = map(widgets.button, ("Undo", "Redo", "Reset", "Download"))
            file = gr.DownloadButton("file", visible="hidden", elem_id="file")
        with gr.Column(min_width=0, elem_id="controls"):
            values, sliders = _controls()
        with gr.Column(min_width=0, elem_id="outcome"):
            told = gr.HTML("", elem_id="notes")
            seen = gr.HTML("", elem_id="chart")
            history = widgets.history()
            command, python = widgets.code("As a command", "shell"), widgets.code("As Python", "python")
    steps, outcome = (undo, redo, reset, save, file), (told, seen, history, command, python)
    _wire(Tab(session, picker, sample, banner, compare, *steps, *outcome, values, sliders))


def _controls() -> tuple[dict[str, Any], dict[str, Control]]:
    """Widgets by their name in a wish, and what the sliders among them stand for."""
    sliders = {each.name: each for each in [*(each for group in units().values() for each in group), *turns()]}
    found: dict[str, Any] = {}
    found["face"] = gr.Radio(["1"], value="1", label="Which face, the largest first", visible=False, elem_id="face")
    with gr.Row():
        found["preset"] = gr.Dropdown([UNCHANGED, *PRESETS], value=UNCHANGED, label="Preset", elem_id="preset")
        found["amount"] = gr.Slider(0, MOST_AMOUNT, value=1, step=0.05, label="Amount", elem_id="amount")
    for title, group in {**units(), "head and gaze": turns()}.items():
        with gr.Accordion(title.capitalize(), open=title in OPEN):
            found |= {each.name: widgets.slider(each) for each in group}
    with gr.Accordion("Light", open=False):
        found["light"] = gr.Dropdown(lights(), value=UNCHANGED, label="Light", elem_id="light")
        found["across"] = gr.Slider(-90, 90, step=1, value=0, label="From the right, degrees", visible=False)
        found["up"] = gr.Slider(-90, 90, step=1, value=0, label="From above, degrees", visible=False)
    return found, sliders


def _wire(tab: Tab) -> None:
    numbers, choices = list(tab.values.values()), [tab.values[name] for name in ("preset", "light")]
    slid = [each for each in numbers if isinstance(each, gr.Slider)]
    asked = [tab.session, *numbers]
    shown = [tab.compare, tab.notes, tab.chart, tab.history, tab.undo, tab.redo, tab.command, tab.python]
    begun = [tab.session, tab.banner, *shown, *numbers]

    def on(
        happens: list[Any],
        do: Callable[..., Updates],
        reads: list[Any],
        writes: list[Any],
        *,
        patience: float = -1,
        **more: Any,
    ) -> Any:
        settings = {"show_progress": "hidden", "concurrency_limit": 1, "concurrency_id": "worker", **more}
        return gr.on(happens, guarded(do, tab.banner, patience), reads, [*writes, tab.banner], **settings)

    def values_of(given: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(tab.values, given, strict=True))

    def open_it(session: Session | None, sent: Any) -> Updates:
        session = session or Session(_finder())
        session.open(*widgets.uploaded(sent))
        return _begun(tab, session)

    def open_sample(session: Session | None) -> Updates:
        session = session or Session(_finder())
        session.open_sample()
        return _begun(tab, session)

    def draft(session: Session | None, *given: Any) -> Updates:
        image = _of(session).draft(values_of(given)).image
        assert image is not None
        return {tab.compare: {"after": widgets.on_screen(image)}}

    def finish(session: Session | None, *given: Any) -> Updates:
        _of(session).finish(values_of(given))
        return _shown(tab, _of(session))

    def face(session: Session | None, *given: Any) -> Updates:
        return {**finish(session, *given), **_measured(tab, _of(session), values_of(given)["face"])}

    def reset(session: Session | None) -> Updates:
        edit = _of(session).finish(resting())
        return {**_shown(tab, _of(session)), **_standing(tab, edit)}

    def step(by: int) -> Callable[[Session | None], Updates]:
        def go(session: Session | None) -> Updates:
            edit = _of(session).go(_of(session).at + by)
            return {**_shown(tab, _of(session)), **_standing(tab, edit)}

        return go

    def restore(session: Session | None, chosen: gr.SelectData) -> Updates:
        edit = _of(session).go(int(chosen.index))
        return {**_shown(tab, _of(session)), **_standing(tab, edit)}

    def save(session: Session | None) -> Updates:
        return {tab.file: str(_of(session).save())}

    on([tab.picker.submit], open_it, [tab.session, tab.picker], begun, api_name="open", show_progress="minimal")
    on([tab.sample.click], open_sample, [tab.session], begun, api_name="sample", show_progress="minimal")
    # Past the queue, whose browser end looks only every 50 ms; drafts have a queue of their own, of one per browser.
    on(
        [each.input for each in slid],
        draft,
        asked,
        [tab.compare],
        patience=DRAFT_SECONDS,
        api_name="draft",
        trigger_mode="always_last",
        queue=False,
    )
    releases = [*(each.release for each in slid), *(each.input for each in choices)]
    on(releases, finish, asked, shown, api_name="edit", trigger_mode="always_last")
    on([tab.values["face"].input], face, asked, [*shown, *numbers], api_name="face")
    on([tab.reset.click], reset, [tab.session], [*shown, *numbers], api_name="reset")
    on([tab.undo.click], step(-1), [tab.session], [*shown, *numbers], api_name="undo")
    on([tab.redo.click], step(+1), [tab.session], [*shown, *numbers], api_name="redo")
    on([tab.history.select], restore, [tab.session], [*shown, *numbers], api_name="restore")
    on([tab.save.click], save, [tab.session], [tab.file], api_name="save").success(
        None, js="() => document.querySelector('#file').click()"
    )
    directions = [tab.values["across"], tab.values["up"]]
    tab.values["light"].change(
        lambda light: [gr.update(visible=light == DIRECTION)] * 2,
        tab.values["light"],
        directions,
        show_progress="hidden",
    )


def _of(session: Session | None) -> Session:
    if session is None:
        raise BadSpec("There is no photograph yet. Choose one, or take the sample.")
    return session


def _begun(tab: Tab, session: Session) -> Updates:
    """A photograph was opened: all widgets stand at 'no change', and say what it shows."""
    count = len(session.photograph.faces)
    faces = [*(str(number) for number in range(1, count + 1)), "all"]
    before = widgets.on_screen(session.current.picture)
    return {
        **_merged(_standing(tab, session.current), _measured(tab, session, "1")),
        **_shown(tab, session),
        tab.values["face"]: gr.update(choices=faces, value="1", visible=count > 1),
        tab.session: session,
        tab.compare: {"before": before, "after": before},
    }


def _merged(first: Updates, second: Updates) -> Updates:
    """Two updates of the same widgets as one."""
    return {widget: {**first.get(widget, {}), **second.get(widget, {})} for widget in {**first, **second}}


def _shown(tab: Tab, session: Session) -> Updates:
    """Everything that says what the current edit is."""
    edit, last = session.current, len(session.edits) - 1
    return {
        tab.compare: {"after": widgets.on_screen(edit.picture)},
        tab.notes: notes(edit),
        tab.chart: chart(edit),
        tab.history: [_thumb(each, now=each is edit) for each in session.edits],
        tab.undo: gr.update(interactive=session.at > 0),
        tab.redo: gr.update(interactive=session.at < last),
        tab.command: as_command(edit.spec, session.source),
        tab.python: as_python(edit.spec, session.source),
    }


def _standing(tab: Tab, edit: Edit) -> Updates:
    """Widgets as they stood when the edit was made."""
    return {widget: gr.update(value=edit.values[name]) for name, widget in tab.values.items()}


def _measured(tab: Tab, session: Session, face: str) -> Updates:
    """Sliders of action units say what the photograph's face already shows."""
    return {
        tab.values[code]: gr.update(info=f"{tab.sliders[code].about} · now {value:.1f}")
        for code, value in session.shown(face).items()
    }


def _thumb(edit: Edit, *, now: bool) -> tuple[Any, str]:
    small = edit.picture.copy()
    small.thumbnail((_THUMB, _THUMB), reducing_gap=2.0)
    said = edit.brief
    return small, f"● {said}" if now else said

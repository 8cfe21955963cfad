"""What the Edit tab's widgets show of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from faceforge_demos import widgets
from faceforge_demos.chart import chart, notes
from faceforge_demos.copying import as_command, as_python
from faceforge_demos.edits import Edit
from faceforge_demos.session import Session
from faceforge_demos.worker import Updates

if TYPE_CHECKING:
    from faceforge_demos.edit_tab import Tab

_THUMB = 160


def begun(tab: Tab, session: Session) -> Updates:
    """A photograph was opened: all widgets stand as its edit does, and say what it shows."""
    count = len(session.photograph.faces)
    faces = [*(str(number) for number in range(1, count + 1)), "all"]
    chosen = session.current.values["face"]
    return {
        **_merged(standing(tab, session.current), measured(tab, session, chosen)),
        **shown(tab, session),
        tab.values["face"]: gr.update(choices=faces, value=chosen, visible=count > 1),
    }


def shown(tab: Tab, session: Session) -> Updates:
    """Everything that says what the current edit is."""
    edit, last = session.current, len(session.edits) - 1
    return {
        tab.compare: {"before": widgets.on_screen(edit.before), "after": widgets.on_screen(edit.picture)},
        tab.notes: notes(edit.notes),
        tab.chart: chart(edit),
        tab.history: [_thumb(each, now=each is edit) for each in session.edits],
        tab.undo: gr.update(interactive=session.at > 0),
        tab.redo: gr.update(interactive=session.at < last),
        tab.command: as_command(edit.spec, session.source, edit.model),
        tab.python: as_python(edit.spec, session.source, edit.model),
    }


def put_back(tab: Tab, session: Session) -> Updates:
    """The current edit, and every widget as it stood for it."""
    return {**shown(tab, session), **standing(tab, session.current)}


def standing(tab: Tab, edit: Edit) -> Updates:
    """Widgets as they stood when the edit was made."""
    from_where = {name: edit.values[name] for name in ("across", "up")}
    return {
        **{widget: gr.update(value=edit.values[name]) for name, widget in tab.values.items()},
        tab.ball: gr.update(value=from_where),
    }


def measured(tab: Tab, session: Session, face: str) -> Updates:
    """Sliders of action units say what the photograph's face already shows."""
    return {
        tab.values[code]: gr.update(info=f"{tab.sliders[code].about} · now {value:.1f}")
        for code, value in session.shown(face).items()
    }


def _merged(first: Updates, second: Updates) -> Updates:
    """Two updates of the same widgets as one."""
    return {widget: {**first.get(widget, {}), **second.get(widget, {})} for widget in {**first, **second}}


def _thumb(edit: Edit, *, now: bool) -> tuple[Any, str]:
    small = edit.picture.copy()
    small.thumbnail((_THUMB, _THUMB), reducing_gap=2.0)
    said = edit.brief
    return small, f"● {said}" if now else said

"""The Sweep tab: a contact sheet of action units by intensities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import gradio as gr

from faceforge import aus
from faceforge.spec import EditSpec
from faceforge_demos import widgets
from faceforge_demos.copying import as_sweep_command
from faceforge_demos.model import units_of
from faceforge_demos.page import Page, opened
from faceforge_demos.session import Session
from faceforge_demos.sheets import CELLS, Wanted, sheet_path, sweep
from faceforge_demos.worker import Updates

START = ("AU12", "AU4", "AU1")
ABOUT = "The photograph of the Edit tab at several intensities of action units: a row each, all in one picture."


def build(page: Page) -> None:
    """Lay the tab out, and say what follows what."""
    known = units_of(page.forge)
    names = [(f"{aus.UNITS[code].name.capitalize()} ({code})", code) for code in known]
    gr.Markdown(ABOUT)
    with gr.Row(elem_id="sweep-wish"):
        first = [code for code in START if code in known]
        units = gr.Dropdown(
            names, value=first, multiselect=True, label="Action units", min_width=300, elem_id="sweep-units"
        )
        values = gr.Textbox("-2:4:1", label="Intensities", info="first:last:step, or a list", elem_id="sweep-values")
        cell = gr.Dropdown(list(CELLS), value=128, label="Side of a picture, pixels", elem_id="sweep-cell")
    held = gr.Checkbox(label="Keep the other changes of the current edit", container=False, elem_id="sweep-held")
    with gr.Row(elem_classes="actions"):
        start = widgets.button("Sweep", variant="primary")
        cancel = widgets.button("Cancel sweep", variant="stop")
        save = widgets.button("Download sheet", interactive=False)
    told = gr.HTML("", elem_id="sweep-told", elem_classes="told")
    sheet = widgets.picture("The contact sheet appears here, picture by picture.", "sweep-sheet")
    command = widgets.code("As a command", "shell", "sweep-command")
    file = gr.DownloadButton("file", visible="hidden", elem_id="sweep-file")

    def run(session: Session | None, units: Sequence[str], values: str, cell: int, held: bool) -> Iterator[Updates]:
        session = opened(session)
        spec = session.current.spec
        wanted = Wanted.of(units, values, int(cell), spec if held else EditSpec(face=spec.face))
        said = as_sweep_command(wanted.held, session.source, page.model, wanted.grid.units, values)
        yield {save: gr.update(interactive=False), command: f"{said} --cell {int(cell)}", told: "Begun."}
        for image, progress in sweep(session, wanted):
            yield {sheet: widgets.drawn(image, "the contact sheet", most=4096), told: progress}
        yield {save: gr.update(interactive=True)}

    def download(session: Session | None) -> Updates:
        return {file: str(sheet_path(opened(session)))}

    reads, writes = [units, values, cell, held], [sheet, told, command, save]
    page.in_turns([start.click], run, reads, writes, api_name="sweep")
    page.at_once([cancel.click], stop, api_name="cancel_sweep")
    saved = page.on([save.click], download, [], [file], api_name="save_sweep")
    saved.success(None, js="() => document.querySelector('#sweep-file').click()", api_visibility="private")


def stop(session: Session | None) -> None:
    """Let the visitor's long work end after the picture that is being made."""
    if session is not None:
        session.stop_long.set()

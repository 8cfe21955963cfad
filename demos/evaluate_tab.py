"""The Evaluate tab: the report of what the loaded model does to this photograph."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import gradio as gr

from faceforge import aus
from faceforge.mer.judges import DEFAULT
from faceforge_demos import widgets
from faceforge_demos.model import units_of
from faceforge_demos.page import PROGRESS, Page, opened
from faceforge_demos.reports import evaluate, plan_of
from faceforge_demos.session import Session
from faceforge_demos.sweep_tab import stop
from faceforge_demos.worker import Updates, let_others

START = ("AU1", "AU4", "AU12", "AU26")
ABOUT = (
    "Every unit alone, at every dose, asked of the photograph of the Edit tab; then a judge says what moved, what else "
    f"did, and what was kept. Judge: *{DEFAULT}*. One photograph says little of a model: `faceforge evaluate` takes "
    "a folder of them."
)
EMPTY = '<p class="empty">The report appears here.</p>'


def build(page: Page) -> None:
    """Lay the tab out, and say what follows what."""
    known = [code for code in aus.ORDERS["disfa12"] if code in units_of(page.forge)]
    names = [(f"{aus.UNITS[code].name.capitalize()} ({code})", code) for code in known]
    gr.Markdown(ABOUT)
    with gr.Row():
        first = [code for code in START if code in known]
        units = gr.Dropdown(
            names, value=first, multiselect=True, label="Action units", min_width=300, elem_id="evaluate-units"
        )
        doses = gr.Textbox("1:3:1", label="Doses", info="first:last:step, or a list", elem_id="evaluate-doses")
    with gr.Row(elem_classes="actions"):
        start = widgets.button("Evaluate", variant="primary")
        cancel = widgets.button("Cancel evaluation", variant="stop")
        save = widgets.button("Download report", interactive=False)
    seen = gr.HTML(EMPTY, elem_id="report")
    file = gr.DownloadButton("file", visible="hidden", elem_id="report-file")

    def run(session: Session | None, units: Sequence[str], doses: str, progress: gr.Progress = PROGRESS) -> Updates:
        def told(done: int, total: int, said: str) -> None:
            progress((done, total), desc=said, unit="edits")
            let_others()

        path = evaluate(opened(session), plan_of(units, doses), told)
        return {seen: _framed(path.read_text(encoding="utf-8")), save: gr.update(interactive=True), file: str(path)}

    page.on(
        [start.click],
        run,
        [units, doses],
        [seen, save, file],
        api_name="evaluate",
        concurrency_id="long",
        show_progress="full",
        show_progress_on=seen,
    )
    page.at_once([cancel.click], stop, api_name="cancel_evaluation")
    save.click(None, js="() => document.querySelector('#report-file').click()", api_visibility="private")


def _framed(report: str) -> str:
    """A report in a frame of its own: its style stays inside, and nothing in it runs."""
    return f'<iframe title="Report" sandbox srcdoc="{escape(report)}"></iframe>'

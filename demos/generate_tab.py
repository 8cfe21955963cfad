"""The Generate tab: a new face from text and action units."""

from __future__ import annotations

from typing import Any

import gradio as gr

from faceforge_demos import widgets
from faceforge_demos.chart import notes
from faceforge_demos.controls import resting, spec_of, units
from faceforge_demos.copying import NEW_FACE, as_generate_command, as_generate_python
from faceforge_demos.edit_events import cancel as cancel_edit
from faceforge_demos.loaded import known_models
from faceforge_demos.model import units_of
from faceforge_demos.page import PROGRESS, Page, steps_told
from faceforge_demos.session import Session
from faceforge_demos.worker import Updates

CANNOT = (
    "**The loaded model cannot do this.** The warp moves the pixels of a photograph; a new face needs a generator. "
    "Start the studio with one: `faceforge demo --model NAME`, where NAME is {names}, a saved folder or a hub id."
)


def build(page: Page) -> None:
    """Lay the tab out, and say what follows what; without a generator it says what to do."""
    if page.forge is None:
        gr.Markdown(CANNOT.format(names=", ".join(f"`{name}`" for name in known_models())), elem_id="cannot")
        return
    with gr.Row(elem_id="generating"):
        with gr.Column(min_width=0):
            values: dict[str, Any] = {each.name: widgets.knob(each, "new") for each in page.knobs}
            for title, group in units().items():
                able = [each for each in group if each.name in units_of(page.forge)]
                if able:
                    with gr.Accordion(title.capitalize(), open=False):
                        values |= {each.name: widgets.slider(each, "new") for each in able}
        with gr.Column(min_width=0):
            with gr.Row(elem_classes="actions"):
                start = widgets.button("Generate", variant="primary")
                cancel = widgets.button("Cancel generating", variant="stop")
                save = widgets.button("Download face", interactive=False)
            picture = widgets.picture("The new face appears here.", "new-face")
            told = gr.HTML("", elem_id="new-notes", elem_classes="notes")
            command = widgets.code("As a command", "shell", "new-command")
            python = widgets.code("As Python", "python", "new-python")
            file = gr.DownloadButton("file", visible="hidden", elem_id="new-file")

    def run(session: Session | None, progress: gr.Progress = PROGRESS, *given: Any) -> Updates:
        session = page.visited(session)
        said = dict(zip(values, given, strict=True))
        spec = spec_of({**resting(page.knobs), **said}, page.knobs)
        result = session.generate(spec, steps_told(progress))
        assert result.image is not None, "a model without pictures is refused"
        return {
            page.session: session,
            picture: widgets.drawn(result.image, "the new face"),
            told: notes(result.notes),
            command: as_generate_command(spec, page.model),
            python: as_generate_python(spec, page.model),
            file: str(result.save(session.folder / NEW_FACE)),
            save: gr.update(interactive=True),
        }

    page.on(
        [start.click],
        run,
        list(values.values()),
        [page.session, picture, told, command, python, file, save],
        api_name="generate",
        show_progress="full",
        show_progress_on=picture,
    )
    page.at_once([cancel.click], cancel_edit, api_name="cancel_generating")
    save.click(None, js="() => document.querySelector('#new-file').click()", api_visibility="private")

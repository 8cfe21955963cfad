"""The Edit tab: sliders beside a photograph that moves with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from faceforge.aus import PRESETS
from faceforge_demos import edit_events, widgets
from faceforge_demos.controls import MOST_AMOUNT, UNCHANGED, Control, lights, turns, units
from faceforge_demos.model import movable
from faceforge_demos.page import Page

OPEN = ("brow", "mouth")


@dataclass(frozen=True)
class Tab:
    """The components that events read and write."""

    picker: gr.HTML
    sample: gr.Button
    compare: gr.HTML
    ball: gr.HTML
    undo: gr.Button
    redo: gr.Button
    reset: gr.Button
    go_on: gr.Button
    save: gr.Button
    badge: gr.Checkbox
    cancel: gr.Button
    keep: gr.Button
    take: gr.Button
    file: gr.DownloadButton
    notes: gr.HTML
    chart: gr.HTML
    history: gr.Gallery
    command: gr.Code
    python: gr.Code
    values: dict[str, Any]  # widgets by their name in a wish
    sliders: dict[str, Control]


def build(page: Page) -> None:
    """Lay the tab out, and say what follows what."""
    with gr.Row(elem_id="source"):
        picker = widgets.picker()
        sample = gr.Button("Take the sample portrait, of nobody", size="sm", elem_id="sample")
    with gr.Row(elem_id="edit"):
        with gr.Column(min_width=0, elem_id="look"):
            compare = widgets.compare()
            with gr.Row(elem_id="steps"):
                undo, redo = (widgets.button(name, interactive=False) for name in ("Undo", "Redo"))
                reset, go_on = widgets.button("Reset"), widgets.button("Go on from this")
                save = widgets.button("Download", variant="primary")
            with gr.Row(elem_id="ways"):
                badge = gr.Checkbox(label="with a visible badge 'AI-edited'", container=False, elem_id="badge")
                cancel = widgets.button("Cancel", variant="stop", visible=page.forge is not None)
            file = gr.DownloadButton("file", visible="hidden", elem_id="file")
        with gr.Column(min_width=0, elem_id="controls"):
            values, sliders, ball = _controls(page)
            with gr.Row(elem_id="preset-files"):  # its place is under the presets
                keep, take = widgets.button("Save as a preset"), widgets.button("Load a preset")
        with gr.Column(min_width=0, elem_id="outcome"):
            told = gr.HTML("", elem_id="notes")
            seen = gr.HTML("", elem_id="chart")
            history = widgets.history()
            command, python = widgets.code("As a command", "shell"), widgets.code("As Python", "python")
    steps, outcome = (
        (undo, redo, reset, go_on, save, badge, cancel, keep, take, file),
        (told, seen, history, command, python),
    )
    edit_events.wire(page, Tab(picker, sample, compare, ball, *steps, *outcome, values, sliders))


def _controls(page: Page) -> tuple[dict[str, Any], dict[str, Control], gr.HTML]:
    """Widgets by their name in a wish, what the sliders among them stand for, and the ball that says two of them."""
    sliders = {each.name: each for each in [*(each for group in units().values() for each in group), *turns()]}
    able, found = movable(page.forge), dict[str, Any]()
    found["face"] = gr.Radio(["1"], value="1", label="Which face, the largest first", visible=False, elem_id="face")
    with gr.Row(elem_id="presets"):
        found["preset"] = gr.Dropdown([UNCHANGED, *PRESETS], value=UNCHANGED, label="Preset", elem_id="preset")
        found["amount"] = gr.Slider(0, MOST_AMOUNT, value=1, step=0.05, label="Amount", elem_id="amount")
    for title, group in {**units(), "head and gaze": turns()}.items():
        with gr.Accordion(title.capitalize(), open=title in OPEN):
            found |= {each.name: widgets.slider(each, able=each.name in able) for each in group}
    with gr.Accordion("Light", open=False):
        lit = {"value": UNCHANGED, "label": "Light", "elem_id": "light", "interactive": "light" in able}
        found["light"] = gr.Dropdown(lights(), **lit)
        ball = widgets.ball(visible="light" in able)
        found["across"] = gr.Slider(-90, 90, step=1, value=0, label="From the right, degrees", visible=False)
        found["up"] = gr.Slider(-90, 90, step=1, value=0, label="From above, degrees", visible=False)
    if page.knobs:
        with gr.Accordion("Generator", open=False, elem_id="generator"):
            found |= {each.name: widgets.knob(each) for each in page.knobs}
    return found, sliders, ball

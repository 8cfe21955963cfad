"""The studio's widgets; its own are the picker of photographs and the comparison of before and after."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from faceforge_demos.bringing import FORMATS, MAX_BYTES
from faceforge_demos.controls import Control
from faceforge_demos.knobs import Knob

HERE = Path(__file__).parent
SHOWN = 1024  # longest side on the screen; the download has every pixel
_TYPES = ",".join([*(f"image/{name.lower()}" for name in FORMATS), ".json"])


def picker() -> gr.HTML:
    """Its `submit` brings {name, data, agreed}; `bringing.uploaded` reads them."""
    return _own("picker", most_bytes=MAX_BYTES, types=_TYPES)


def compare() -> gr.HTML:
    """Before and after, their difference, and a zoom; its value brings {before, after}, or one of them.

    Its `submit` brings {pull: [x, y, x, y]}, shares of the picture; `pulling.pull` reads them.
    """
    return _own("compare")


def ball(*, visible: bool = True) -> gr.HTML:
    """Where light comes from, {across, up} in degrees; its `submit` says that it was moved."""
    return _own("ball", visible=visible)


def slider(of: Control, place: str = "", *, able: bool = True) -> gr.Slider:
    """Greyed out where the model cannot follow it."""
    said = {"label": of.label, "info": of.about, "elem_id": place + of.name}
    return gr.Slider(-of.most, of.most, value=0, step=of.step, interactive=able, **said)


def knob(of: Knob, place: str = "") -> Any:
    """The widget that a setting's type and limits ask for."""
    said = {"label": of.label, "info": of.about, "elem_id": place + re.sub(r"[._]", "-", of.name)}
    if of.choices:
        return gr.Dropdown(list(of.choices), value=of.default, **said)
    if isinstance(of.default, bool):
        return gr.Checkbox(of.default, **said)
    if isinstance(of.default, str):
        return gr.Textbox(of.default, max_length=2000, **said)
    step = 1 if isinstance(of.default, int) else 0.05
    if of.least is None or of.most is None:
        return gr.Number(of.default, minimum=of.least, maximum=of.most, step=step, **said)
    return gr.Slider(of.least, of.most, value=of.default, step=step, **said)


def settled(widget: Any) -> list[Any]:
    """The events after which a widget's value is what the visitor wants."""
    if isinstance(widget, gr.Slider):
        return [widget.release]
    return [widget.submit, widget.blur] if isinstance(widget, gr.Textbox | gr.Number) else [widget.input]


def button(name: str, **more: Any) -> gr.Button:
    """Its id is its name: 'Go on' is #go-on."""
    return gr.Button(name, size="sm", min_width=60, elem_id=name.lower().replace(" ", "-"), **more)


def code(label: str, language: Any, place: str = "") -> gr.Code:
    settings = {"lines": 1, "interactive": False, "wrap_lines": True}
    return gr.Code(label=label, language=language, elem_id=place or language, **settings)


def picture(hint: str, place: str) -> gr.HTML:
    """Where `drawn` pictures go."""
    return gr.HTML(f'<p class="empty">{hint}</p>', elem_id=place, elem_classes="picture")


def drawn(image: Image.Image, alt: str, most: int = SHOWN) -> str:
    """HTML: a picture."""
    return f'<img src="{on_screen(image, most)}" alt="{alt}">'


def history() -> gr.Gallery:
    return gr.Gallery(
        label="History, each from the photograph",
        height="auto",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="history",
    )


def _own(name: str, **props: Any) -> gr.HTML:
    """A widget of three files beside this one."""
    html, css, js = ((HERE / f"{name}.{kind}").read_text() for kind in ("html", "css", "js"))
    return gr.HTML(None, html_template=html, css_template=css, js_on_load=js, elem_id=name, **props)


def on_screen(image: Image.Image, most: int = SHOWN) -> str:
    """A picture for the browser, as a data address: no file is written for it."""
    small = image.copy()
    small.thumbnail((most, most), reducing_gap=2.0)
    held = io.BytesIO()
    small.save(held, "JPEG", quality=90, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(held.getvalue()).decode("ascii")

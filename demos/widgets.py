"""The studio's widgets; its own are the picker of photographs and the comparison of before and after."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from faceforge_demos.bringing import FORMATS, MAX_BYTES
from faceforge_demos.controls import Control

HERE = Path(__file__).parent
SHOWN = 1024  # longest side on the screen; the download has every pixel
_TYPES = ",".join([*(f"image/{name.lower()}" for name in FORMATS), ".json"])


def picker() -> gr.HTML:
    """Its `submit` brings {name, data, agreed}; `bringing.uploaded` reads them."""
    return gr.HTML(
        None,
        html_template=(HERE / "picker.html").read_text(),
        css_template=(HERE / "picker.css").read_text(),
        js_on_load=(HERE / "picker.js").read_text(),
        most_bytes=MAX_BYTES,
        types=_TYPES,
        elem_id="picker",
    )


def compare() -> gr.HTML:
    """Before and after, their difference, and a zoom; its value brings {before, after}, or one of them."""
    return gr.HTML(
        None,
        html_template=(HERE / "compare.html").read_text(),
        css_template=(HERE / "compare.css").read_text(),
        js_on_load=(HERE / "compare.js").read_text(),
        elem_id="compare",
    )


def slider(of: Control) -> gr.Slider:
    return gr.Slider(-of.most, of.most, value=0, step=of.step, label=of.label, info=of.about, elem_id=of.name)


def button(name: str, **more: Any) -> gr.Button:
    """Its id is its name: 'Go on' is #go-on."""
    return gr.Button(name, size="sm", min_width=60, elem_id=name.lower().replace(" ", "-"), **more)


def code(label: str, language: Any) -> gr.Code:
    return gr.Code(label=label, language=language, lines=1, interactive=False, wrap_lines=True, elem_id=language)


def history() -> gr.Gallery:
    return gr.Gallery(
        label="History, each from the photograph",
        height="auto",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="history",
    )


def on_screen(image: Image.Image) -> str:
    """A picture for the browser, as a data address: no file is written for it."""
    small = image.copy() if max(image.size) > SHOWN else image
    small.thumbnail((SHOWN, SHOWN), reducing_gap=2.0)
    held = io.BytesIO()
    small.save(held, "JPEG", quality=90, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(held.getvalue()).decode("ascii")

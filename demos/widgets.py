"""The studio's widgets; its own are the picker of photographs and the comparison of before and after."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from faceforge.errors import BadPicture
from faceforge_demos.controls import Control
from faceforge_demos.session import FORMATS, MAX_BYTES

HERE = Path(__file__).parent
SHOWN = 1024  # longest side on the screen; the download has every pixel
_TYPES = ",".join(f"image/{name.lower()}" for name in FORMATS)
_PICKER = f"""
<div class="picker">
  <p>Drop or paste a photograph here, or</p>
  <button type="button" class="choose">Choose a file</button> <button type="button" class="camera">Camera</button>
  <input type="file" accept="{_TYPES}" hidden aria-label="Photograph">
  <video autoplay playsinline muted hidden></video>
  <p class="told" role="alert"></p>
</div>"""
_PICKER_CSS = """
.picker { padding: 10px; border: 1px dashed var(--border-color-primary); border-radius: 8px; text-align: center; }
.picker p { margin: 0 0 6px; } .told { color: #b42318; } video { width: 100%; }
button { padding: 5px 14px; border-radius: 6px; border: 1px solid var(--border-color-primary);
  background: var(--button-secondary-background-fill); color: var(--body-text-color); cursor: pointer; }"""


def picker() -> gr.HTML:
    """Its `submit` brings {name, data}; `uploaded` reads them."""
    return gr.HTML(
        None,
        html_template=_PICKER,
        css_template=_PICKER_CSS,
        js_on_load=(HERE / "picker.js").read_text(),
        most_bytes=MAX_BYTES,
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


def button(name: str) -> gr.Button:
    return gr.Button(
        name,
        size="sm",
        min_width=60,
        interactive=name not in ("Undo", "Redo"),
        variant="primary" if name == "Download" else "secondary",
        elem_id=name.lower(),
    )


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


def uploaded(value: Any) -> tuple[bytes, str]:
    """A file's bytes and its name, as the picker sent them."""
    name, data = (value.get("name"), value.get("data")) if isinstance(value, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(data, str):
        raise BadPicture("Nothing arrived that is a picture. Choose the file again.")
    if len(data) > MAX_BYTES * 4 // 3 + 4:
        raise BadPicture(f"The picture has more than {MAX_BYTES // 1_000_000} MB. Shrink it first.")
    try:
        return base64.b64decode(data, validate=True), name
    except binascii.Error:
        raise BadPicture("The picture arrived damaged. Choose the file again.") from None


def on_screen(image: Image.Image) -> str:
    """A picture for the browser, as a data address: no file is written for it."""
    small = image.copy() if max(image.size) > SHOWN else image
    small.thumbnail((SHOWN, SHOWN), reducing_gap=2.0)
    held = io.BytesIO()
    small.save(held, "JPEG", quality=90, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(held.getvalue()).decode("ascii")

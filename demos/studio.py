"""The studio: a page of tabs, each a file of its own. `python demos/studio.py` opens it, as `faceforge demo` does."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr

from faceforge.loading import WARP
from faceforge_demos import edit_tab, evaluate_tab, generate_tab, plugins_tab, sweep_tab
from faceforge_demos.bringing import MAX_BYTES
from faceforge_demos.model import notice, open_model
from faceforge_demos.page import Page

_files = TemporaryDirectory(prefix="faceforge-studio-")  # what Gradio writes: ours alone, gone with the process
HERE = Path(__file__).parent
WAITING = 64  # requests in the queue; further ones are told to come back
VISITORS = 64  # sessions remembered, each with its photograph
KEPT_SECONDS = 3600
TABS = {
    "Edit": edit_tab.build,
    "Sweep": sweep_tab.build,
    "Generate": generate_tab.build,
    "Evaluate": evaluate_tab.build,
    "Plugins": plugins_tab.build,
}


def build(model: str = WARP) -> gr.Blocks:
    """The whole page; nothing is served yet."""
    forge = open_model(model)
    with gr.Blocks(title="FaceForge studio", analytics_enabled=False, delete_cache=(600, KEPT_SECONDS)) as page:
        gr.Markdown(notice(model, forge), elem_id="notice")
        shared = Page(gr.State(None, time_to_live=KEPT_SECONDS), gr.HTML("", elem_id="banner"), model, forge)
        with gr.Tabs():
            for name, tab in TABS.items():
                with gr.Tab(name):
                    tab(shared)
    return page.queue(max_size=WAITING, default_concurrency_limit=1)


def serve(
    *,
    model: str = WARP,
    host: str = "127.0.0.1",
    port: int = 7860,
    root_path: str = "",
    auth: tuple[str, str] | None = None,
    browser: bool = False,
) -> None:
    """Serve the page until somebody stops it."""
    os.environ["GRADIO_TEMP_DIR"] = _files.name
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # nothing is sent anywhere
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that the files go, as they do after Ctrl-C
    page = build(model)
    page.launch(
        server_name=host,
        server_port=port,
        root_path=root_path or None,
        auth=auth,
        inbrowser=browser,
        share=False,
        ssr_mode=False,
        _frontend=False,  # Gradio's look at its own page, which takes a machine that is busy for 3 s for a closed one
        max_file_size=MAX_BYTES,
        state_session_capacity=VISITORS,
        footer_links=[],
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        css=(HERE / "studio.css").read_text(),
    )


if __name__ == "__main__":
    serve()

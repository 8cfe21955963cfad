"""The Plugins tab: what is loaded, where it attaches, how strong it is, and who allows what."""

from __future__ import annotations

import gradio as gr

from faceforge_demos.loaded import tables
from faceforge_demos.page import Page


def build(page: Page) -> None:
    """A table; nothing here changes while the studio runs."""
    shown: str = tables(page.forge)

    def plugins() -> str:
        return shown

    gr.HTML(shown, elem_id="plugins")
    gr.api(plugins, api_name="plugins")

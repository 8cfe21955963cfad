"""One picture from a wish: what edit and generate have in common."""

from __future__ import annotations

from pathlib import Path

from faceforge.cli.asked import Asked
from faceforge.cli.loading import editor_of
from faceforge.cli.outputs import check_output, tell, tell_about
from faceforge.cli.plan import tell_plan
from faceforge.cli.terminal import Progress
from faceforge.cli.wishes import wish_of
from faceforge.jobs import as_draft
from faceforge.loading import WARP


def make_one(asked: Asked, image: Path | None, output: Path, *, sidecar: bool, sample: bool) -> None:
    """Read everything, load the model, make the picture, write it, say what happened."""
    check_output(output, [image, *(path for _, path in asked.pictures)])
    wish = wish_of(asked, image, sample=sample)
    if asked.dry_run:
        tell_plan(asked, wish, output)
        return
    editor = editor_of(asked, wish.record, default=WARP if sample else "tiny")
    job = as_draft(wish.job()) if asked.draft else wish.job()
    with Progress() as progress:
        result = next(iter(editor.edit_many([job], progress=progress.step)))
    result.save(output, sidecar=sidecar)
    tell(output, result)
    tell_about(editor, asked)

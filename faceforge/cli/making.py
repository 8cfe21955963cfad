"""One picture from a wish: what edit and generate have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from faceforge.cli.asked import Asked
from faceforge.cli.loading import forge_of
from faceforge.cli.outputs import check_output, tell, tell_about
from faceforge.cli.plan import tell_plan
from faceforge.cli.terminal import Progress
from faceforge.cli.wishes import wish_of

if TYPE_CHECKING:
    pass


def make_one(asked: Asked, image: Path | None, output: Path, *, sidecar: bool, sample: bool) -> None:
    """Read everything, load the model, make the picture, write it, say what happened."""
    check_output(output, [image, *(path for _, path in asked.pictures)])
    wish = wish_of(asked, image, sample=sample)
    if asked.dry_run:
        tell_plan(asked, wish, output)
        return
    forge = forge_of(asked, wish.record)
    job = wish.job(wish.spec)
    with Progress() as progress:
        result = next(iter(forge.edit_many([job], progress=progress.step)))
    result.save(output, sidecar=sidecar)
    tell(output, result)
    tell_about(forge, asked)

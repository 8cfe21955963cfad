"""One picture from a wish: what edit and generate have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from faceforge.cli.asked import Asked
from faceforge.cli.loading import forge_of
from faceforge.cli.outputs import check_output, tell, tell_about
from faceforge.cli.plan import tell_plan
from faceforge.cli.terminal import Progress, note
from faceforge.cli.wishes import Wish, wish_of
from faceforge.spec import EditSpec

if TYPE_CHECKING:
    from faceforge import Forge


def make_one(asked: Asked, image: Path | None, output: Path, *, sidecar: bool, sample: bool) -> None:
    """Read everything, load the model, make the picture, write it, say what happened."""
    check_output(output, [image, *(path for _, path in asked.pictures)])
    wish = wish_of(asked, image, sample=sample)
    if asked.dry_run:
        tell_plan(asked, wish, output)
        return
    forge = forge_of(asked, wish.record)
    job = wish.job(spec_for(forge, wish))
    with Progress() as progress:
        result = next(iter(forge.edit_many([job], progress=progress.step)))
    result.save(output, sidecar=sidecar)
    tell(output, result)
    tell_about(forge, asked)


def spec_for(forge: Forge, wish: Wish) -> EditSpec:
    """The spec for this Forge: without a source, plugins that need one are switched off, and that is said."""
    if "source" in wish.pictures:
        return wish.spec
    needing = [name for name, plugin in forge.plugins.items() if "pictures.source" in plugin.manifest.needs]
    silent = {name: 0.0 for name in needing if name not in wish.spec.strength}
    if silent:
        note(f"Without a source picture {', '.join(silent)} has nothing to say, and is left out.")
    return wish.spec.with_(strength={**wish.spec.strength, **silent}) if silent else wish.spec

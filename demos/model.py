"""The model that the studio runs: the warp, of which every visitor has their own, or one Forge for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import faceforge as ff
from faceforge import aus
from faceforge.aligning import plan
from faceforge.core.device import best_device
from faceforge.errors import BadWeights
from faceforge.jobs import Job
from faceforge.loading import WARP
from faceforge.spec import DIRECTIONS

if TYPE_CHECKING:
    from faceforge.forge import Forge


def open_model(name: str) -> Forge | None:
    """A Forge on the fastest device; None for the warp."""
    if name == WARP:
        return None
    forge = ff.load(name)
    if forge.backbone.vae is None:
        raise BadWeights(f"The model {name!r} has no VAE, so it makes latents but no pictures. Use another one.")
    return forge.to(device=best_device())


def units_of(forge: Forge | None) -> tuple[str, ...]:
    """The action units that the model can move; a picture that shows the wish shows any."""
    if forge is None or _sees_the_wish(forge):
        return tuple(aus.UNITS)
    manifests = [plugin.manifest for plugin in forge.plugins.values()]
    able = {aus.unsided(code) for each in manifests if each.aus for code in each.aus.codes}
    return tuple(code for code in aus.UNITS if code in able)


def movable(forge: Forge | None) -> set[str]:
    """Names of the widgets that the model can follow: units, angles and light."""
    posed = {name for name, _, _ in DIRECTIONS} | {"light"} if forge is None or _sees_the_wish(forge) else set()
    return {*units_of(forge), *posed}


def notice(name: str, forge: Forge | None) -> str:
    """Markdown: which model is loaded, and what it cannot do."""
    rule = "Edit only pictures you may edit; every download says that it was AI-edited."
    if forge is None:
        can = "It moves the photograph's own pixels and draws nothing new, so text prompts need another model."
        return f"**FaceForge studio** · model: *{WARP}*. {can} {rule}"
    said = [f"**FaceForge studio** · model: *{name}*.", *forge.notice.splitlines()]
    if not _sees_the_wish(forge):
        said.append("It turns no heads and changes no light.")
        said.append(f"Of action units it moves {', '.join(units_of(forge)) or 'none'}.")
    return " ".join([*said, rule])


def _sees_the_wish(forge: Forge) -> bool:
    """Whether it is shown a picture of what is wanted, whatever its plugins read."""
    return plan(Job("any photograph"), forge.plugins, forge.defaults).shows_the_wish

"""`load`: an editor by name, folder or hub id; the warp comes without waiting for any network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

if TYPE_CHECKING:
    from typing import Any

    from faceforge.face.finding import Finder
    from faceforge.forge import Forge
    from faceforge.warper import Warper

WARP = "warp"


@overload
def load(name: Literal["warp"] | None = None, *, finder: str | Finder | None = None) -> Warper: ...  # type: ignore[overload-overlap]


@overload
def load(name: str | Path, *, base: str = "", plugins: Mapping[str, Path] | None = None, **options: Any) -> Forge: ...


def load(name: str | Path | None = None, **options: Any) -> Warper | Forge:
    """The warp, or a Forge by name ('magicface'), from a saved folder, or from a hub id.

    `finder` names who finds faces in photographs. For a Forge, `base` replaces the published base model of a release:
    a hub id or a folder in diffusers' layout; further options are those of Forge: parity, lora_scales.
    """
    if name is None or name == WARP:
        from faceforge.warper import Warper

        return Warper(**options)
    from faceforge.models import load_forge

    return load_forge(name, **options)

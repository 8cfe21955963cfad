"""Corpora of faces that move, as a user's licensed folders hold them: one row per corpus, one way to read them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from faceforge.errors import BadSpec, nearest

if TYPE_CHECKING:
    from faceforge.mer.corpora.clips import Reading

CORPORA = {
    "casme": "tabled:read_tabled",
    "casme2": "tabled:read_tabled",
    "samm": "tabled:read_tabled",
    "smic": "tabled:read_foldered",
    "fourd": "tabled:read_tabled",
    "mmew": "tabled:read_tabled",
    "casme3a": "tabled:read_tabled",
    "casme3c": "tabled:read_tabled",
    "flow": "flow:read_flow",
    "disfa": "coded:read_coded",
    "bp4d": "coded:read_coded",
}


def read(corpus: str, path: Path | str, labels: Path | None = None, root: Path | None = None) -> Reading:
    """Everything that a folder holds of a corpus; `labels` and `root` name its table and the folder of its clips."""
    if corpus not in CORPORA:
        raise BadSpec(f"No corpus is called {corpus!r}. {nearest(corpus, CORPORA)}")
    module, _, name = CORPORA[corpus].partition(":")
    reader: Callable[..., Reading] = getattr(import_module(f"{__name__}.{module}"), name)
    return reader(corpus, Path(path), labels, root)

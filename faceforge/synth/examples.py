"""Portraits become files in memory: the picture with its provenance, its labels, and exact maps where wanted."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from faceforge import __version__
from faceforge.io.files import sha256
from faceforge.io.provenance import embedding
from faceforge.synth.portrait import Portrait, photograph
from faceforge.synth.sitting import Sitting
from faceforge.synth.wanted import Wanted

DEPTH_STEPS = 100  # per centimetre: the depth map counts tenths of a millimetre

_AT_ONCE = 64  # portraits held in memory, maps and all
_ENCODED: dict[str, tuple[str, dict[str, Any]]] = {
    "png": ("PNG", {}),
    "jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    "webp": ("WEBP", {"lossless": True}),
}


@dataclass(frozen=True)
class Example:
    """One picture of a dataset: what it is called, its labels, and its files by what follows the name."""

    stem: str
    labels: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)


def examples(wanted: Wanted, number: int, device: torch.device | None = None) -> Iterator[Example]:
    """The pictures of the block of seeds that begins with a number."""
    numbers = range(number, min(number + wanted.block, wanted.count))
    sittings = [sitting for each in numbers for sitting in wanted.sittings(each)]
    notes = [note for each in numbers for note in _notes(wanted, each)]
    for first in range(0, len(sittings), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        taken = photograph(sittings[some], wanted.size, device=device)
        for portrait, (stem, note) in zip(taken, notes[some], strict=True):
            labels = {"file_name": f"{stem}.{wanted.picture}", **note, **portrait.labels()}
            files: dict[str, bytes] = {wanted.picture: _picture(portrait, wanted.picture)}
            files |= {f"{name}.png": _map(portrait, name) for name in wanted.maps}
            yield Example(stem, labels, files)


def encoded(image: Image.Image, file_format: str, provenance: Mapping[str, Any], **settings: Any) -> bytes:
    """The bytes of a picture in one of Pillow's formats, marked with where it came from."""
    written = io.BytesIO()
    image.save(written, file_format, **settings, **embedding(file_format, provenance))
    return written.getvalue()


def provenance(**facts: Any) -> dict[str, Any]:
    """What a picture of nobody says about itself."""
    return {"label": "synthetic", "faceforge": __version__, "code": code_hash(), **facts}


@cache
def code_hash() -> str:
    """A digest of the code that draws: while it is the same, so are the pictures of a seed."""
    own = Path(__file__).parent
    files = sorted([*own.glob("*.py"), *own.parent.glob("face3d/**/*.py")])
    return sha256(b"".join(file.read_bytes() for file in files))[:12]


def _notes(wanted: Wanted, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each picture of a seed, and what it is to the others."""
    stems = wanted.stems(number)
    for place, stem in enumerate(stems):
        if wanted.kind == "pairs":
            yield stem, {"partner": f"{stems[1 - place]}.{wanted.picture}"}
        elif wanted.kind == "clips":
            yield stem, {"frame": place, "seconds": round(place / wanted.fps, 6)}
        else:
            yield stem, {}


def _picture(portrait: Portrait, kind: str) -> bytes:
    file_format, settings = _ENCODED[kind]
    return encoded(Image.fromarray(portrait.image), file_format, provenance(**_facts(portrait.sitting)), **settings)


def _facts(sitting: Sitting) -> dict[str, Any]:
    return {"seed": sitting.seed, "identity": sitting.person.seed, "aus": dict(sitting.aus)}


def _map(portrait: Portrait, name: str) -> bytes:
    written = io.BytesIO()
    Image.fromarray(_as_integers(portrait, name)).save(written, "PNG")
    return written.getvalue()


def _as_integers(portrait: Portrait, name: str) -> NDArray[np.unsignedinteger[Any]]:
    """Parts as their index; depth in tenths of a millimetre; normals with -1..1 as 1..255, and 128 for none."""
    if name == "parts":
        return portrait.parts
    if name == "depth":
        return np.round(portrait.depth * DEPTH_STEPS).clip(0, 65535).astype(np.uint16)
    length = np.linalg.norm(portrait.normals, axis=-1, keepdims=True)
    levels: NDArray[np.uint8] = np.round(128 + 127 * portrait.normals / np.maximum(length, 1e-6)).astype(np.uint8)
    return levels

"""Converted heads on disk: tensors in a .safetensors file, and where they came from in it and in a .json beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from faceforge.errors import BadHead, CannotWrite
from faceforge.io.files import replacing, sha256
from faceforge.io.weights import read_tensors, write_tensors

FORMAT = 1
_KEY = "faceforge_head"


def write_head(path: str | Path, kind: str, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Both files of a converted head, or neither."""
    target = Path(path)
    if target.suffix != ".safetensors":
        raise BadHead(f"{str(path)!r} cannot hold a head: its name must end in .safetensors.")
    whole = {"kind": kind, "format": FORMAT, **facts}
    about = target.with_suffix(".json")
    if about.exists() and not _is_ours(about):
        raise CannotWrite(f"{str(about)!r} would be replaced, but FaceForge did not write it. Choose another name.")
    with replacing(about) as beside:
        beside.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        write_tensors(target, tensors, {_KEY: json.dumps(whole)})


def read_head(path: str | Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the facts of a converted head of one kind."""
    facts = facts_of(path)
    if facts is None or facts.get("kind") != kind:
        found = f"one of kind {facts.get('kind')!r}" if facts else "something else"
        raise BadHead(f"{str(path)!r} holds {found}, expected a head of kind {kind!r}, as `faceforge convert` writes.")
    if facts.get("format") != FORMAT:
        raise BadHead(
            f"{str(path)!r} has format {facts.get('format')!r}, expected {FORMAT}. Convert its sources again."
        )
    return read_tensors(path), facts


def facts_of(path: str | Path) -> dict[str, Any] | None:
    """What a converted head says about itself; None for any other file."""
    text = metadata(path).get(_KEY)
    try:
        facts = None if text is None else json.loads(text)
    except ValueError as reason:
        raise BadHead(f"{str(path)!r} is damaged: what it says about itself cannot be read. Convert again.") from reason
    return facts if isinstance(facts, dict) else None


def metadata(path: str | Path) -> dict[str, str]:
    """The words in the header of a .safetensors file; none for a file of another kind."""
    from safetensors import SafetensorError, safe_open

    if Path(path).suffix != ".safetensors" or not Path(path).is_file():
        return {}
    try:
        with safe_open(str(path), "pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as reason:
        raise BadHead(f"{str(path)!r} is cut off or damaged ({reason}). Convert its sources again.") from reason


def _is_ours(about: Path) -> bool:
    try:
        content = json.loads(about.read_bytes())
    except (ValueError, OSError, RecursionError):
        return False
    return isinstance(content, dict) and {"kind", "format", "licence_note"} <= content.keys()


def sources(files: list[Path]) -> list[dict[str, str]]:
    """Name and SHA-256 of each file that a head was made from."""
    return [{"name": file.name, "sha256": sha256(file)} for file in files]

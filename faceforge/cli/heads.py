"""Head models that `faceforge convert` brings into one file: licensed ones that users have, and open ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from faceforge.errors import BadSpec

if TYPE_CHECKING:
    from faceforge.face3d.linear import LinearHead


def _flame(sources: tuple[Path, ...], output: Path, note: str, parts: tuple[str, ...]) -> LinearHead:
    from faceforge.face3d.flame import convert_flame

    if parts:
        raise BadSpec("FLAME is converted whole. Leave out --part.")
    return convert_flame(sources, output, note)


def _ict(sources: tuple[Path, ...], output: Path, note: str, parts: tuple[str, ...]) -> LinearHead:
    from faceforge.face3d.ict import LICENCE, convert_ict

    if len(sources) != 1:
        raise BadSpec(f"ICT-FaceKit is one folder, but {len(sources)} paths are given. Give its folder alone.")
    return convert_ict(sources[0], output, note or LICENCE, parts=parts)


HEADS: dict[str, Callable[[tuple[Path, ...], Path, str, tuple[str, ...]], LinearHead]] = {"flame": _flame, "ict": _ict}


def convert_head(kind: str, sources: tuple[Path, ...], output: Path, note: str, parts: tuple[str, ...]) -> None:
    """Write the head and say what it holds."""
    from faceforge.cli.terminal import spare_processor

    spare_processor()
    head = HEADS[kind](sources, output, note, parts)
    click.echo(output)
    click.echo(
        f"{kind}: {len(head.template)} vertices, {len(head.faces)} faces, {len(head.identity)} identity and "
        f"{len(head.expression)} expression shapes, parts {', '.join(head.parts)}"
    )
    click.echo(f"licence: {head.facts['licence_note']}")

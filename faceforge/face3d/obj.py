"""The few lines of Wavefront .obj files that heads need: places of vertices, texture coordinates, and faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceforge.errors import BadHead
from faceforge.io.files import existing_file

_LARGEST = 64 << 20


@dataclass(frozen=True)
class Mesh:
    """Triangles (F, 3) over vertices (V, 3), and over texture coordinates (T, 2) of their own where there are any."""

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    uv: NDArray[np.float64]
    uv_faces: NDArray[np.int64]


def read_vertices(path: str | Path) -> NDArray[np.float64]:
    """Only the vertices of an .obj file, (V, 3)."""
    return _numbers(_lines(path), b"v ", 3, path)


def read_mesh(path: str | Path) -> Mesh:
    """Vertices, texture coordinates and triangles of an .obj file; a quad becomes two triangles."""
    lines = _lines(path)
    vertices, uv = _numbers(lines, b"v ", 3, path), _numbers(lines, b"vt ", 2, path)
    corners = [_corners(line, path) for line in lines if line.startswith(b"f ")]
    triangles = [face[pick] for face in corners for pick in _fan(len(face))]
    both = np.array(triangles, np.int64).reshape(-1, 3, 2) - 1
    for kind, indices, count in (
        ("vertex", both[..., 0], len(vertices)),
        ("texture coordinate", both[..., 1], len(uv)),
    ):
        if indices.size and indices.max() >= count:
            raise BadHead(f"A face of {str(path)!r} names {kind} {indices.max() + 1}, but there are {count}.")
    if (both[..., 0] < 0).any() or ((both[..., 1] < 0).any() and len(uv)):
        raise BadHead(f"{str(path)!r} has faces with missing or relative indices. Export it with absolute ones.")
    return Mesh(vertices, both[..., 0], uv, both[..., 1])


def _lines(path: str | Path) -> list[bytes]:
    file = existing_file(path, BadHead)
    try:
        if file.stat().st_size > _LARGEST:
            raise BadHead(f"{str(path)!r} has more than {_LARGEST >> 20} MB. Check that it is the right file.")
        return file.read_bytes().split(b"\n")
    except OSError as reason:
        raise BadHead(f"Cannot read {str(path)!r}: {reason.strerror}. Check its permissions.") from reason


def _numbers(lines: list[bytes], start: bytes, width: int, path: str | Path) -> NDArray[np.float64]:
    chosen = [line[len(start) :] for line in lines if line.startswith(start)]
    words = b" ".join(chosen).split()
    try:
        numbers = np.array(words, np.float64).reshape(len(chosen), -1)[:, :width] if chosen else np.zeros((0, width))
    except ValueError as reason:
        raise BadHead(
            f"A line {start.decode()!r} of {str(path)!r} is no row of numbers. Download it again."
        ) from reason
    if numbers.shape[1] != width or not np.isfinite(numbers).all():
        raise BadHead(f"The lines {start.decode()!r} of {str(path)!r} are not {width} finite numbers each.")
    return numbers


def _corners(line: bytes, path: str | Path) -> NDArray[np.int64]:
    """The corners of a face as rows of vertex and texture coordinate, 0 where there is none."""
    try:
        words = [(*corner.split(b"/"), b"")[:2] for corner in line.split()[1:]]
        return np.array([[int(vertex), int(uv or 0)] for vertex, uv in words], np.int64).reshape(-1, 2)
    except (ValueError, OverflowError) as reason:
        raise BadHead(f"A face of {str(path)!r} reads {line[:60]!r}, expected f 1/1 2/2 3/3.") from reason


def _fan(corners: int) -> list[list[int]]:
    """The triangles of a polygon around its first corner."""
    return [[0, corner, corner + 1] for corner in range(1, corners - 1)]

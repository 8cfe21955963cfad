"""A run's lines in a file, written one by one, so that a run that was killed can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from faceforge.errors import CannotWrite


class Journal:
    """First what the run is, then what came of it; a file of another run is refused."""

    def __init__(self, path: Path, run: Mapping[str, Any], what: str = "evaluation") -> None:
        self.path, self.what = path, what
        self.lines: list[dict[str, Any]] = self._read(run)

    def add(self, line: Mapping[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
        self.lines.append(dict(line))

    def _read(self, run: Mapping[str, Any]) -> list[dict[str, Any]]:
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True) if self.path.exists() else []
        whole = [line for line in lines if line.endswith("\n")]  # a run that was killed may leave half a line
        if not whole:
            self.path.write_text(json.dumps(run) + "\n", encoding="utf-8")
            return []
        if json.loads(whole[0]) != run:
            raise CannotWrite(
                f"{str(self.path.parent)!r} holds another {self.what}. "
                f"Choose a new folder, or delete it to start again."
            )
        self.path.write_text("".join(whole), encoding="utf-8")
        return [json.loads(line) for line in whole[1:]]

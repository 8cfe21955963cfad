"""Recorded cases of micro-expressions: networks, features, scores and protocols share one folder."""

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.parity.golden import FOLDER, Case

MER = FOLDER / "mer"


def named(*systems: str, suffix: str = ".json") -> pytest.MarkDecorator:
    """Runs a test on every recorded case of some systems; the folder holds others too."""
    starts = tuple(f"{system}_" for system in systems)
    paths = sorted(path for path in MER.glob(f"*{suffix}") if path.stem.startswith(starts))
    found: list[Any] = [pytest.param(path, id=path.stem) for path in paths]
    if not found:
        reason = f"no golden cases of {', '.join(systems)} (set FACEFORGE_GOLDEN_DIR)"
        found = [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]
    return pytest.mark.parametrize("case", found, indirect=True, scope="module")


def read(path: Path) -> Case:
    """A case that may lack its facts or its tensors."""
    facts, tensors = path.with_suffix(".json"), path.with_suffix(".safetensors")
    return Case(
        path.stem,
        json.loads(facts.read_text()) if facts.exists() else {},
        load_file(tensors) if tensors.exists() else {},
        path.parent,
    )

"""Golden cases recorded from the reference implementations, found by their .json files."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

FOLDER = Path(os.environ.get("FACEFORGE_GOLDEN_DIR", "../shared/golden"))


@dataclass(frozen=True)
class Case:
    """One recorded case: its facts, its tensors, and the folder beside it."""

    name: str
    facts: dict[str, Any]
    tensors: dict[str, Tensor]
    folder: Path

    def weights(self, prefix: str) -> dict[str, Tensor]:
        return {key.removeprefix(prefix): value for key, value in self.tensors.items() if key.startswith(prefix)}

    def images(self, key: str) -> list[Image.Image]:
        return [Image.fromarray(each.permute(1, 2, 0).numpy()) for each in self.tensors[key]]

    def __getitem__(self, key: str) -> Tensor:
        return self.tensors[key]


def cases(system: str, recorded: str = "") -> pytest.MarkDecorator:
    """Runs a test on every case of a system that recorded such tensors; skips it where the recordings are absent."""
    paths = sorted((FOLDER / system).glob("*.json"))
    found = [pytest.param(path, id=path.stem) for path in paths if not recorded or _has(path, recorded)]
    if not paths:
        reason = f"no golden cases in {system}/ (set FACEFORGE_GOLDEN_DIR)"
        found = [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]
    return pytest.mark.parametrize("case", found, indirect=True, scope="module")


def _has(path: Path, prefix: str) -> bool:
    with safe_open(path.with_suffix(".safetensors"), "pt") as file:
        return any(key.startswith(prefix) for key in file.keys())  # noqa: SIM118


def read(path: Path) -> Case:
    return Case(path.stem, json.loads(path.read_text()), load_file(path.with_suffix(".safetensors")), path.parent)


def close(found: Tensor, expected: Tensor, atol: float) -> None:
    """Largest absolute difference within the written tolerance."""
    assert found.shape == expected.shape
    difference = float((found - expected).abs().max())
    assert difference <= atol, f"{difference:.2e} > {atol:.0e}"


def relatively_close(found: Tensor, expected: Tensor, rtol: float) -> None:
    """Largest difference within a share of the largest expected value."""
    assert found.shape == expected.shape
    difference, allowed = float((found - expected).abs().max()), rtol * float(expected.abs().max())
    assert difference <= allowed, f"{difference:.2e} > {allowed:.2e}"


def aus_of(row: Tensor, codes: tuple[str, ...]) -> dict[str, float]:
    return {code: float(value) for code, value in zip(codes, row, strict=True)}


def prompts(positive: Tensor, negative: Tensor | None = None) -> list[dict[str, Tensor]]:
    """Recorded text embeddings as the vectors of one job per row."""
    if negative is None:
        return [{"prompt": row} for row in positive]
    return [{"prompt": row, "negative_prompt": other} for row, other in zip(positive, negative, strict=True)]

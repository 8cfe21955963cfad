"""What the options that edit, sweep and generate share have said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceforge.cli.values import Strength


@dataclass(frozen=True)
class Asked:
    """The shared options by name; None, empty and false mean that nothing was said."""

    au: tuple[str, ...]
    preset: tuple[tuple[str, float], ...]
    yaw: float | None
    pitch: float | None
    roll: float | None
    gaze: tuple[float, float] | None
    light: str | tuple[float, float] | None
    face: int | str | None
    prompt: str | None
    negative_prompt: str | None
    measured: tuple[tuple[str, float], ...]
    pictures: tuple[tuple[str, Path], ...]
    vectors: tuple[tuple[str, Path], ...]
    settings: tuple[tuple[str, str, str], ...]
    strength: tuple[tuple[str, Strength], ...]
    repeat: Path | None
    seed: int | None
    steps: int | None
    guidance: float | None
    size: int | tuple[int, int] | None
    start: str | None
    start_at: float | None
    draft: bool
    model: str | None
    finder: str | None
    base: str
    plugins: tuple[str, ...]
    lora_scale: tuple[tuple[str, float], ...]
    parity: bool
    commercial: bool
    device: str | None
    dtype: str | None
    low_memory: bool
    dry_run: bool
    verbose: bool

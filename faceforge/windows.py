"""Windows: how a clip longer than a network sees at once is cut, and how overlapping predictions are blended."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from faceforge.core.temporal import Window


class Windows(BaseModel):
    """Windows of `length` frames; neighbours share at least `overlap` of them.

    With `loop` the last window goes on with the first frames, as for a clip that is played in a circle; without it
    windows are spread evenly and end with the clip. Where they overlap, 'flat' counts their predictions equally and
    'ramp' the less the nearer a frame is to its window's end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    length: int = Field(default=12, ge=1)
    overlap: int = Field(default=4, ge=0)
    loop: bool = False
    blend: Literal["flat", "ramp"] = "ramp"

    @model_validator(mode="after")
    def _goes_on(self) -> Windows:
        if self.overlap >= self.length:
            raise ValueError(f"windows of {self.length} frames cannot overlap by {self.overlap}; give fewer")
        return self

    def over(self, frames: int) -> list[Window]:
        """Every window of a clip, all of one length; a clip that fits is one window."""
        length = min(self.length, frames)
        starts = [0] if frames <= self.length else self._starts(frames)
        weights = tuple(1.0 if self.blend == "flat" else float(min(n + 1, length - n)) for n in range(length))
        return [Window(tuple((start + n) % frames for n in range(length)), weights) for start in starts]

    def _starts(self, frames: int) -> list[int]:
        advance = self.length - self.overlap
        if self.loop:
            return list(range(0, frames, advance))
        later = -(-(frames - self.length) // advance)
        return [number * (frames - self.length) // later for number in range(later + 1)]


RELEASED = Windows(overlap=1, loop=True, blend="flat")  # as MagicPortrait cuts every clip

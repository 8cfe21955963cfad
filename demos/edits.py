"""One finished edit of a visitor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from faceforge.io.pictures import fit
from faceforge.loading import WARP
from faceforge.result import Result
from faceforge.spec import EditSpec
from faceforge_demos.measuring import Measured

Values = Mapping[str, Any]  # how widgets stand, by their name in a wish


@dataclass(frozen=True)
class Edit:
    """One finished edit: how the widgets stood, the wish, and what came of it."""

    values: Values
    spec: EditSpec
    result: Result
    measured: Measured | None = None  # also where no judge could look
    model: str = WARP
    is_source: bool = False

    @property
    def picture(self) -> Image.Image:
        assert self.result.image is not None, "a model without pictures is refused"
        return self.result.image

    @property
    def before(self) -> Image.Image:
        """What was edited, in the size of the picture that came of it."""
        assert self.result.source is not None, "the studio edits photographs"
        return fit(self.result.source, *self.picture.size)

    @property
    def notes(self) -> tuple[str, ...]:
        return () if self.is_source else self.result.notes

    @property
    def brief(self) -> str:
        """What was asked, short enough for a thumbnail."""
        said = [f"{code} {value:+g}" for code, value in self.spec.aus.items()]
        said += [name.removesuffix("_deg").replace("_", " ") for name in self.spec.model_fields_set if name != "aus"]
        return ", ".join(said) or "the photograph"

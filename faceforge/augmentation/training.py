"""The plan inside a training: a transform of single pictures, and a function for `datasets.map`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from faceforge.augmentation.blocks import Block, Source
from faceforge.augmentation.conditions import Labels
from faceforge.augmentation.items import Item
from faceforge.augmentation.making import Maker
from faceforge.augmentation.plan import Plan
from faceforge.augmentation.records import Record, as_plan, made
from faceforge.augmentation.report import Report
from faceforge.augmentation.rows import columns
from faceforge.augmentation.running import maker
from faceforge.errors import BadPicture
from faceforge.io.pictures import Picture, read_picture
from faceforge.synth.draws import Draws

_SEEDS = 2**31


class _Planned:
    """A plan whose editor is loaded with the first picture, so that what carries it can go to other processes."""

    def __init__(self, plan: Plan | Mapping[str, Any] | str | Path, *, device: str = "") -> None:
        self.plan, self.device = as_plan(plan), device

    @cached_property
    def _maker(self) -> Maker:
        return maker(self.plan, self.device)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_maker"}

    def _source(self, number: int, key: str, picture: Picture, labels: Labels) -> Source:
        """One source whose bins are drawn by chance, for nobody knows how many there are."""
        draws = [Draws(self.plan.seed, key, str(variant), "bins") for variant in range(self.plan.variants)]
        bins = [self.plan.chance_bins(each) for each in draws]
        return Source(number, Item(key, picture, labels), bins, dict.fromkeys(self.plan.targets, ""))


class Transform(_Planned):
    """Edits a picture now and then: another edit at every call, drawn by torch's own random numbers.

    A picture that cannot be edited, or whose edit fails the gates, comes back as it was; `report` says how often.
    """

    def __init__(
        self, plan: Plan | Mapping[str, Any] | str | Path, *, probability: float = 1.0, device: str = ""
    ) -> None:
        given = as_plan(plan)
        alone = given.output.model_copy(update={"sources": False})
        super().__init__(given.model_copy(update={"variants": 1, "output": alone}), device=device)
        self.probability, self.report = probability, Report()

    def __call__(self, image: Image.Image | NDArray[np.uint8]) -> Image.Image | NDArray[np.uint8]:
        """The edited picture, of the same kind as the one given: a Pillow image, or uint8 (H, W, 3)."""
        record = self.record(image)
        if record is None:
            return image
        return record.image if isinstance(image, Image.Image) else np.asarray(record.image)

    def record(self, image: Image.Image | NDArray[np.uint8], labels: Labels | None = None) -> Record | None:
        """The edited picture with its labels; None where the picture stays as it is."""
        chance, number = torch.rand(()).item(), int(torch.randint(_SEEDS, ()).item())
        if chance >= self.probability:
            return None
        picture, report = read_picture(image), Report()
        source = self._source(number, f"{picture.sha256}/{number}", picture, labels or {})
        found = made(self._maker, Block(0, [source]), report)
        self.report.add(report)
        return found[0] if found else None


class Mapper(_Planned):
    """What `datasets.map` makes a dataset larger with: every row becomes its variants.

    `dataset.map(Mapper(plan), batched=True, with_indices=True, batch_size=16, remove_columns=dataset.column_names)`
    """

    def __init__(self, plan: Plan | Mapping[str, Any] | str | Path, *, image: str = "image", device: str = "") -> None:
        super().__init__(plan, device=device)
        self.column = image

    def __call__(self, batch: Mapping[str, Sequence[Any]], indices: Sequence[int]) -> dict[str, list[Any]]:
        """Columns of pictures and labels; pictures that cannot be edited get no rows, and a warning."""
        report = Report()
        sources = [self._of_row(batch, place, number, report) for place, number in enumerate(indices)]
        records = made(self._maker, Block(0, [each for each in sources if each]), report)
        if report.rejected or report.quarantined:
            warnings.warn(report.describe(), stacklevel=2)
        rows = [{**record.labels, self.column: record.image} for record in records]
        return {name: [row[name] for row in rows] for name in (self.column, *columns(self.plan))}

    def _of_row(self, batch: Mapping[str, Sequence[Any]], place: int, number: int, report: Report) -> Source | None:
        labels = {name: column[place] for name, column in batch.items() if name != self.column}
        try:
            picture = replace(read_picture(batch[self.column][place]), name=f"row {number}")
        except BadPicture as reason:
            report.quarantined.append({"source": str(number), "reason": str(reason)})
            return None
        return self._source(number, str(number), picture, labels)

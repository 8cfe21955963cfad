"""What every editor offers: jobs in, results out, and the one-liners around it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from faceforge.core.device import HOST
from faceforge.jobs import Job, PictureLike, opened
from faceforge.result import Result
from faceforge.spec import EditSpec

if TYPE_CHECKING:
    from faceforge.core.loop import Step

WATCHES = ("progress", "cancelled", "batch_size")


class Editor(ABC):
    """Turns jobs into pictures: by moving a photograph's own pixels, or with a denoising network."""

    name: str
    notice: str = ""  # what users should know of every picture it makes

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return HOST

    @abstractmethod
    def edit_many(
        self,
        jobs: Iterable[Job],
        *,
        batch_size: int = 4,
        progress: Callable[[Step], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Result]:
        """Results in the order of the jobs."""

    def clear(self) -> None:  # noqa: B027 - most remember nothing that rounds differently
        """Drop what earlier edits left for later ones, so that the next one comes out as a first one would."""

    def edit(self, image: PictureLike, spec: EditSpec | None = None, **fields: Any) -> Result:
        """One edited face. Fields of the spec may be given by name: `edit("ada.png", aus={"AU12": 2}, seed=7)`.

        Further names: pictures, vectors, measured, latents (see Job), progress(Step) and cancelled() -> bool.
        """
        return self._one(image, spec, fields)

    def generate(self, spec: EditSpec | None = None, **fields: Any) -> Result:
        """A new face from text and action units, without a source; takes the same names as `edit`."""
        return self._one(None, spec, fields)

    def sweep(self, image: PictureLike | None, *, au: str, values: Iterable[float], **fields: Any) -> Iterator[Result]:
        """One face at several intensities of one action unit; the face itself is read once."""
        watch = {name: fields.pop(name) for name in WATCHES if name in fields}
        job = Job.of(None if image is None else opened(image), None, fields)
        specs = [job.spec.with_(aus={**job.spec.aus, au: value}) for value in values]
        return self.edit_many([replace(job, spec=spec) for spec in specs], **watch)

    def _one(self, image: PictureLike | None, spec: EditSpec | None, fields: dict[str, Any]) -> Result:
        watch = {name: fields.pop(name) for name in WATCHES if name in fields}
        return next(iter(self.edit_many([Job.of(image, spec, fields)], **watch)))

"""The editor that needs no generator: it moves a photograph's own pixels as a fitted head moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

from faceforge.editor import Editor
from faceforge.errors import BadSpec, Cancelled
from faceforge.face.finding import Finder
from faceforge.face3d.embedded.model import EmbeddedHead
from faceforge.jobs import Job, generative, opened
from faceforge.reading import Reader
from faceforge.result import Result
from faceforge.spec import EditSpec
from faceforge.warp.plate import Plate
from faceforge.warp.warp import warp

if TYPE_CHECKING:
    from faceforge.core.loop import Step


class Warper(Editor):
    """Edits photographs without any weights of a generator; what a photograph cannot know it fills in plainly."""

    name = "warp"

    def __init__(self, *, finder: str | Finder | None = None) -> None:
        self.reader = Reader(finder)
        self.head = EmbeddedHead()

    def edit_many(
        self,
        jobs: Iterable[Job],
        *,
        batch_size: int = 1,
        progress: Callable[[Step], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Result]:
        """Results in the order of the jobs; a photograph is analysed once, however many edits follow."""
        for job in jobs:
            if cancelled is not None and cancelled():
                raise Cancelled("Stopped before the next picture, as asked; nothing of it was written.")
            yield self._edited(job)

    def _edited(self, job: Job) -> Result:
        refuse_what_needs_a_generator(job)
        pictures = {"source": opened(_source(job)), **{name: opened(each) for name, each in job.pictures.items()}}
        photograph = self.reader.read(pictures["source"])
        readings = photograph.readings(job.spec.face)
        began = time.perf_counter()
        pixels, notes = photograph.pixels, list(photograph.notes(job.spec.face))
        alpha = photograph.alpha
        for reading in readings:
            first = pixels is photograph.pixels
            plate = photograph.plate(reading) if first else Plate(pixels, reading.fit, self.head)
            wanted = self.reader.target(job.spec, reading, pictures, self.head)
            warped = warp(plate, wanted)
            pixels, alpha = warped.picture, None if alpha is None else warped.carried(alpha)
            notes += wanted.notes
        seconds = {**photograph.seconds, "warp": time.perf_counter() - began}
        history = provenance(job.spec, pictures, [each.face.backend for each in readings])
        edited = photograph.edited(pixels, alpha)
        return Result(
            image=edited.image,
            spec=job.spec,
            latents=None,
            seconds=seconds,
            provenance=history,
            notes=tuple(dict.fromkeys(notes)),
            source=pictures["source"].image,
            own=edited.own,
        )


def refuse_what_needs_a_generator(job: Job) -> None:
    """The warp draws nothing: say which wish it cannot grant, and who could."""
    asked = generative(job)
    if asked:
        raise BadSpec(
            f"{asked[0]} needs a generator, and the warp has none. Load a model that generates "
            f"(magicface, rigface, fineface, or your own folder), or leave it out."
        )


def _source(job: Job) -> Any:
    if job.image is None:
        raise BadSpec("The warp edits a photograph and was given none. Give one, or load a model that generates.")
    return job.image


class Named(Protocol):
    """A picture or a video that an edit is made of."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str: ...


def provenance(spec: EditSpec, pictures: Mapping[str, Named], finders: Sequence[str]) -> dict[str, Any]:
    """Enough to say what the warp made of what, and to make it again; `finders` found the faces."""
    return {
        "label": "AI-edited",
        "spec": spec.model_dump(mode="json", exclude_defaults=True),
        "pictures": {name: {"name": each.name, "sha256": each.sha256} for name, each in pictures.items()},
        "model": {"name": Warper.name, "head": "embedded", "finder": list(finders)},
        "plugins": [],
        "versions": {package: version(package) for package in ("faceforge", "torch")},
    }

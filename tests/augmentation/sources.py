"""Small faces to augment, and plans for them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

from faceforge.augmentation.plan import Plan
from faceforge.editor import Editor
from faceforge.errors import NoFace
from faceforge.jobs import Job, opened
from faceforge.result import Result
from faceforge.synth import portrait

SIDE = 96


@cache
def face(seed: int) -> Image.Image:
    """A neutral person from the front."""
    held: dict[str, Any] = {"aus": {}, "yaw_deg": 0.0, "pitch_deg": 0.0, "roll_deg": 0.0, "occluder": None}
    return Image.fromarray(portrait(seed, size=SIDE, **held).image)


def faces(folder: Path, count: int = 2) -> Path:
    """A folder of such people."""
    folder.mkdir(parents=True)
    for seed in range(count):
        face(1000 + seed).save(folder / f"p{seed}.png")
    return folder


def plan(folder: Path, **more: Any) -> Plan:
    """Two smiles of everybody in a folder, through whichever editor."""
    smile = {"edit": {"aus": {"AU12": {"uniform": [1.0, 3.0]}}}}
    return Plan.of({"input": {"folder": str(folder)}, "variants": 2, **smile, **more})


class Roller(Editor):
    """An editor that needs no face: it rolls a picture by its seed; pictures that are all black it calls faceless."""

    name = "roller"

    def edit_many(self, jobs: Any, **_: Any) -> Iterator[Result]:
        for job in jobs:
            yield self._rolled(job)

    def _rolled(self, job: Job) -> Result:
        assert job.image is not None
        source = opened(job.image)
        if not source.image.getbbox():
            raise NoFace("No face was found in this picture.")
        told = {"label": "AI-edited", "model": {"name": self.name}, "plugins": []}
        image = ImageChops.offset(source.image, job.spec.seed % 31, 3)
        return Result(image, job.spec, None, {}, told, source=source.image)


def noise(folder: Path, count: int) -> Path:
    """Pictures without faces, of two sizes."""
    folder.mkdir(parents=True)
    for number in range(count):
        Image.effect_noise((24 + number % 2, 24), 60).save(folder / f"n{number:02d}.png")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

"""Readers of labelled frames: pairs of one person, cut and prepared once as edits of photographs are.

As the papers have it, identity comes from the one frame, background and pose from the other, which is to be made.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from faceforge.aligning import on_size
from faceforge.aus import vector
from faceforge.face.attributes import attribute_picture
from faceforge.face.crops import face_crop
from faceforge.face.finding import Finder, find_faces, named_finder
from faceforge.io.files import replacing, sha256
from faceforge.io.pictures import read_picture
from faceforge.jobs import to_tensor
from faceforge_training.draws import of_step
from faceforge_training.edits import UNITS
from faceforge_training.errors import BadRecipe
from faceforge_training.labels import Frame, frames

_CAPTION = "a photo of a person"


def frame_pairs(
    folder: str,
    prepared: str,
    *,
    layout: Literal["table", "csv", "disfa"] = "table",
    pixels: PositiveInt = 512,
    batch: PositiveInt = 4,
    seed: NonNegativeInt = 0,
    finder: str = "embedded",
) -> "Pairs":
    """What an editor learns from frames of a folder; crops are kept in `prepared`."""
    return Pairs(ready(folder, prepared, layout, pixels, finder), batch, seed)


def frame_portraits(
    folder: str,
    prepared: str,
    *,
    layout: Literal["table", "csv", "disfa"] = "table",
    pixels: PositiveInt = 512,
    batch: PositiveInt = 4,
    seed: NonNegativeInt = 0,
    finder: str = "embedded",
) -> "Portraits":
    """What text-to-face with action units learns from the same frames, one at a time."""
    return Portraits(ready(folder, prepared, layout, pixels, finder), batch, seed)


@dataclass(frozen=True)
class Prepared:
    """A frame with the files that were made of it."""

    frame: Frame
    crop: Path
    background: Path

    @property
    def aus(self) -> Tensor:
        return torch.tensor(vector(self.frame.aus, UNITS))


@dataclass(frozen=True, eq=False)
class Pairs:
    """Batches of two different frames of one person."""

    known: Sequence[Prepared]
    size: int
    seed: int

    def batch(self, step: int) -> dict[str, Any]:
        """`picture`, to be made; `picture.source`, `picture.background`, `aus` as changes, `measured`, `prompts`."""
        drawn = of_step(self.seed, step)
        people = defaultdict(list)
        for each in self.known:
            people[each.frame.person].append(each)
        several = [some for some in people.values() if len(some) > 1]
        sources, targets = [], []
        for _ in range(self.size):
            some = several[int(torch.randint(len(several), (1,), generator=drawn))]
            first, second = torch.randperm(len(some), generator=drawn)[:2].tolist()
            sources.append(some[first])
            targets.append(some[second])
        measured = torch.stack([each.aus for each in sources])
        return {
            "picture": _read(each.crop for each in targets),
            "picture.source": _read(each.crop for each in sources),
            "picture.background": _read(each.background for each in targets),
            "aus": torch.stack([each.aus for each in targets]) - measured,
            "measured": measured,
            "prompts": [_CAPTION] * self.size,
        }


@dataclass(frozen=True, eq=False)
class Portraits:
    """Batches of single frames."""

    known: Sequence[Prepared]
    size: int
    seed: int

    def batch(self, step: int) -> dict[str, Any]:
        """`picture`, `prompts`, and `aus` as intensities."""
        drawn = of_step(self.seed, step)
        some = [self.known[n] for n in torch.randint(len(self.known), (self.size,), generator=drawn).tolist()]
        return {
            "picture": _read(each.crop for each in some),
            "aus": torch.stack([each.aus for each in some]),
            "prompts": [each.frame.caption or _CAPTION for each in some],
        }


def ready(folder: str, prepared: str, layout: str, pixels: int, finder: str) -> list[Prepared]:
    """Every frame in which a face is found, with its crop and its background; what is there is not made again."""
    place, looking = Path(prepared).expanduser(), named_finder(finder)
    place.mkdir(parents=True, exist_ok=True)
    found = [_prepared(each, place, pixels, looking) for each in frames(Path(folder).expanduser(), layout)]
    kept = [each for each in found if each is not None]
    people = [each.frame.person for each in kept]
    if len(people) == len(set(people)):
        raise BadRecipe(f"data.folder={folder!r}: faces were found in {len(kept)} frames, never in two of one person.")
    return kept


def _prepared(frame: Frame, place: Path, pixels: int, finder: Finder) -> Prepared | None:
    name = sha256(f"{frame.picture.resolve()} {pixels} {finder.name}".encode())[:16]
    files = Prepared(frame, place / f"{name}.png", place / f"{name}-background.png")
    nobody = place / f"{name}.none"
    if files.background.exists():
        return files
    if nobody.exists():
        return None
    image = read_picture(frame.picture).image
    faces = find_faces(image, backend=finder)
    if not faces:
        nobody.touch()
        return None
    crop = on_size(face_crop(faces[0]), (pixels, pixels))
    cut = crop.cut(image)
    _write(cut, files.crop)
    _write(
        attribute_picture(cut, crop.to_crop(faces[0].landmarks)), files.background
    )  # last: it says that both are there
    return files


def _write(image: Image.Image, file: Path) -> None:
    with replacing(file) as temporary:
        image.save(temporary, "PNG")


def _read(files: Any) -> Tensor:
    return torch.stack([to_tensor(Image.fromarray(np.asarray(Image.open(file)))) for file in files])

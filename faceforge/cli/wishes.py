"""From options to a wish: the spec and the files it needs, all read and checked before any model is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faceforge import aus
from faceforge.cli.asked import Asked
from faceforge.cli.fields import by_unit, spec_fields
from faceforge.cli.repeat import SAMPLE, Record, find_picture, read_record
from faceforge.cli.values import once
from faceforge.errors import BadSpec
from faceforge.io.files import existing_file
from faceforge.io.pictures import Picture, read_picture
from faceforge.spec import EditSpec

if TYPE_CHECKING:
    from faceforge import Job


@dataclass(frozen=True)
class Wish:
    """One edit as asked for on the command line; `record` is what `--from` found."""

    spec: EditSpec
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    vectors: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, float] | None = None
    record: Record | None = None

    def job(self, spec: EditSpec | None = None) -> Job:
        """The same for a Forge, with another spec if one is given."""
        from faceforge import Job

        others = {name: each for name, each in self.pictures.items() if name != "source"}
        source = self.pictures.get("source")
        return Job(source, spec or self.spec, pictures=others, vectors=self.vectors, measured=self.measured)


def wish_of(asked: Asked, image: Path | None, *, sample: bool) -> Wish:
    """Everything that was asked; without an image the recorded one is used, or the sample if that is allowed."""
    record = read_record(asked.repeat) if asked.repeat else None
    begun = EditSpec(**record.spec) if record else EditSpec()
    pictures = once(asked.pictures, "--picture") | ({"source": image} if image else {})
    vectors = once(asked.vectors, "--vector")
    measured = aus.checked(by_unit(asked.measured, "--measured")) or None
    if record is not None and asked.repeat is not None:
        pictures = _recorded(record, asked.repeat, pictures)
        measured = measured or record.measured or None
        _check_vectors(record, vectors)
    elif sample:
        pictures.setdefault("source", SAMPLE)
    return Wish(
        begun.with_(**spec_fields(asked)),
        {name: read_picture(path) for name, path in pictures.items()},
        {name: read_vector(path) for name, path in vectors.items()},
        measured,
        record,
    )


def read_vector(path: Path) -> Any:
    """The numbers in a .npy file, or the one tensor in a weights file; nothing in either is executed."""
    if path.suffix.lower() != ".npy":
        from faceforge.io.weights import read_tensors

        tensors = read_tensors(path)
        if len(tensors) != 1:
            raise BadSpec(f"{str(path)!r} holds {len(tensors)} tensors. A vector is a file with exactly one.")
        return next(iter(tensors.values()))
    import numpy as np

    try:
        found = np.load(existing_file(path, BadSpec), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadSpec(f"{str(path)!r} is not a plain .npy file ({error}). Save it with numpy.save.") from None
    if found.dtype.kind not in "fiu":
        raise BadSpec(f"{str(path)!r} holds {found.dtype}, expected numbers. Save a float array with numpy.save.")
    return found


def _recorded(record: Record, beside: Path, given: Mapping[str, Path]) -> dict[str, Path]:
    """The recorded pictures, found again, except where the command line gives others."""
    found = {name: find_picture(name, each, beside) for name, each in record.pictures.items() if name not in given}
    return {**found, **given}


def _check_vectors(record: Record, given: Mapping[str, Path]) -> None:
    """Vectors have no file name to look for, so they have to be given again."""
    for name in record.vectors:
        if name not in given:
            raise BadSpec(f"The picture was made with a vector {name!r}. Give it again: --vector {name}=FILE.")

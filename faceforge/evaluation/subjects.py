"""The faces that an editor is evaluated on: synthetic people kept for it, or a folder of photographs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from faceforge.errors import BadPicture, BadSpec
from faceforge.io.pictures import Picture, read_picture

FIRST = 700_000_000  # seeds of evaluation: nothing of FaceForge is trained on people from here to 899,999,999
END = 900_000_000  # beyond are those reserved for evaluation by others
SIZE = 256
_WIDEST_DEG = (12.0, 8.0, 8.0)  # yaw, pitch, roll: beyond, judges of motion see half a face
_TONES = {"light": range(1, 4), "medium": range(4, 7), "dark": range(7, 11)}
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True, eq=False)
class Subject:
    """One face: whose it is, what it shows already where that is known, and the groups its person belongs to."""

    name: str
    identity: str
    picture: Picture
    present: Mapping[str, float] | None = None  # FACS 0..5; None where nobody knows
    groups: Mapping[str, str] = field(default_factory=dict)


def portraits(count: int, *, size: int = SIZE) -> Iterator[Subject]:
    """Synthetic people with neutral faces seen roughly from the front; balanced over tone, age and sex by eighties."""
    from faceforge.synth import photograph, sample

    if not 1 <= count <= END - FIRST:
        raise BadSpec(f"{count} faces cannot be drawn. Give a number from 1 to {END - FIRST}.")
    for seed in range(FIRST, FIRST + count):
        drawn = sample(seed, aus={}, occluder=None)
        angles = zip(("yaw_deg", "pitch_deg", "roll_deg"), _WIDEST_DEG, strict=True)
        held = {name: max(-most, min(most, getattr(drawn, name))) for name, most in angles}
        (portrait,) = photograph([replace(drawn, **held)], size)
        person = drawn.person
        tone = next(name for name, tones in _TONES.items() if int(person.group["tone"]) in tones)
        groups = {"skin tone": tone, "age": person.group["age"], "sex": person.sex}
        drawn_picture = read_picture(Image.fromarray(portrait.image))
        name = f"synth-{seed}"
        yield Subject(name, str(person.seed), replace(drawn_picture, name=f"{name}.png"), {}, groups)


def photographs(folder: Path) -> Iterator[Subject]:
    """Every picture of a folder, each taken for a person of its own."""
    for path in pictures_in(folder):
        yield Subject(path.stem, path.stem, read_picture(path))


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder by name; refused where there are none."""
    if not folder.is_dir():
        raise BadPicture(f"There is no folder {str(folder)!r}. Give a folder of pictures.")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not found:
        raise BadPicture(f"The folder {str(folder)!r} holds no picture ({', '.join(_SUFFIXES)}). Give one that does.")
    return found

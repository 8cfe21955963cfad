"""Files that visitors bring: photographs, presets, and pictures that say how they were edited."""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import ValidationError

from faceforge.cli.repeat import Record
from faceforge.errors import BadPicture, BadSpec, FaceForgeError
from faceforge.io.provenance import read_provenance
from faceforge.spec import EditSpec

MAX_BYTES = 20_000_000
MAX_PIXELS = 24_000_000
MAX_PRESET = 100_000
FORMATS = ("PNG", "JPEG", "WEBP")
CONSENT = (
    "Edit only pictures of yourself, of people who agreed to it, or of nobody. Say that this one may be edited, "
    "and bring it again."
)
_NAME_LENGTH = 100  # bytes: file systems take 255, and names grow


@dataclass(frozen=True)
class Waiting:
    """An edit that comes back as soon as its photograph is opened."""

    source: str  # SHA-256 of the photograph
    values: dict[str, Any]


def plain_name(name: str) -> str:
    """The last part of a file's name without what no file name should hold; it is only ever shown.

    >>> plain_name("../../etc/ada\\n.jpg"), plain_name("")
    ('ada.jpg', 'picture.png')
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    printable = "".join(each for each in last if each.isprintable()).encode()[-_NAME_LENGTH:]
    return printable.decode(errors="ignore") or "picture.png"


def uploaded(value: Any) -> tuple[bytes, str]:
    """A file's bytes and its name, as the picker sent them; pictures only with the word that they may be edited."""
    name, data = (value.get("name"), value.get("data")) if isinstance(value, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(data, str):
        raise BadPicture("Nothing arrived that is a picture. Choose the file again.")
    if not is_preset(name) and value.get("agreed") is not True:
        raise BadPicture(CONSENT)
    if len(data) > MAX_BYTES * 4 // 3 + 4:
        raise BadPicture(f"The picture has more than {MAX_BYTES // 1_000_000} MB. Shrink it first.")
    try:
        return base64.b64decode(data, validate=True), name
    except binascii.Error:
        raise BadPicture("The picture arrived damaged. Choose the file again.") from None


def is_preset(name: str) -> bool:
    """Whether a file is read as a preset; what it holds is checked then."""
    return name.lower().endswith(".json")


def preset_in(data: bytes, name: str) -> EditSpec:
    """The wish in a preset's file: the JSON of an `EditSpec`, without a field more."""
    told = plain_name(name)
    if len(data) > MAX_PRESET:
        raise BadSpec(f"{told!r} has {len(data)} bytes, and a preset at most {MAX_PRESET}. Choose another file.")
    try:
        return EditSpec.from_json(data)
    except FaceForgeError as error:
        raise BadSpec(f"{told!r} is no preset of the studio: {error}") from None


def preset_of(spec: EditSpec) -> str:
    """A wish as a file for any photograph: without the number of a face."""
    return spec.with_(face=1).to_json() + "\n"


def checked(data: bytes, name: str) -> bytes:
    """The bytes, where their size and the size their header promises are within the limits."""
    told = plain_name(name)
    if len(data) > MAX_BYTES:
        raise BadPicture(f"{told!r} has {len(data) / 1e6:.0f} MB, at most {MAX_BYTES // 1_000_000} are taken.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as header:
            width, height = header.size
    except Exception:  # Pillow promises no common error for damaged files
        raise BadPicture(f"{told!r} is not a {', '.join(FORMATS)} picture. Save it as one of these first.") from None
    if width * height > MAX_PIXELS:
        raise BadPicture(
            f"{told!r} has {width}x{height} pixels, at most {MAX_PIXELS // 1_000_000} megapixels are taken. Shrink it."
        )
    return data


def record_in(data: bytes, folder: Path) -> Record | None:
    """How a picture says it was edited; None for a plain photograph, and for one whose record cannot be read."""
    brought = folder / "brought"  # ours alone: provenance is read from files
    brought.write_bytes(data)
    try:
        record = Record.model_validate(read_provenance(brought))
    except (BadPicture, ValidationError):
        return None
    finally:
        brought.unlink()
    return record if "source" in record.pictures else None

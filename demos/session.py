"""What one visitor of the studio has open: a photograph read once, the edits made of it, and where they are in them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

import faceforge as ff
from faceforge import assets, aus
from faceforge.errors import BadPicture, BadSpec
from faceforge.face.finding import Finder
from faceforge.io.pictures import Picture, fit, read_picture
from faceforge.reading import Photograph
from faceforge.result import Result
from faceforge.spec import EditSpec
from faceforge_demos.controls import resting, spec_of
from faceforge_demos.copying import output_name
from faceforge_demos.measuring import Measured, measured

MAX_BYTES = 20_000_000
MAX_PIXELS = 24_000_000
MAX_EDITS = 24
KEPT_PIXELS = 100_000_000  # in the history of one visitor
FORMATS = ("PNG", "JPEG", "WEBP")
SAMPLE = Path(assets.__file__).with_name("sample.png")
_NAME_LENGTH = 100

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Edit:
    """One finished edit: how the widgets stood, the wish, and what came of it."""

    values: Values
    spec: EditSpec
    result: Result
    measured: Measured | None = None  # also where no judge could look
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


class Session:
    """The state behind one browser tab; nothing of it is shared with another."""

    def __init__(self, finder: Finder | None = None) -> None:
        self.editor = ff.load(finder=finder)
        self.picture: Picture | None = None
        self.is_sample = False
        self.edits: list[Edit] = []
        self.at = 0
        self._folder = TemporaryDirectory(prefix="faceforge-")  # goes with the session

    def open(self, data: bytes, name: str) -> None:
        """A photograph from its file's bytes; it is refused, and the one before stays, where it shows no face."""
        self._begin(replace(read_picture(_checked(data, name)), name=plain_name(name)), is_sample=False)

    def open_sample(self) -> None:
        """The portrait of nobody that ships with FaceForge."""
        self._begin(read_picture(SAMPLE), is_sample=True)

    def _begin(self, picture: Picture, *, is_sample: bool) -> None:
        self.editor.reader.read(picture).readings(1)  # here and now, so that no slider waits for it
        unchanged = self.editor.edit(picture, EditSpec())
        self.picture, self.is_sample = picture, is_sample
        self.edits, self.at = [Edit(resting(), EditSpec(), unchanged, is_source=True)], 0

    @property
    def photograph(self) -> Photograph:
        return self.editor.reader.read(self._opened)

    @property
    def source(self) -> str | None:
        """What the file is called on the visitor's side; None for the sample."""
        return None if self.is_sample else self._opened.name

    @property
    def current(self) -> Edit:
        if not self.edits:
            raise BadSpec("There is no photograph yet. Choose one, or take the sample.")
        return self.edits[self.at]

    def shown(self, face: str) -> dict[str, float]:
        """The action units that the chosen face shows before any edit, both sides averaged; of all, the largest's."""
        reading = self.photograph.readings(1 if face == "all" else int(face))[0]
        found = dict.fromkeys(aus.UNITS, 0.0)
        for code, value in reading.fit.aus.items():
            found[aus.unsided(code)] += value / (2 if code[-1] in "LR" else 1)
        return found

    def draft(self, values: Values) -> Result:
        """The warp, and nothing remembered."""
        return self.editor.edit(self._opened, spec_of(values))

    def finish(self, values: Values) -> Edit:
        """The same picture with what a judge sees of it, as the newest in the history."""
        result = self.draft(values)
        if result.spec == self.current.spec:
            return self.current
        edit = Edit(dict(values), result.spec, result, self._measured(result))
        self.edits = [*self.edits[: self.at + 1], edit]
        if len(self.edits) > max(2, min(MAX_EDITS, KEPT_PIXELS // (edit.picture.width * edit.picture.height))):
            del self.edits[1]  # the first is the photograph itself
        self.at = len(self.edits) - 1
        return edit

    def go(self, to: int) -> Edit:
        """Back or forth in the history, as far as it reaches."""
        self.at = min(max(to, 0), len(self.edits) - 1)
        return self.current

    def save(self) -> Path:
        """The current edit as PNG with its provenance, as the command writes it."""
        return self.current.result.save(Path(self._folder.name) / output_name(self.source))

    def _measured(self, result: Result) -> Measured | None:
        """Judges look at the largest face, so another one is pointed out to them."""
        face = result.spec.face
        return measured(result, self.photograph.faces[face - 1] if face != "all" and face > 1 else None)

    @property
    def _opened(self) -> Picture:
        if self.picture is None:
            raise BadSpec("There is no photograph yet. Choose one, or take the sample.")
        return self.picture


def plain_name(name: str) -> str:
    """The last part of a file's name without what no file name should hold; it is only ever shown.

    >>> plain_name("../../etc/ada\\n.jpg"), plain_name("")
    ('ada.jpg', 'picture.png')
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in last if each.isprintable())[-_NAME_LENGTH:] or "picture.png"


def _checked(data: bytes, name: str) -> bytes:
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

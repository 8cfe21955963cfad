"""What one visitor of the studio has open: a photograph read once, the edits made of it, and where they are in them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

import faceforge as ff
from faceforge import assets, aus
from faceforge.errors import BadPicture, BadSpec, NoFace
from faceforge.face.finding import Finder
from faceforge.face.found import Face
from faceforge.io.pictures import Picture, read_picture
from faceforge.mer import judges
from faceforge.reading import Photograph
from faceforge.result import Result
from faceforge.spec import EditSpec
from faceforge_demos.controls import resting, spec_of
from faceforge_demos.copying import output_name

MAX_BYTES = 20_000_000
MAX_PIXELS = 24_000_000
MAX_EDITS = 24
FORMATS = ("PNG", "JPEG", "WEBP")
SAMPLE = Path(assets.__file__).with_name("sample.png")
_NAME_LENGTH = 100
_ROOM = 0.6  # of the face's longer side

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Edit:
    """One finished edit: how the widgets stood, the wish, and what came of it."""

    values: Values
    spec: EditSpec
    picture: Image.Image
    notes: tuple[str, ...] = ()
    measured: Mapping[str, float] | None = field(default_factory=dict)  # None where no judge could look

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
        self.picture, self.is_sample = picture, is_sample
        self.edits, self.at = [Edit(resting(), EditSpec(), picture.image)], 0

    @property
    def photograph(self) -> Photograph:
        return self.editor.reader.read(self._opened)

    @property
    def source(self) -> str | None:
        """What the file is called on the visitor's side; None for the sample."""
        return None if self.is_sample else self._opened.name

    @property
    def current(self) -> Edit:
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
        assert result.image is not None, "the warp always gives a picture"
        if result.spec == self.current.spec:
            return self.current
        edit = Edit(dict(values), result.spec, result.image, result.notes, self._seen(result))
        self.edits = [*self.edits[: self.at + 1], edit]
        if len(self.edits) > MAX_EDITS:
            del self.edits[1]  # the first is the photograph itself
        self.at = len(self.edits) - 1
        return edit

    def go(self, to: int) -> Edit:
        """Back or forth in the history, as far as it reaches."""
        self.at = min(max(to, 0), len(self.edits) - 1)
        return self.current

    def save(self) -> Path:
        """The current edit as PNG with its provenance, as the command writes it."""
        path = Path(self._folder.name) / output_name(self.source)
        return self.editor.edit(self._opened, self.current.spec).save(path)

    def _seen(self, result: Result) -> Mapping[str, float] | None:
        """What a judge sees of an edit; judges look at the largest face, so another one is cut out for them."""
        judged, face = judges.judge(), result.spec.face
        before, after = self._opened.image, result.image
        assert after is not None, "the warp always gives a picture"
        if face != "all" and face > 1:
            box = _around(self.photograph.faces[face - 1])
            before, after = before.crop(box), after.crop(box)
        try:
            return dict(zip(judged.codes, map(float, judged.delta(before, after)), strict=True))
        except NoFace:
            return None

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


def _around(face: Face) -> tuple[int, int, int, int]:
    """A face with room for the judge to find it again, within the picture."""
    left, top, right, bottom = face.box
    room, (height, width) = _ROOM * max(right - left, bottom - top), face.size
    start = max(int(left - room), 0), max(int(top - room), 0)
    return *start, min(int(right + room), width), min(int(bottom + room), height)

"""What one visitor of the studio has open: a photograph read once, the edits made of it, and where they are in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, Any

import faceforge as ff
from faceforge import assets, aus
from faceforge.cli.repeat import Record
from faceforge.editor import Editor
from faceforge.errors import BadSpec
from faceforge.face.finding import Finder
from faceforge.io.files import sha256
from faceforge.io.pictures import Picture, read_picture
from faceforge.jobs import Job, as_draft
from faceforge.loading import WARP
from faceforge.reading import Photograph
from faceforge.result import Result
from faceforge.spec import EditSpec
from faceforge_demos.badge import badged
from faceforge_demos.bringing import Waiting, checked, is_preset, plain_name, preset_in, preset_of, record_in
from faceforge_demos.controls import resting, spec_of, values_of
from faceforge_demos.copying import output_name
from faceforge_demos.edits import Edit, Values
from faceforge_demos.knobs import asked, knobs
from faceforge_demos.measuring import Measured, measured

if TYPE_CHECKING:
    from faceforge.forge import Forge

MAX_EDITS = 24
KEPT_PIXELS = 100_000_000  # in the history of one visitor
NOTHING = "There is no photograph yet. Choose one, or take the sample."
SAMPLE = Path(assets.__file__).with_name("sample.png")


class Session:
    """The state behind one browser tab; nothing of it is shared with another."""

    def __init__(self, finder: Finder | None = None, forge: Forge | None = None, model: str = WARP) -> None:
        self.warper = ff.load(finder=finder)
        self.editor: Editor = forge or self.warper
        self.forge, self.model, self.knobs = forge, model, knobs(forge)
        self.picture: Picture | None = None
        self.is_sample = False
        self.edits: list[Edit] = []
        self.at = 0
        self.stop = Event()  # set by whoever wants the running edit to end
        self.stop_long = Event()  # and the running sweep or evaluation
        self._waiting: Waiting | None = None
        self._unplaced = ""  # SHA-256 of the last picture whose photograph is not here
        self._folder = TemporaryDirectory(prefix="faceforge-")  # goes with the session

    # What is opened

    def bring(self, data: bytes, name: str) -> str:
        """A photograph, a preset for it, or an edit to restore; a line where the visitor has to do something more."""
        if is_preset(name):
            self.finish(values_of(preset_in(data, name), self.knobs))
            return ""
        record = record_in(checked(data, name), self.folder)
        if record is None or sha256(data) == self._unplaced:
            self.open(data, name)
            return ""
        said = self._restore(record, plain_name(name))
        self._unplaced = sha256(data) if said else ""
        return said

    def open(self, data: bytes, name: str) -> None:
        """A photograph from its file's bytes; it is refused, and the one before stays, where it shows no face."""
        self._begin(replace(read_picture(checked(data, name)), name=plain_name(name)), is_sample=False)

    def open_sample(self) -> None:
        """The portrait of nobody that ships with FaceForge."""
        self._begin(read_picture(SAMPLE), is_sample=True)

    def go_on(self) -> None:
        """The current edit becomes the photograph, as if its download were opened: from here on edits add up."""
        if self.current.is_source:
            raise BadSpec("This is the photograph itself. Edit it first, and then go on from the edit.")
        saved = self.save()
        self._begin(replace(read_picture(saved.read_bytes()), name=saved.name), is_sample=False)

    def _begin(self, picture: Picture, *, is_sample: bool) -> None:
        self.warper.reader.read(picture).readings(1)  # here and now, so that no slider waits for it
        unchanged = self.warper.edit(picture, EditSpec())
        self.picture, self.is_sample = picture, is_sample
        self.edits, self.at = [Edit(resting(self.knobs), EditSpec(), unchanged, is_source=True)], 0
        waiting, self._waiting, self._unplaced = self._waiting, None, ""
        if waiting is not None and waiting.source == picture.sha256:
            self.finish(waiting.values)

    def _restore(self, record: Record, name: str) -> str:
        """An edit put back onto its photograph: the one that is open, the sample, or the next to come."""
        source, again = record.pictures["source"], "or bring this one again to edit it as it is"
        if record.model.name != self.editor.name:
            return (
                f"{name!r} was made by the model {record.model.name!r}, and this one is {self.editor.name!r}. "
                f"Start the studio with --model {record.model.name}, {again}."
            )
        values = values_of(asked(self.forge, record.spec), self.knobs)
        if source.sha256 == sha256(SAMPLE) and not self._has(source.sha256):
            self.open_sample()
        if self._has(source.sha256):
            self.finish(values)
            return ""
        self._waiting = Waiting(source.sha256, values)
        return f"{name!r} is an edit of {plain_name(source.name)!r}. Open that and the edit comes back, {again}."

    def _has(self, digest: str) -> bool:
        return self.picture is not None and self.picture.sha256 == digest

    # What it shows

    @property
    def photograph(self) -> Photograph:
        return self.warper.reader.read(self._opened)

    @property
    def source(self) -> str | None:
        """What the file is called on the visitor's side; None for the sample."""
        return None if self.is_sample else self._opened.name

    @property
    def current(self) -> Edit:
        if not self.edits:
            raise BadSpec(NOTHING)
        return self.edits[self.at]

    @property
    def folder(self) -> Path:
        """For files of this session alone."""
        return Path(self._folder.name)

    def shown(self, face: str) -> dict[str, float]:
        """The action units that the chosen face shows before any edit, both sides averaged; of all, the largest's."""
        reading = self.photograph.readings(1 if face == "all" else int(face))[0]
        found = dict.fromkeys(aus.UNITS, 0.0)
        for code, value in reading.fit.aus.items():
            found[aus.unsided(code)] += value / (2 if code[-1] in "LR" else 1)
        return found

    # What is made of it

    def draft(self, values: Values) -> Result:
        """The warp, and nothing remembered."""
        job = as_draft(Job(self._opened, spec_of(values, self.knobs)))
        return next(iter(self.warper.edit_many([job])))

    def finish(self, values: Values, progress: Callable[[Any], None] | None = None) -> Edit:
        """The final picture with what a judge sees of it, as the newest in the history; `stop` ends it midway."""
        spec = spec_of(values, self.knobs)
        if spec == self.current.spec:
            return self.current
        self.stop.clear()
        editor, model = (self.editor, self.model) if spec != EditSpec() else (self.warper, WARP)  # of nothing: as it is
        result = editor.edit(self._opened, spec, progress=progress, cancelled=self.stop.is_set)
        edit = Edit(dict(values), spec, result, self._measured(result), model)
        self.edits = [*self.edits[: self.at + 1], edit]
        if len(self.edits) > max(2, min(MAX_EDITS, KEPT_PIXELS // (edit.picture.width * edit.picture.height))):
            del self.edits[1]  # the first is the photograph itself
        self.at = len(self.edits) - 1
        return edit

    def generate(self, spec: EditSpec, progress: Callable[[Any], None] | None = None) -> Result:
        """A new face, which needs no photograph and enters no history; `stop` ends it midway."""
        self.stop.clear()
        return self.editor.generate(spec, progress=progress, cancelled=self.stop.is_set)

    def go(self, to: int) -> Edit:
        """Back or forth in the history, as far as it reaches."""
        self.at = min(max(to, 0), len(self.edits) - 1)
        return self.current

    def save(self, *, badge: bool = False) -> Path:
        """The current edit as PNG with its provenance, as the command writes it; with a badge that all can see."""
        result = self.current.result
        written: Path = (badged(result) if badge else result).save(self.folder / output_name(self.source))
        return written

    def save_preset(self) -> Path:
        """The wish of the current edit as JSON, for other photographs."""
        path = self.folder / f"{Path(self.source or 'sample').stem}-preset.json"
        path.write_text(preset_of(self.current.spec), encoding="utf-8")
        return path

    def _measured(self, result: Result) -> Measured | None:
        """Judges look at the largest face, so another one is pointed out to them."""
        face = result.spec.face
        return measured(result, self.photograph.faces[face - 1] if face != "all" and face > 1 else None)

    @property
    def _opened(self) -> Picture:
        if self.picture is None:
            raise BadSpec(NOTHING)
        return self.picture

"""`--from`: what a picture, or its sidecar, says about how it was made, and where its sources are now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from faceforge import assets
from faceforge.cli.terminal import note
from faceforge.errors import BadPicture
from faceforge.io.files import existing_file, sha256
from faceforge.io.provenance import read_provenance
from faceforge.spec import EditSpec

if TYPE_CHECKING:
    from faceforge import Forge

SAMPLE = Path(assets.__file__).with_name("sample.png")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FileRecord(_Part):
    """A file that was read: what it was called, and the digest of its bytes."""

    name: str
    sha256: str


class PluginRecord(_Part):
    """A plugin that ran, and the digest of its weights."""

    name: str
    weights: str = ""


class ModelRecord(_Part):
    """The model that ran, and the options it was loaded with."""

    name: str
    weights: str = ""
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    parity: bool = False
    lora_scales: dict[str, float] = {}


class ClipRecord(_Part):
    """Which frame of how many, where several were made together."""

    frame: int
    frames: int


class Record(_Part):
    """The provenance of a picture, as far as repeating it needs."""

    spec: dict[str, Any]
    model: ModelRecord
    pictures: dict[str, FileRecord] = {}
    vectors: dict[str, str] = {}
    measured: dict[str, float] = {}
    finder: str | None = None
    plugins: tuple[PluginRecord, ...] = ()
    clip: ClipRecord | None = None


def read_record(path: Path) -> Record:
    """The provenance inside a picture, or in a .json sidecar."""
    try:
        found = json.loads(_sidecar(path)) if path.suffix.lower() == ".json" else read_provenance(path)
        record = Record.model_validate(found)
    except (ValidationError, ValueError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else str(error)
        raise BadPicture(
            f"{str(path)!r} does not say how it was made ({reason}). Use the file FaceForge wrote."
        ) from None
    if record.clip is not None and record.clip.frames > 1:
        raise BadPicture(
            f"{str(path)!r} is frame {record.clip.frame} of a clip of {record.clip.frames}, which read one another. "
            f"Make the whole clip again."
        )
    return record


def find_picture(name: str, record: FileRecord, beside: Path) -> Path:
    """The recorded file, byte for byte: beside the picture, in the current folder, or the shipped sample."""
    plain = Path(record.name).name or "unnamed"
    for place in (beside.with_name(plain), Path(plain), SAMPLE):
        if place.is_file() and sha256(place) == record.sha256:
            return place
    option = "as IMAGE" if name == "source" else f"with --picture {name}=FILE"
    raise BadPicture(
        f"The {name} picture of {beside.name!r} is not beside it, nor in the current folder: {plain!r} with "
        f"sha256 {record.sha256}. Give it {option}."
    )


def compare(forge: Forge, record: Record, *, own_scales: bool = False) -> None:
    """Load LoRAs as they were, unless other factors were given; say which weights are no longer the same."""
    from faceforge.store.checkpoint import weights_hash

    if not own_scales:
        _scale_loras(forge, record)
    now = {name: weights_hash(plugin) for name, plugin in forge.plugins.items()}
    changed = [each.name for each in record.plugins if now.get(each.name) != each.weights]
    if record.model.weights != weights_hash(forge.backbone.unet):
        changed.insert(0, f"the model {forge.name!r}")
    if changed:
        note(f"The weights of {', '.join(changed)} are not those of the repeated picture, so the result will differ.")


def _scale_loras(forge: Forge, record: Record) -> None:
    """The factors that differ from the model's own; what is recorded includes the strength."""
    spec = EditSpec(**record.spec)
    now = forge.lora_scales(spec)
    for name, scale in record.model.lora_scales.items():
        strength = spec.strength.get(name, 1.0)
        if now.get(name) != scale and isinstance(strength, float) and strength:
            forge.own_lora_scales[name] = scale / strength


def _sidecar(path: Path) -> str:
    return existing_file(path, BadPicture).read_text(encoding="utf-8")

"""Where a picture came from, written inside it: our own JSON, and the IPTC mark that says "AI-edited" to everyone."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from faceforge.errors import BadPicture, CannotWrite
from faceforge.io.files import existing_file, replacing

KEY = "faceforge"
MAX_BYTES = 1_000_000
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

_SOFTWARE = "FaceForge"
_DESCRIPTION = "AI-edited with FaceForge"
# EXIF 2.32, UserComment: eight bytes name the character set.  JSON escapes make our text ASCII.
_COMMENT_START = f"ASCII\0\0\0{KEY}:".encode("ascii")
_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
   Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def embedding(file_format: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with which Pillow's `save` writes the provenance into a "PNG", "JPEG" or "WEBP"."""
    text = _as_text(provenance)
    if file_format == "PNG":
        chunks = PngInfo()
        chunks.add_text("Software", _SOFTWARE)
        chunks.add_text("Description", _DESCRIPTION)
        chunks.add_text(KEY, text)
        chunks.add_itxt("XML:com.adobe.xmp", _XMP)
        return {"pnginfo": chunks}
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = _SOFTWARE
    exif[ExifTags.Base.ImageDescription] = _DESCRIPTION
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = _COMMENT_START + text.encode("ascii")
    return {"exif": exif, "xmp": _XMP.encode("utf-8")}


def read_provenance(path: str | Path) -> dict[str, Any]:
    """What `write_picture` embedded; only the header of the picture is read."""
    return provenance_in(_embedded_text(existing_file(path, BadPicture)), path)


def provenance_in(text: str | None, path: str | Path) -> dict[str, Any]:
    """The provenance that a text found in a file tells."""
    if text is None:
        raise BadPicture(
            f"{str(path)!r} carries no FaceForge provenance: another program wrote it, or saved it again without "
            f"metadata. Use the original file, or its sidecar {Path(path).name + '.json'!r}."
        )
    if len(text) > MAX_BYTES:
        raise BadPicture(f"The provenance in {str(path)!r} has {len(text)} bytes, at most {MAX_BYTES} are read.")
    try:
        provenance = json.loads(text)
    except (ValueError, RecursionError) as reason:
        raise BadPicture(
            f"The provenance in {str(path)!r} is damaged ({reason}). Use the original file, or its sidecar."
        ) from reason
    if not isinstance(provenance, dict):
        raise BadPicture(f"The provenance in {str(path)!r} is a {type(provenance).__name__}, expected an object.")
    return provenance


def write_sidecar(path: str | Path, provenance: Mapping[str, Any]) -> Path:
    """The provenance as a file of its own: `ada.png` gets `ada.png.json`."""
    sidecar = Path(path).with_name(Path(path).name + ".json")
    text = _as_text(provenance, indent=2)
    with replacing(sidecar) as temporary:
        temporary.write_text(text + "\n", encoding="ascii")
    return sidecar


def tagged(provenance: Mapping[str, Any]) -> dict[str, str]:
    """The same as the tags of a video: a sentence for everyone, and our JSON in its comment."""
    return {"description": _DESCRIPTION, "comment": f"{KEY}:{_as_text(provenance)}"}


def of_comment(comment: str) -> str:
    """The JSON in a video's comment; nothing where another program wrote it."""
    return comment.removeprefix(f"{KEY}:") if comment.startswith(f"{KEY}:") else ""


def _as_text(provenance: Mapping[str, Any], indent: int | None = None) -> str:
    try:
        text = json.dumps(dict(provenance), allow_nan=False, indent=indent)
    except (TypeError, ValueError, RecursionError) as reason:
        raise CannotWrite(
            f"The provenance is not JSON: {reason}. Use plain numbers, texts, lists and dicts, and None for NaN."
        ) from reason
    if len(text) > MAX_BYTES:
        raise CannotWrite(f"The provenance has {len(text)} bytes, at most {MAX_BYTES} fit. Drop the largest field.")
    return text


def _embedded_text(path: Path) -> str | None:
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=("PNG", "JPEG", "WEBP")) as image:
            text = image.info.get(KEY)
            comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    except Exception as reason:  # Pillow promises no common error for damaged files
        raise BadPicture(f"{str(path)!r} cannot be read as PNG, JPEG or WebP. Use the original file.") from reason
    if isinstance(text, str):
        return text
    if isinstance(comment, bytes) and comment.startswith(_COMMENT_START):
        return comment.removeprefix(_COMMENT_START).decode("utf-8", errors="replace")
    return None

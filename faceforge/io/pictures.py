"""Pictures in and out: whatever a user has becomes 8-bit RGB the right way up, or a refusal that names the reason."""

import io
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageFile, ImageOps

from faceforge.errors import BadPicture, CannotWrite
from faceforge.io.files import existing_file, replacing, sha256
from faceforge.io.provenance import embedding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from faceforge.io.depth import Pixels

MIN_SIDE = 16
MAX_SIDE = 20_000
MAX_PIXELS = 100_000_000

# A list, not "whatever Pillow opens": its EPS reader, for one, starts Ghostscript.
_READABLE = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
_WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_QUALITY: dict[str, dict[str, Any]] = {"PNG": {}, "JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}
_IN_MEMORY = "picture in memory"
_pillow_settings = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """An RGB image, what to call it, and the digest of its file's bytes (of size and pixels when it has no file)."""

    image: Image.Image
    own: "Pixels | None"  # the same pixels with the source's transparency or sixteen bits; None where it has neither
    name: str
    sha256: str

    @property
    def pixels(self) -> "Pixels":
        """What an edit starts from and gives back: the source's own pixels."""
        import numpy as np

        return np.asarray(self.image) if self.own is None else self.own


def read_picture(source: "str | Path | bytes | Image.Image | NDArray[Any]") -> Picture:
    """A path, a file's bytes, a Pillow image or a uint8 array as RGB: upright as EXIF says, on white where clear."""
    if isinstance(source, str | Path):
        return _from_file(source)
    if isinstance(source, bytes):
        return Picture(*_decoded(source, _IN_MEMORY), _IN_MEMORY, sha256(source))
    image, own = _upright(source, _IN_MEMORY) if isinstance(source, Image.Image) else (_from_array(source), None)
    held = image.tobytes() if own is None else own.tobytes()
    return Picture(image, own, _IN_MEMORY, sha256(f"{image.width}x{image.height} ".encode() + held))


def write_picture(
    image: Image.Image, path: str | Path, provenance: Mapping[str, Any] | None = None, *, own: "Pixels | None" = None
) -> None:
    """The image as RGB in the format of the suffix (WebP without loss), marked as AI-edited if it has a provenance.

    `own` are its pixels with transparency or sixteen bits: PNG keeps both, WebP transparency, JPEG neither.
    """
    encoded = encoded_picture(image, path, provenance, own=own)
    with replacing(path) as temporary:
        temporary.write_bytes(encoded)


def encoded_picture(
    image: Image.Image, name: str | Path, provenance: Mapping[str, Any] | None = None, *, own: "Pixels | None" = None
) -> bytes:
    """The bytes that `write_picture` writes under a name."""
    from faceforge.io.depth import eight_bits, encode_png

    file_format = writable_format(name)
    carried = {} if provenance is None else embedding(file_format, provenance)
    encoded = io.BytesIO()
    try:
        if own is not None and own.dtype == "uint16" and file_format == "PNG":
            encoded.write(encode_png(own, carried.get("pnginfo")))
        else:
            shown = _rgb(image, str(name)) if own is None or file_format == "JPEG" else eight_bits(own)
            shown.save(encoded, file_format, **_QUALITY[file_format], **carried)
    except (OSError, ValueError) as reason:  # a side too long for the format, or more provenance than JPEG's 64 kB
        raise CannotWrite(
            f"{str(name)!r} cannot hold these {image.width}x{image.height} pixels ({reason}). Write a .png instead."
        ) from reason
    return encoded.getvalue()


def writable_format(path: str | Path) -> str:
    """Pillow's name for the format that a path's suffix asks for; a way to refuse an output before the work is done.

    >>> writable_format("ada.JPG")
    'JPEG'
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITABLE:
        raise CannotWrite(f"Cannot write {str(path)!r}: a picture's name ends in {', '.join(_WRITABLE)}.")
    return _WRITABLE[suffix]


def fit(image: Image.Image, width: int, height: int) -> Image.Image:
    """The largest centred part with the asked aspect ratio, resized; an image of that very size is returned itself."""
    if image.size == (width, height):
        return image
    return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)


def _from_file(path: str | Path) -> Picture:
    file = existing_file(path, BadPicture)
    try:
        data = file.read_bytes()
    except OSError as reason:
        raise BadPicture(f"Cannot read {str(path)!r}: {reason.strerror}. Check its permissions.") from reason
    return Picture(*_decoded(data, str(path)), file.name, sha256(data))


def _from_array(array: "NDArray[Any]") -> Image.Image:
    if not hasattr(array, "__array_interface__"):
        raise BadPicture(
            f"A {type(array).__name__} is not a picture. Pass a path, bytes, a Pillow image or a uint8 array."
        )
    shape = tuple(array.shape)
    if array.dtype != "uint8" or not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)):
        raise BadPicture(
            f"An array of shape {shape} and dtype {array.dtype} is not a picture. "
            f"Pass uint8 of shape (height, width, 3) or (height, width)."
        )
    check_size(shape[1], shape[0], _IN_MEMORY)
    return Image.fromarray(array).convert("RGB")


def _decoded(data: bytes, name: str) -> "tuple[Image.Image, Pixels | None]":
    def open_it() -> Image.Image:
        return Image.open(io.BytesIO(data), formats=_READABLE)

    with _strict_pillow():
        try:
            image = open_it()
            # An MPO is an ordinary phone photograph with a second picture for the other eye or for brightness.
            animated = image.format != "MPO" and getattr(image, "is_animated", False)
        except Image.DecompressionBombError as reason:
            raise BadPicture(f"{name!r} has far more than {_megapixels(MAX_PIXELS)}. Shrink it first.") from reason
        except Exception as reason:  # Pillow promises no common error for damaged files
            raise BadPicture(
                f"{name!r} is not a picture FaceForge can read. Save it as PNG, JPEG or WebP first."
            ) from reason
    upright = _upright(image, name, open_it)
    if animated:
        warnings.warn(f"{name!r} has several frames; only the first is used.", stacklevel=4)
    return upright


def _upright(
    image: Image.Image, name: str, again: Callable[[], Image.Image] | None = None
) -> "tuple[Image.Image, Pixels | None]":
    """The image as RGB the right way up, without metadata such as places and dates that outputs must not inherit."""
    from faceforge.io.depth import own_pixels, shown

    check_size(*image.size, name)
    with _strict_pillow():
        try:
            own = own_pixels(image, again)
            upright = _rgb(ImageOps.exif_transpose(image), name) if own is None else shown(own)
        except BadPicture:
            raise
        except Exception as reason:
            raise BadPicture(f"{name!r} is cut off or damaged ({reason}). Copy or export it again.") from reason
    upright.info.clear()
    return upright, own


def check_size(width: int, height: int, name: str) -> None:
    """Refuse a picture that nobody can edit."""
    if min(width, height) < MIN_SIDE:
        raise BadPicture(f"{name!r} has {width}x{height} pixels, at least {MIN_SIDE}x{MIN_SIDE} are needed.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise BadPicture(
            f"{name!r} has {width}x{height} pixels, at most {_megapixels(MAX_PIXELS)} and {MAX_SIDE} a side are read. "
            f"Shrink it first."
        )


def _megapixels(pixels: int) -> str:
    return f"{pixels // 1_000_000} megapixels"


def _rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode in ("I", "F"):
        raise BadPicture(f"{name!r} has 32 bits per pixel and no known white. Save it with 8 or 16 bits first.")
    from faceforge.io.depth import own_pixels, shown

    own = own_pixels(image)
    return image.convert("RGB") if own is None else shown(own)


@contextmanager
def _strict_pillow() -> Iterator[None]:
    """No half-decoded pixels, whatever else in this process asked Pillow to be lenient, and no size limits but ours."""
    with _pillow_settings, warnings.catch_warnings(action="ignore"):
        lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = lenient

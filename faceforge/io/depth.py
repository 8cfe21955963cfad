"""Pixels beyond 8-bit RGB: transparency, and sixteen bits a channel, in and out."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

Pixels: TypeAlias = NDArray[np.uint8 | np.uint16]  # (H, W, 1..4): grey or RGB, with or without alpha

GREY = (0.299, 0.587, 0.114)  # shares of red, green and blue in what looks as bright

_OTHER_BYTE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> PNG's number for them
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def own_pixels(image: Image.Image, again: Callable[[], Image.Image] | None = None) -> Pixels | None:
    """An image's own pixels, upright, where they hold more than 8-bit RGB; None where they do not.

    Pillow reads the high byte of 16-bit colours only; `again` opens the same file once more, for the low one.
    """
    if image.mode.startswith("I;16"):
        return np.array(ImageOps.exif_transpose(image), np.uint16)[..., None]
    low = None if again is None else _low_bytes(again())
    if low is not None:
        high = np.array(ImageOps.exif_transpose(image), np.uint16)
        return _without_idle_alpha((high << 8) | np.array(low))
    if image.has_transparency_data:
        return _without_idle_alpha(np.array(ImageOps.exif_transpose(image).convert("RGBA")))
    return None


def has_alpha(own: Pixels) -> bool:
    """Whether the last channel says how opaque each pixel is."""
    return own.shape[2] in (2, 4)


def shares(own: Pixels) -> NDArray[np.float32]:
    """Levels as shares of white, in 0..1."""
    return own.astype(np.float32) / np.float32(np.iinfo(own.dtype).max)


def on_white(own: Pixels) -> NDArray[np.float32]:
    """What pixels look like (H, W, 3) in 0..1; white, because black is what masking methods take for 'not here'."""
    found = shares(own)
    if has_alpha(own):
        alpha = found[..., -1:]
        found = np.where(alpha == 1, found[..., :-1], found[..., :-1] * alpha + (1 - alpha))
    return np.repeat(found, 3, 2) if found.shape[2] == 1 else found


def looks(own: Pixels) -> Pixels:
    """What pixels look like, as RGB (H, W, 3) with as many bits."""
    if own.shape[2] == 3:
        return own
    full = np.iinfo(own.dtype).max
    return np.rint(on_white(own) * full).astype(own.dtype)


def shown(own: Pixels) -> Image.Image:
    """What pixels look like, as 8-bit RGB."""
    return Image.fromarray(_eight(looks(own)))


def edited(own: Pixels, seen: Pixels, alpha: Pixels | None) -> Pixels:
    """Pixels that look like `seen` (H, W, 3) and are as opaque as `alpha` (H, W); bit for bit their own where they did.

    Colours are those that give what is seen once they are laid on white. Greys stay grey.
    """
    opaque = alpha if has_alpha(own) and alpha is not None else None
    changed = (seen != looks(own)).any(2)
    if opaque is not None:
        changed |= opaque != own[..., -1]
    colours = shares(seen[changed])
    result, full = own.copy(), np.iinfo(own.dtype).max
    if opaque is not None:
        share = shares(opaque[changed])[:, None]
        colours = np.where(share > 0, (colours - (1 - share)) / np.maximum(share, 1 / full), colours)
        result[changed, -1] = opaque[changed]
    if own.shape[2] < 3:
        colours = colours @ np.array(GREY, np.float32)[:, None]
    result[changed, : colours.shape[1]] = np.rint(colours.clip(0, 1) * full)
    return result


def eight_bits(own: Pixels) -> Image.Image:
    """Pixels as Pillow can hold them, with their transparency."""
    levels = _eight(own)
    return Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)


def encode_png(pixels: Pixels, info: PngInfo | None = None) -> bytes:
    """A 16-bit PNG, which Pillow writes for grey only; each row is stored as its difference from the one above."""
    height, width, channels = pixels.shape
    rows = np.ascontiguousarray(pixels, ">u2").view(np.uint8).reshape(height, -1)
    stored = np.empty((height, rows.shape[1] + 1), np.uint8)
    stored[:, 0] = 2  # PNG's number for "up"
    stored[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=stored[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    told = [] if info is None else [(name, data) for name, data, *_ in info.chunks]
    return _SIGNATURE + _chunks(
        [(b"IHDR", header), *told, (b"IDAT", zlib.compress(stored.tobytes(), 6)), (b"IEND", b"")]
    )


def _eight(levels: Pixels) -> NDArray[np.uint8]:
    return np.rint(shares(levels) * 255).astype(np.uint8) if levels.dtype == np.uint16 else levels.astype(np.uint8)


def _low_bytes(image: Image.Image) -> Image.Image | None:
    """The low bytes of 16-bit colours: what Pillow finds when told that they are stored in the other order."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    raw = tiles[0].args if tiles else None
    mode = raw[0] if isinstance(raw, tuple) else raw
    if not isinstance(mode, str) or mode[:-1] not in ("RGB;16", "RGBA;16"):
        return None
    other = mode[:-1] + _OTHER_BYTE[mode[-1]]
    tiles[:] = [each._replace(args=(other, *each.args[1:]) if isinstance(each.args, tuple) else other)
                  for each in tiles]  # fmt: skip
    return ImageOps.exif_transpose(image)


def _without_idle_alpha(own: Pixels) -> Pixels | None:
    """Without an alpha that is full everywhere; None where 8-bit RGB is left."""
    if own.shape[2] == 4 and (own[..., 3] == np.iinfo(own.dtype).max).all():
        own = own[..., :3]
    return None if own.shape[2] == 3 and own.dtype == np.uint8 else own


def _chunks(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )

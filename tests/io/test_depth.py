"""Transparency and sixteen bits: what comes in goes out, whatever wrote it."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from faceforge.io.depth import encode_png, on_white, shown
from faceforge.io.pictures import Picture, read_picture, write_picture
from faceforge.io.provenance import read_provenance

CHANNELS = {"grey": 1, "RGB": 3, "RGBA": 4}


def levels(channels: int, *, seed: int = 0, size: tuple[int, int] = (24, 40)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 65536, (*size, channels), dtype=np.uint16)


def foreign_png(pixels: np.ndarray, *, filters: bytes) -> bytes:
    """A 16-bit PNG whose rows use the given filters (0 none, 1 left, 2 up) in turn, as other programs write it."""
    height, width, channels = pixels.shape
    rows = pixels.astype(">u2").view(np.uint8).reshape(height, -1)
    stored = bytearray()
    for number, row in enumerate(rows):
        kind = filters[number % len(filters)]
        left = np.concatenate([np.zeros(2 * channels, np.uint8), row[: -2 * channels]])
        above = rows[number - 1] if number else np.zeros_like(row)
        stored += bytes([kind]) + (row - (np.zeros_like(row), left, above)[kind]).tobytes()
    colours = {1: 0, 3: 2, 4: 6}[channels]

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 16, colours, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(stored))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def own(picture: Picture) -> np.ndarray:
    assert picture.own is not None
    return picture.own


@pytest.mark.parametrize("channels", CHANNELS.values(), ids=CHANNELS)
@pytest.mark.parametrize("filters", [b"\0", b"\1", b"\2", b"\0\1\2"])
def test_sixteen_bits_of_another_program_are_read_to_the_last_bit(channels: int, filters: bytes) -> None:
    pixels = levels(channels)
    assert np.array_equal(own(read_picture(foreign_png(pixels, filters=filters))), pixels)


@pytest.mark.parametrize("channels", CHANNELS.values(), ids=CHANNELS)
def test_sixteen_bits_are_written_and_read_again_with_their_provenance(tmp_path: Path, channels: int) -> None:
    pixels = levels(channels)
    write_picture(shown(pixels), tmp_path / "deep.png", {"label": "AI-edited"}, own=pixels)
    assert np.array_equal(own(read_picture(tmp_path / "deep.png")), pixels)
    assert read_provenance(tmp_path / "deep.png") == {"label": "AI-edited"}


@settings(max_examples=25, deadline=None)
@given(st.integers(16, 40), st.integers(16, 40), st.sampled_from([1, 3, 4]), st.integers(0, 99))
def test_any_size_survives(height: int, width: int, channels: int, seed: int) -> None:
    pixels = levels(channels, seed=seed, size=(height, width))
    assert np.array_equal(own(read_picture(encode_png(pixels))), pixels)


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_transparency_is_written_and_read_again(tmp_path: Path, suffix: str) -> None:
    pixels = (levels(4) >> 8).astype(np.uint8)
    pixels[..., 3] = np.maximum(pixels[..., 3], 1)  # WebP forgets the colour of what cannot be seen at all
    write_picture(shown(pixels), tmp_path / f"clear{suffix}", {"label": "AI-edited"}, own=pixels)
    assert np.array_equal(own(read_picture(tmp_path / f"clear{suffix}")), pixels)
    assert read_provenance(tmp_path / f"clear{suffix}") == {"label": "AI-edited"}


def test_jpeg_takes_what_the_picture_looks_like(tmp_path: Path) -> None:
    pixels = np.full((24, 40, 4), (200, 40, 40, 0), np.uint8)
    write_picture(shown(pixels), tmp_path / "flat.jpg", own=pixels)
    with Image.open(tmp_path / "flat.jpg") as written:
        assert np.asarray(written).min() > 250


def test_a_turned_photograph_is_upright_in_both_views() -> None:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.fromarray((levels(4) >> 8).astype(np.uint8)).save(file, "PNG", exif=exif)
    found = read_picture(file.getvalue())
    assert found.image.size == (24, 40)
    assert own(found).shape == (40, 24, 4)
    assert np.abs(np.asarray(found.image).astype(int) - on_white(own(found)) * 255).max() < 1.5


@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_that_hides_nothing_is_not_carried(bits: int) -> None:
    pixels = levels(4)
    pixels[..., 3] = 65535
    if bits == 16:
        assert own(read_picture(encode_png(pixels))).shape == (24, 40, 3)
    else:
        assert read_picture(Image.fromarray((pixels >> 8).astype(np.uint8))).own is None


def test_eight_bits_of_rgb_and_palettes_need_no_second_view() -> None:
    image = Image.fromarray((levels(3) >> 8).astype(np.uint8))
    for each in (image, image.convert("P"), image.convert("L"), image.convert("1"), image.convert("CMYK")):
        assert read_picture(each).own is None


def test_what_is_clear_looks_white_and_what_is_opaque_as_it_is() -> None:
    pixels = np.array([[[255, 0, 0, 255], [255, 0, 0, 0], [255, 0, 0, 128]]], np.uint8)
    assert np.round(on_white(pixels)[0] * 255).tolist() == [[255, 0, 0], [255, 255, 255], [255, 127, 127]]

import io
import struct
import time
import warnings
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from faceforge.errors import BadPicture, CannotWrite, FaceForgeError
from faceforge.io.files import sha256
from faceforge.io.pictures import fit, read_picture, writable_format, write_picture

unhurried = settings(deadline=None)
RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


def encoded(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def noise(width: int = 40, height: int = 24) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    return tuple(np.asarray(image)[y, x].tolist())


def red_left_green_right() -> Image.Image:
    image = Image.new("RGB", (40, 24), RED)
    image.paste(GREEN, (20, 0, 40, 24))
    return image


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has next to no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def test_a_path_bytes_an_image_and_an_array_give_the_same_pixels(tmp_path: Path) -> None:
    data = encoded(noise())
    (tmp_path / "ada.png").write_bytes(data)
    sources: list[Any] = [tmp_path / "ada.png", str(tmp_path / "ada.png"), data, noise(), np.asarray(noise())]
    for source in sources:
        assert read_picture(source).image.tobytes() == noise().tobytes()


def test_a_file_is_known_by_its_name_and_its_bytes(tmp_path: Path) -> None:
    data = encoded(noise())
    (tmp_path / "ada.png").write_bytes(data)
    picture = read_picture(tmp_path / "ada.png")
    assert (picture.name, picture.sha256) == ("ada.png", sha256(data))
    assert read_picture(data).sha256 == sha256(data)


def test_pictures_in_memory_are_known_by_size_and_pixels() -> None:
    wide, tall = Image.new("RGB", (32, 16)), Image.new("RGB", (16, 32))
    assert read_picture(wide).sha256 == read_picture(np.asarray(wide)).sha256
    assert read_picture(wide).sha256 != read_picture(tall).sha256
    assert read_picture(wide).sha256 != read_picture(Image.new("RGB", (32, 16), "red")).sha256


def test_exif_orientation_really_rotates() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me a quarter clockwise": left becomes top
    image = read_picture(encoded(red_left_green_right(), exif=exif)).image
    assert image.size == (24, 40)
    assert (pixel(image, 12, 5), pixel(image, 12, 35)) == (RED, GREEN)


def test_metadata_such_as_a_place_does_not_travel_with_the_pixels() -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8825)[1] = "N"
    data = encoded(noise(), exif=exif, dpi=(72, 72))
    assert "exif" in Image.open(io.BytesIO(data)).info
    assert read_picture(data).image.info == {}


def test_the_callers_image_is_not_changed() -> None:
    mine = Image.new("RGBA", (20, 20), (1, 2, 3, 4))
    mine.info["mine"] = "yes"
    read_picture(mine)
    assert (mine.mode, mine.info, mine.getpixel((0, 0))) == ("RGBA", {"mine": "yes"}, (1, 2, 3, 4))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(file_format: str) -> None:
    values = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    image = read_picture(encoded(Image.fromarray(values), file_format)).image
    expected = np.rint(values / 257).astype(np.uint8)
    assert np.array_equal(np.asarray(image), np.stack([expected] * 3, axis=2))


def test_a_clear_value_of_sixteen_bits_does_not_hit_a_grey_of_eight() -> None:
    values = np.full((20, 20), 7 * 257, np.uint16)
    image = read_picture(encoded(Image.fromarray(values), transparency=7)).image
    assert pixel(image, 0, 0) == (7, 7, 7)


def test_sixteen_bit_rgb_keeps_its_colours() -> None:
    rows = b"".join(b"\0" + struct.pack(">HHH", 65535, 32896, 0) * 16 for _ in range(16))
    data = png_header(16, 16).replace(struct.pack(">IIBB", 16, 16, 8, 2), struct.pack(">IIBB", 16, 16, 16, 2))
    header = data[12:29]
    body = struct.pack(">I", len(zlib.compress(rows))) + b"IDAT" + zlib.compress(rows)
    body += struct.pack(">I", zlib.crc32(body[4:]))
    data = data[:8] + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + body + data[-12:]
    assert read_picture(data).image.getpixel((8, 8)) == (255, 128, 0)


def test_a_cmyk_jpeg_has_the_colours_it_shows() -> None:
    data = encoded(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG", quality=100)
    assert Image.open(io.BytesIO(data)).mode == "CMYK"
    red, green, blue = pixel(read_picture(data).image, 16, 16)
    assert red > 250
    assert max(green, blue) < 5


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_clear_becomes_white_and_what_is_opaque_stays(mode: str) -> None:
    image = Image.new("RGBA", (32, 16), (0, 0, 0, 0))
    image.paste((40, 40, 40, 255), (16, 0, 32, 16))
    image = image.convert("LA").convert(mode)
    read = read_picture(image).image
    assert (pixel(read, 4, 8), pixel(read, 28, 8)) == (WHITE, (40, 40, 40))


def test_a_palette_picture_with_a_clear_colour_is_laid_on_white() -> None:
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    assert read_picture(encoded(image)).image.getpixel((0, 0)) == RED
    assert read_picture(encoded(image, transparency=1)).image.getpixel((0, 0)) == WHITE


def test_black_and_white_and_grey_become_rgb() -> None:
    assert read_picture(encoded(Image.new("1", (20, 20), 1))).image.getpixel((0, 0)) == WHITE
    assert read_picture(encoded(Image.new("L", (20, 20), 9))).image.getpixel((0, 0)) == (9, 9, 9)


@pytest.mark.parametrize("file_format", ["GIF", "WEBP"])
def test_an_animation_gives_its_first_frame_and_says_so(tmp_path: Path, file_format: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, GREEN)]
    frames[0].save(tmp_path / "ada", file_format, save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match="ada' has several frames; only the first") as said:
        image = read_picture(tmp_path / "ada").image
    assert said[0].filename == __file__
    red, green, _ = pixel(image, 10, 10)
    assert red > 240 > 10 > green


def test_a_phone_photograph_with_a_hidden_second_picture_is_read_without_a_word() -> None:
    data = encoded(noise(), "MPO", save_all=True, append_images=[noise()])
    with warnings.catch_warnings(action="error"):
        assert read_picture(data).image.size == (40, 24)


def test_what_is_not_a_picture_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no pixels here")
    (tmp_path / "empty.png").write_bytes(b"")
    for path, refusal in {
        tmp_path / "missing.png": "There is no file",
        tmp_path: "is a folder",
        tmp_path / "notes.png": r"notes\.png' is not a picture FaceForge can read",
        tmp_path / "empty.png": "is not a picture FaceForge can read",
    }.items():
        with pytest.raises(BadPicture, match=refusal):
            read_picture(path)
    with pytest.raises(BadPicture, match="A list is not a picture"):
        read_picture([1, 2, 3])  # type: ignore[arg-type]


def test_postscript_is_refused_because_reading_it_starts_another_program() -> None:
    with pytest.raises(BadPicture, match="is not a picture FaceForge can read"):
        read_picture(encoded(noise(), "EPS"))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("lenient", [False, True])
def test_a_picture_cut_in_half_is_refused_even_if_pillow_was_told_to_be_lenient(
    file_format: str, lenient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    data = encoded(noise(200, 200), file_format)
    with pytest.raises(BadPicture):
        read_picture(data[: len(data) // 2])
    assert lenient is ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_picture_is_decoded_to_the_last_row_before_it_is_accepted() -> None:
    with pytest.raises(BadPicture, match="is cut off or damaged"):
        read_picture(png_header(500, 500))


@pytest.mark.parametrize(("width", "height"), [(15, 100), (100, 15), (1, 1)])
def test_a_picture_too_small_to_edit_is_refused_with_its_size(width: int, height: int) -> None:
    for source in (Image.new("RGB", (width, height)), encoded(Image.new("RGB", (width, height)))):
        with pytest.raises(BadPicture, match=f"{width}x{height} pixels, at least 16x16"):
            read_picture(source)


def test_pictures_without_any_pixels_are_refused() -> None:
    for source in (Image.new("RGB", (0, 0)), np.zeros((0, 20, 3), np.uint8), png_header(0, 20)):
        with pytest.raises(BadPicture):
            read_picture(source)


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (20_001, 20), (9_500, 11_000), (2**31 - 1, 2**31 - 1)])
def test_a_huge_picture_is_refused_from_its_header_at_no_cost(width: int, height: int) -> None:
    start = time.process_time()
    with warnings.catch_warnings(action="error"), pytest.raises(BadPicture, match=r"megapixels.*Shrink it first"):
        read_picture(png_header(width, height))
    assert time.process_time() - start < 0.5


def test_pillows_own_size_warning_stays_inside() -> None:
    with warnings.catch_warnings(action="error"), pytest.raises(BadPicture, match="cut off"):
        read_picture(png_header(9_900, 10_000))


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((20, 20, 3), np.float32),
        np.zeros((20, 20, 4), np.uint8),
        np.zeros((3, 20, 20), np.uint8),
        np.zeros(20, np.uint8),
        np.zeros((2, 20, 20, 3), np.uint8),
    ],
)
def test_arrays_of_another_kind_are_refused_with_shape_and_dtype(array: np.ndarray) -> None:
    with pytest.raises(BadPicture) as refusal:
        read_picture(array)
    assert str(array.shape) in str(refusal.value)
    assert str(array.dtype) in str(refusal.value)


def test_grey_arrays_and_views_are_read() -> None:
    grey = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
    assert np.array_equal(np.asarray(read_picture(grey).image)[..., 1], grey)
    mirrored = np.asarray(noise())[:, ::-1]
    assert np.array_equal(np.asarray(read_picture(mirrored).image), mirrored)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_without_a_known_white_are_refused(mode: str) -> None:
    with pytest.raises(BadPicture, match="32 bits per pixel"):
        read_picture(Image.new(mode, (20, 20)))


@unhurried
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0"])
)
def test_random_bytes_are_a_refusal_and_nothing_else(data: bytes, magic: bytes) -> None:
    with pytest.raises(FaceForgeError):
        read_picture(magic + data)


@unhurried
@given(data=st.data(), file_format=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]))
def test_a_picture_with_flipped_bytes_is_read_or_refused(data: st.DataObject, file_format: str) -> None:
    damaged = bytearray(encoded(noise(), file_format))
    for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=4)):
        damaged[position] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings(action="ignore"), suppress(BadPicture):
        assert read_picture(bytes(damaged)).image.mode == "RGB"


@pytest.mark.parametrize("suffix", [".png", ".webp", ".WEBP"])
def test_png_and_webp_keep_every_pixel(tmp_path: Path, suffix: str) -> None:
    write_picture(noise(), tmp_path / f"out{suffix}")
    assert read_picture(tmp_path / f"out{suffix}").image.tobytes() == noise().tobytes()


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
def test_jpeg_stays_close_to_the_pixels(tmp_path: Path, suffix: str) -> None:
    write_picture(red_left_green_right(), tmp_path / f"out{suffix}")
    read = np.asarray(read_picture(tmp_path / f"out{suffix}").image, int)
    assert np.abs(read - np.asarray(red_left_green_right(), int)).max() < 30  # the edge rings, colours are not halved


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("out.png", "out.jpg", "out.webp"):
        write_picture(noise(), tmp_path / name, {"seed": 7})
        first = sha256(tmp_path / name)
        write_picture(noise(), tmp_path / name, {"seed": 7})
        assert sha256(tmp_path / name) == first


def test_a_suffix_that_is_no_picture_is_refused_with_the_valid_ones(tmp_path: Path) -> None:
    for name in ("out.gif", "out", "out.png.txt"):
        with pytest.raises(CannotWrite, match=r"\.png, \.jpg, \.jpeg, \.webp"):
            write_picture(noise(), tmp_path / name)
        with pytest.raises(CannotWrite, match="Cannot write"):
            writable_format(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_what_a_format_cannot_hold_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    write_picture(noise(), tmp_path / "out.webp")
    before = sha256(tmp_path / "out.webp")
    with pytest.raises(CannotWrite, match=r"16400x16.*Write a \.png instead"):
        write_picture(Image.new("RGB", (16_400, 16)), tmp_path / "out.webp")
    with pytest.raises(CannotWrite, match=r"too long.*Write a \.png instead"):
        write_picture(noise(), tmp_path / "out.jpg", {"notes": "x" * 70_000})
    assert sha256(tmp_path / "out.webp") == before
    assert [file.name for file in tmp_path.iterdir()] == ["out.webp"]


def test_a_picture_cannot_be_written_into_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="Create its folder first"):
        write_picture(noise(), tmp_path / "missing" / "out.png")


def test_an_image_that_already_fits_is_returned_itself() -> None:
    image = noise()
    assert fit(image, 40, 24) is image


def test_fitting_cuts_from_both_sides_alike() -> None:
    image = Image.new("RGB", (90, 30), GREEN)
    image.paste(RED, (30, 0, 60, 30))
    fitted = fit(image, 16, 16)
    assert fitted.size == (16, 16)
    assert {pixel(fitted, x, 8) for x in range(4, 12)} == {RED}


@unhurried
@given(*[st.integers(1, 300)] * 4)
def test_any_size_fits_any_other(width: int, height: int, new_width: int, new_height: int) -> None:
    assert fit(Image.new("L", (width, height), 77), new_width, new_height).getextrema() == (77, 77)

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from faceforge.errors import BadPicture, CannotWrite, FaceForgeError
from faceforge.io.pictures import write_picture
from faceforge.io.provenance import DIGITAL_SOURCE_TYPE, MAX_BYTES, read_provenance, write_sidecar

NAMES = ("out.png", "out.jpg", "out.webp")
EDIT = {"seed": 7, "aus": {"AU12": 2.0}, "subject": "Ada Lövelace 微笑 🙂"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
reusing_tmp_path = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def picture() -> Image.Image:
    return Image.new("RGB", (16, 16), "teal")


def png_with(text: str) -> PngInfo:
    chunks = PngInfo()
    chunks.add_text("faceforge", text)
    return chunks


@pytest.mark.parametrize("name", NAMES)
def test_provenance_comes_back_from_every_format(tmp_path: Path, name: str) -> None:
    write_picture(picture(), tmp_path / name, EDIT)
    assert read_provenance(tmp_path / name) == EDIT


@reusing_tmp_path
@given(provenance=st.dictionaries(st.text(max_size=8), JSON, max_size=4), name=st.sampled_from(NAMES))
def test_any_json_comes_back_from_every_format(tmp_path: Path, provenance: dict[str, Any], name: str) -> None:
    write_picture(picture(), tmp_path / name, provenance)
    assert read_provenance(tmp_path / name) == provenance


@pytest.mark.parametrize("name", NAMES)
def test_every_format_tells_other_programs_that_it_was_edited_by_ai(tmp_path: Path, name: str) -> None:
    write_picture(picture(), tmp_path / name, EDIT)
    with Image.open(tmp_path / name) as image:
        packet = ElementTree.fromstring(image.info["xmp"])
        words = str(image.info.get("Description", "")) + str(image.getexif().get(0x010E, ""))
        software = str(image.info.get("Software", "")) + str(image.getexif().get(0x0131, ""))
    types = [node.get("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType") for node in packet.iter()]
    assert DIGITAL_SOURCE_TYPE in types
    assert words.startswith("AI-edited")
    assert software == "FaceForge"


def test_a_picture_written_without_provenance_does_not_claim_to_be_edited(tmp_path: Path) -> None:
    for name in NAMES:
        write_picture(picture(), tmp_path / name)
        assert b"DigitalSourceType" not in (tmp_path / name).read_bytes()
        with pytest.raises(BadPicture, match=r"carries no FaceForge provenance.*sidecar 'out\.\w+\.json'"):
            read_provenance(tmp_path / name)


def test_the_comment_of_a_camera_is_not_taken_for_provenance(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0Screenshot"
    picture().save(tmp_path / "screen.jpg", exif=exif)
    with pytest.raises(BadPicture, match="carries no FaceForge provenance"):
        read_provenance(tmp_path / "screen.jpg")


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ('{"seed": 7', "is damaged"),
        ("", "is damaged"),
        ("[" * 100_000, "is damaged"),
        ("[1, 2]", "is a list, expected an object"),
        (json.dumps({"notes": "x" * MAX_BYTES}), f"has 1000013 bytes, at most {MAX_BYTES}"),
    ],
)
def test_damaged_provenance_is_refused_in_one_line(tmp_path: Path, text: str, refusal: str) -> None:
    picture().save(tmp_path / "out.png", pnginfo=png_with(text))
    with pytest.raises(BadPicture, match=refusal) as raised:
        read_provenance(tmp_path / "out.png")
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


def test_files_that_are_no_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("hello")
    for path, refusal in {
        tmp_path / "notes.png": "cannot be read as PNG, JPEG or WebP",
        tmp_path / "missing.png": "There is no file",
        tmp_path: "is a folder",
    }.items():
        with pytest.raises(BadPicture, match=refusal):
            read_provenance(path)


@reusing_tmp_path
@given(data=st.binary(max_size=300), magic=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1", b"RIFF"]))
def test_random_bytes_are_a_refusal_and_nothing_else(tmp_path: Path, data: bytes, magic: bytes) -> None:
    (tmp_path / "random.png").write_bytes(magic + data)
    with pytest.raises(FaceForgeError):
        read_provenance(tmp_path / "random.png")


@reusing_tmp_path
@given(data=st.data(), name=st.sampled_from(NAMES))
def test_flipped_bytes_are_a_refusal_or_still_an_object(tmp_path: Path, data: st.DataObject, name: str) -> None:
    write_picture(picture(), tmp_path / name, EDIT)
    damaged = bytearray((tmp_path / name).read_bytes())
    for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=4)):
        damaged[position] = data.draw(st.integers(0, 255))
    (tmp_path / name).write_bytes(damaged)
    with suppress(BadPicture):
        assert isinstance(read_provenance(tmp_path / name), dict)


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, b"bytes"])
def test_what_json_cannot_say_is_refused_before_anything_is_written(tmp_path: Path, value: object) -> None:
    with pytest.raises(CannotWrite, match="The provenance is not JSON"):
        write_picture(picture(), tmp_path / "a.png", {"x": value})
    with pytest.raises(CannotWrite, match="The provenance is not JSON"):
        write_sidecar(tmp_path / "a.png", {"x": value})
    assert list(tmp_path.iterdir()) == []


def test_more_provenance_than_can_be_read_again_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="at most"):
        write_picture(picture(), tmp_path / "a.png", {"notes": "x" * MAX_BYTES})


def test_a_sidecar_lies_beside_its_picture_under_the_full_name(tmp_path: Path) -> None:
    sidecar = write_sidecar(tmp_path / "out.png", EDIT)
    assert sidecar == tmp_path / "out.png.json"
    assert json.loads(sidecar.read_text()) == EDIT


def test_a_sidecar_cut_short_by_the_system_keeps_the_old_one(tmp_path: Path) -> None:
    write_sidecar(tmp_path / "out.png", EDIT)
    script = """
import resource, sys
from faceforge.errors import CannotWrite
from faceforge.io.provenance import write_sidecar
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write_sidecar(sys.argv[1], {"notes": "x" * 10_000})
except CannotWrite as refusal:
    print(refusal)
"""
    command = [sys.executable, "-c", script, str(tmp_path / "out.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    assert json.loads((tmp_path / "out.png.json").read_text()) == EDIT
    assert [file.name for file in tmp_path.iterdir()] == ["out.png.json"]

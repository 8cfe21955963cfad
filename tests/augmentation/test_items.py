"""What comes in: sources with stable keys, in an order of their own, and nothing they say leads anywhere."""

import json
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from faceforge.augmentation.items import items
from faceforge.augmentation.plan import Plan
from faceforge.errors import BadPicture, BadSpec


def picture(colour: str = "red") -> bytes:
    written = BytesIO()
    Image.new("RGB", (20, 20), colour).save(written, "PNG")
    return written.getvalue()


def found(base: Path, **given: Any) -> list[Any]:
    return items(Plan.of({"input": given}).at(base))


def folder(base: Path, *names: str) -> None:
    for name in names:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_bytes(picture())


def shard(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))


def test_a_folder_is_searched_deeply_and_in_order(tmp_path: Path) -> None:
    folder(tmp_path / "in", "b/2.png", "a/1.JPG", "z.webp", "notes.txt")
    assert [each.key for each in found(tmp_path, folder="in")] == ["z.webp", "a/1.JPG", "b/2.png"]


def test_labels_beside_pictures_are_read(tmp_path: Path) -> None:
    folder(tmp_path / "in", "1.png", "2.png")
    (tmp_path / "in/metadata.jsonl").write_text(json.dumps({"file_name": "2.png", "sex": "female"}) + "\n")
    assert [dict(each.labels) for each in found(tmp_path, folder="in")] == [{}, {"sex": "female"}]


def test_a_pattern_finds_pictures_only(tmp_path: Path) -> None:
    folder(tmp_path, "x/1.png", "x/y/2.png", "x/3.txt")
    assert [each.key for each in found(tmp_path, glob="x/**/*")] == ["x/1.png", "x/y/2.png"]


@pytest.mark.parametrize("given", [{"folder": "."}, {"glob": "**/*.png"}], ids=str)
def test_what_a_plan_made_is_no_source_of_it(tmp_path: Path, given: dict[str, str]) -> None:
    folder(tmp_path, "1.png", "out/images/000000/0000000-000.png", "out/augmentation.json")
    assert [each.key for each in found(tmp_path, **given)] == ["1.png"]


def test_a_table_names_pictures_and_brings_labels(tmp_path: Path) -> None:
    folder(tmp_path, "faces/1.png", "faces/2.png")
    (tmp_path / "faces/all.csv").write_text("image,age\n2.png,30\n1.png,40\n")
    rows = found(tmp_path, table="faces/all.csv", image="image")
    assert [(each.key, each.labels) for each in rows] == [("2.png", {"age": "30"}), ("1.png", {"age": "40"})]
    assert rows[0].read().image.size == (20, 20)
    with pytest.raises(BadSpec, match=r"input\.image"):
        found(tmp_path, table="faces/all.csv")


def test_shards_are_read_in_place_with_their_labels(tmp_path: Path) -> None:
    shard(tmp_path / "b.tar", {"x.png": picture("blue"), "x.json": b'{"sex": "male"}', "x.txt": b"no"})
    shard(tmp_path / "a.tar", {"x.png": picture("red")})
    first, second = found(tmp_path, shards="*.tar")
    assert (first.key, second.key, second.labels) == ("a.tar/x", "b.tar/x", {"sex": "male"})
    assert first.read().image.getpixel((0, 0)) == (255, 0, 0)
    assert second.read().image.getpixel((0, 0)) == (0, 0, 255)


def test_what_is_no_plain_file_in_a_shard_is_no_source(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        link = tarfile.TarInfo("evil.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(BadSpec, match="no picture"):
        found(tmp_path, shards="*.tar")


@pytest.mark.parametrize("content", [b"", b"torn", b"\x1f\x8b\x08"], ids=["empty", "torn", "compressed"])
def test_a_shard_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(BadSpec):
        found(tmp_path, shards="*.tar")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"folder": "nowhere"}, "no folder"),
        ({"glob": "*.png"}, "no picture"),
        ({"table": "no.csv"}, "no file"),
        ({"table": "odd.csv"}, "UTF-8"),
        ({"table": "odd.jsonl"}, "is not JSON"),
        ({"table": "odd.xls"}, "not a table"),
        ({"table": "twice.csv"}, "listed twice"),
    ],
    ids=str,
)
def test_what_holds_no_sources_is_refused(tmp_path: Path, given: dict[str, str], told: str) -> None:
    (tmp_path / "odd.csv").write_bytes(b"file_name\n\xff\xfe.png\n")
    (tmp_path / "odd.jsonl").write_text("{")
    (tmp_path / "odd.xls").write_text("x")
    (tmp_path / "twice.csv").write_text("file_name\n1.png\n1.png\n")
    with pytest.raises(BadSpec, match=told):
        found(tmp_path, **given)


def test_a_picture_that_has_gone_is_said_so_when_its_turn_comes(tmp_path: Path) -> None:
    folder(tmp_path, "1.png")
    (item,) = found(tmp_path, folder=".")
    (tmp_path / "1.png").unlink()
    with pytest.raises(BadPicture, match="no file"):
        item.read()

"""Photographs that are hard or impossible to edit, through the front door, with the finder that ships."""

import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import faceforge as ff
from faceforge.cli.repeat import SAMPLE
from faceforge.errors import BadPicture, NoFace
from faceforge.result import Result
from faceforge.warper import Warper
from tests.cli.running import run

SIDE = 256
SMILE = {"AU12": 3.0}


@cache
def sample() -> Image.Image:
    with Image.open(SAMPLE) as opened:
        return opened.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)


@cache
def editor() -> Warper:
    return ff.load(finder="embedded")


def smiling(image: Image.Image | bytes, **fields: object) -> Result:
    return editor().edit(image, aus=SMILE, **fields)


def said(result: Result, words: str) -> bool:
    return any(words in note for note in result.notes)


def beside(*images: Image.Image) -> Image.Image:
    """Pictures in a row on grey."""
    row = Image.new("RGB", (sum(each.width for each in images), max(each.height for each in images)), "grey")
    left = 0
    for each in images:
        row.paste(each, (left, 0))
        left += each.width
    return row


def changed(result: Result, source: Image.Image) -> np.ndarray:
    assert result.image is not None
    return (np.asarray(result.image) != np.asarray(source.convert("RGB"))).any(2)


def landscape() -> Image.Image:
    row, column = np.mgrid[:200, :300]
    grass = np.where(row[..., None] > 120, (60, 130, 50), (150, 190, 230)) + (row + column)[..., None] // 12
    grain = np.random.default_rng(0).normal(0, 6, (200, 300, 3))
    return Image.fromarray((grass + grain).clip(0, 255).astype(np.uint8))


def cartoon() -> Image.Image:
    image = Image.new("RGB", (300, 300), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 40, 260, 260), fill="yellow", outline="black", width=5)
    for x in (110, 190):
        draw.ellipse((x - 14, 110, x + 14, 145), fill="black")
    draw.arc((90, 120, 210, 220), 20, 160, fill="black", width=7)
    return image


def far_away(side: int) -> Image.Image:
    """The sample so small that its face is half of `side` pixels wide, in a wide room."""
    room = Image.new("RGB", (400, 300), (120, 130, 140))
    room.paste(sample().resize((side, side), Image.Resampling.LANCZOS), (180, 120))
    return room


@pytest.mark.parametrize(
    "nobody",
    [Image.new("RGB", (300, 200)), landscape(), cartoon()],
    ids=["black", "landscape", "cartoon"],
)
def test_where_no_face_is_seen_nothing_is_edited(nobody: Image.Image) -> None:
    with pytest.raises(NoFace, match="No face was found in this picture"):
        smiling(nobody)


def test_the_command_says_so_in_one_line_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    landscape().save("hill.png")
    ran = run("edit", "hill.png", "--finder", "embedded", "--au", "AU12=3", "-o", "out.png")
    assert ran.code != 0
    assert ran.err.strip().splitlines() == [
        "Error: No face was found in this picture. Give one where a face is seen from the front and not too small."
    ]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["hill.png"]


def test_a_face_of_twenty_pixels_is_refused_or_not_seen_at_all() -> None:
    with pytest.raises((BadPicture, NoFace), match=r"in which the face is larger|not too small"):
        smiling(far_away(40))


def test_a_small_face_is_edited_with_advice() -> None:
    room = far_away(110)
    result = smiling(room)
    assert said(result, "pixels wide")
    assert not changed(result, room)[:100].any()


def test_a_face_cut_by_the_border_is_edited_with_advice() -> None:
    cut = sample().crop((0, 100, SIDE, SIDE))
    result = smiling(cut)
    assert said(result, "cut off by the picture's border")
    assert changed(result, cut).any()


def test_of_many_faces_the_largest_is_edited_and_the_others_are_named() -> None:
    smaller = sample().resize((200, 200))
    group = beside(smaller, sample(), smaller)
    result = smiling(group)
    assert said(result, "3 faces were found, and number 1 by size is edited")
    columns = np.flatnonzero(changed(result, group).any(0))
    assert columns.min() >= 200
    assert columns.max() < 200 + SIDE
    assert not said(smiling(group, face="all"), "by size is edited")


def test_two_people_who_overlap_are_told_apart_with_a_warning() -> None:
    outline = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(outline).ellipse((50, 10, 200, 240), fill=255)
    couple = Image.new("RGB", (400, SIDE), "grey")
    couple.paste(sample(), (144, 0))
    couple.paste(sample(), (50, 0), outline)
    assert said(smiling(couple), "Another face overlaps this one")


def test_of_an_animation_the_first_frame_is_edited_with_a_word() -> None:
    file = io.BytesIO()
    sample().save(file, "GIF", save_all=True, append_images=[sample().rotate(20)], duration=100)
    with pytest.warns(UserWarning, match="several frames; only the first is used"):
        result = smiling(file.getvalue())
    assert changed(result, Image.open(file)).any()


def test_a_picture_with_bars_is_edited_with_advice() -> None:
    barred = Image.new("RGB", (SIDE, 2 * SIDE))
    barred.paste(sample().crop((0, 20, SIDE, 200)), (0, 150))
    assert said(smiling(barred), "black border")

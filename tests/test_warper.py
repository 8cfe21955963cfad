"""Editing photographs from end to end, without any generator: found, fitted, warped, written."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import faceforge as ff
from faceforge.errors import BadSpec, Cancelled, NoFace
from faceforge.face.found import Face
from faceforge.io.depth import shown
from faceforge.io.pictures import read_picture, write_picture
from faceforge.io.provenance import read_provenance
from faceforge.jobs import as_draft
from faceforge.synth.portrait import Portrait, portrait
from faceforge.warper import Warper

SIZE = 256


@cache
def sitter(seed: int = 34, **aus: float) -> Portrait:
    return portrait(seed, size=SIZE, aus=dict(aus), yaw_deg=3.0, pitch_deg=0.0, roll_deg=0.0, occluder=None)


class Known:
    """A finder that knows where faces are, and counts how often it was asked."""

    name = "synth"

    def __init__(self, *portraits: Portrait) -> None:
        self.portraits = portraits or (sitter(),)
        self.asked = 0

    def find(self, image: np.ndarray) -> list[Face]:
        self.asked += 1
        shift = np.array([SIZE, 0.0])
        return [Face(each.landmarks + number * shift, image.shape[:2], self.name)
                for number, each in enumerate(self.portraits)]  # fmt: skip


def picture(*portraits: Portrait) -> Image.Image:
    return Image.fromarray(np.concatenate([each.image for each in portraits or (sitter(),)], 1))


def mouth(of: Image.Image, number: int = 0) -> np.ndarray:
    x, y = sitter().landmarks[[48, 54]].mean(0).astype(int)
    return np.asarray(of)[y - 16 : y + 16, number * SIZE + x - 30 : number * SIZE + x + 30]


def test_one_edit_changes_the_mouth_and_leaves_the_border_alone() -> None:
    result = Warper(finder=Known()).edit(picture(), aus={"AU12": 3})
    assert result.image is not None
    assert result.image.size == (SIZE, SIZE)
    assert np.abs(mouth(result.image).astype(int) - mouth(picture())).mean() > 3
    assert np.array_equal(np.asarray(result.image)[:12], np.asarray(picture())[:12])
    assert set(result.seconds) == {"find", "fit", "warp"}


def test_the_same_wish_gives_the_same_pixels_again(tmp_path: Path) -> None:
    picture().save(tmp_path / "ada.png")
    one, two = (Warper(finder=Known()).edit(tmp_path / "ada.png", yaw_deg=8, light="window") for _ in range(2))
    assert one.image == two.image
    one.save(tmp_path / "out.png")
    record = read_provenance(tmp_path / "out.png")
    assert record["label"] == "AI-edited"
    assert record["spec"] == {"yaw_deg": 8.0, "light": "window"}
    assert record["pictures"]["source"]["name"] == "ada.png"
    assert record["model"]["name"] == "warp"


def test_a_sweep_finds_and_fits_the_face_once() -> None:
    finder = Known()
    results = list(Warper(finder=finder).sweep(picture(), au="AU1", values=[0, 2, 4]))
    assert finder.asked == 1
    assert results[0].image == picture()
    assert results[1].image != results[2].image


def test_the_face_that_is_asked_for_is_edited_and_all_of_them_can_be() -> None:
    two = (sitter(), sitter(21))
    editor = Warper(finder=Known(*two))
    changed = {
        which: [bool((mouth(editor.edit(picture(*two), aus={"AU12": 3}, face=which).image, n) != mouth(picture(*two), n)).any())  # type: ignore[arg-type]  # noqa: E501
                for n in (0, 1)]
        for which in (1, 2, "all")
    }  # fmt: skip
    assert sorted(map(tuple, (changed[1], changed[2]))) == [(False, True), (True, False)]
    assert changed["all"] == [True, True]
    with pytest.raises(NoFace, match="2 faces"):
        editor.edit(picture(*two), aus={"AU12": 3}, face=3)


def test_an_expression_can_be_taken_from_another_photograph() -> None:
    smiling = sitter(34, AU12=4.0, AU6=2.0)

    class Either(Known):
        def find(self, image: np.ndarray) -> list[Face]:
            same = np.array_equal(image, smiling.image)
            return [Face((smiling if same else sitter()).landmarks, image.shape[:2], self.name)]

    taken = Warper(finder=Either()).edit(picture(), pictures={"expression": picture(smiling)})
    assert taken.image is not None
    before, after = (
        np.abs(mouth(each).astype(int) - mouth(picture(smiling))).mean() for each in (picture(), taken.image)
    )
    assert after < 0.75 * before
    assert "expression" in taken.provenance["pictures"]


def test_light_can_be_taken_from_another_photograph() -> None:
    sitting = sitter().sitting
    other = Image.fromarray(np.asarray(picture())[:, ::-1].copy())  # lit from the other side

    class Either(Known):
        def find(self, image: np.ndarray) -> list[Face]:
            points = sitter().landmarks.copy()
            if not np.array_equal(image, sitter().image):
                points[:, 0] = SIZE - points[:, 0]
                points = points[_MIRRORED]
            return [Face(points, image.shape[:2], self.name)]

    found = Warper(finder=Either()).edit(picture(), pictures={"light": other})
    assert found.image is not None
    assert found.image != picture()
    assert sitting.light.directions  # the sitter is lit by lamps, so that sides differ


_MIRRORED = [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1),
             45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55,
             64, 63, 62, 61, 60, 67, 66, 65]  # fmt: skip


@pytest.mark.parametrize(
    "wish",
    [{"prompt": "a queen"}, {"steps": 4}, {"strength": {"identity": 1.0}}, {"pictures": {"background": "x.png"}}],
)
def test_what_only_a_generator_can_do_is_refused_by_name(wish: dict[str, object]) -> None:
    with pytest.raises(BadSpec, match="needs a generator"):
        Warper(finder=Known()).edit(picture(), **wish)


def test_a_draft_leaves_out_what_only_a_generator_can_do() -> None:
    job = ff.Job(picture(), ff.EditSpec(aus={"AU12": 2}, prompt="a queen", steps=4), {"background": picture()})
    draft = as_draft(job)
    assert draft.spec == ff.EditSpec(aus={"AU12": 2})
    assert not draft.pictures
    assert Warper(finder=Known()).edit(draft.image, draft.spec).image is not None  # type: ignore[arg-type]


def test_without_a_photograph_there_is_nothing_to_warp() -> None:
    with pytest.raises(BadSpec, match="was given none"):
        Warper(finder=Known()).generate(aus={"AU12": 2})


def test_a_picture_without_a_face_is_refused() -> None:
    class Nobody(Known):
        def find(self, image: np.ndarray) -> list[Face]:
            return []

    with pytest.raises(NoFace, match="No face was found"):
        Warper(finder=Nobody()).edit(picture(), aus={"AU12": 2})


def test_cancelling_stops_before_the_next_picture() -> None:
    stop: list[int] = []
    results = Warper(finder=Known()).sweep(picture(), au="AU1", values=[1, 2], cancelled=lambda: bool(stop))
    next(results)
    stop.append(1)
    with pytest.raises(Cancelled):
        next(results)


def test_the_default_editor_is_the_warp() -> None:
    assert isinstance(ff.load(), Warper)
    assert isinstance(ff.load("warp"), Warper)


def fading(bits: int) -> np.ndarray:
    """The sitter as a cut-out that fades away to the right; with 16 bits at levels between those of 8."""
    across = np.linspace(400, 0, SIZE).clip(0, 255).astype(np.uint8)
    pixels = np.dstack([sitter().image, np.tile(across, (SIZE, 1))])
    return pixels if bits == 8 else pixels.astype(np.uint16) * 256 + 77


@pytest.mark.parametrize(
    ("bits", "channels"), [(16, 1), (16, 3), (16, 4), (8, 4)], ids=["grey 16", "RGB 16", "RGBA 16", "RGBA 8"]
)
def test_depth_and_transparency_of_a_source_are_kept(tmp_path: Path, bits: int, channels: int) -> None:
    own = fading(bits)[..., :channels]
    write_picture(shown(own), tmp_path / "in.png", own=own)
    result = Warper(finder=Known()).edit(tmp_path / "in.png", aus={"AU12": 3})
    result.save(tmp_path / "out.png")
    out = read_picture(tmp_path / "out.png").own
    assert out is not None
    assert (out.shape, out.dtype) == (own.shape, own.dtype)
    assert np.array_equal(out[:12], own[:12])
    assert np.array_equal(out[:, -12:], own[:, -12:])
    assert (out[..., 0] != own[..., 0]).any()
    if bits == 16:
        assert len(np.unique(out[..., 0] % 256)) > 100  # moved pixels use all the bits there are


def test_an_edit_of_nothing_keeps_every_bit_of_every_kind() -> None:
    own = fading(8)
    result = Warper(finder=Known()).edit(Image.fromarray(own), aus={})
    assert result.own is not None
    assert np.array_equal(result.own, own)


def test_transparency_goes_with_a_head_that_turns() -> None:
    own = fading(8)
    own[..., 3] = np.where(sitter().parts > 0, 255, 0)
    result = Warper(finder=Known()).edit(Image.fromarray(own), yaw_deg=15)
    assert result.own is not None
    moved = result.own[..., 3] != own[..., 3]
    assert moved.any()
    assert not moved[:60, :50].any()

"""What visitors bring and take home besides photographs: presets, edits to restore, a badge."""

import io
import shlex
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from faceforge.errors import BadPicture, BadSpec
from faceforge.io.provenance import read_provenance
from faceforge.spec import EditSpec
from faceforge_demos.bringing import preset_in, uploaded
from faceforge_demos.controls import DIRECTION, resting, spec_of, values_of
from faceforge_demos.copying import as_command
from faceforge_demos.session import SAMPLE, Session
from tests.cli.running import run
from tests.demos.wishes import wish


@pytest.fixture
def session(opened: Session) -> Session:
    opened.open_sample()
    return opened


@pytest.mark.parametrize(
    "values",
    [
        wish(AU12=1.5, AU4=-0.7),
        wish(preset="surprise", amount=0.35, yaw_deg=7.0),
        wish(gaze_yaw_deg=-8.0, light="lamp", face="2"),
        wish(light=DIRECTION, across=-60.0, up=20.0, face="all"),
    ],
)
def test_widgets_find_back_from_what_they_said(values: dict[str, Any]) -> None:
    spec = spec_of(values)
    assert spec_of(values_of(spec)) == spec


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (EditSpec(aus={"AU12L": 1.0}), "no slider for AU12L"),
        (EditSpec(aus={"AU12": 6.0}), "AU12=6 is more than"),
        (EditSpec(yaw_deg=60.0), "yaw_deg=60 is more than"),
        (EditSpec(prompt="a pirate"), "cannot say prompt"),
    ],
)
def test_a_wish_beyond_the_widgets_is_refused_whole(spec: EditSpec, said: str) -> None:
    with pytest.raises(BadSpec, match=said):
        values_of(spec)


def test_a_preset_goes_home_and_comes_back(session: Session) -> None:
    edit = session.finish(wish(AU12=2.0, yaw_deg=5.0))
    kept = session.save_preset()
    assert kept.name == "sample-preset.json"
    session.finish(resting())
    assert session.bring(kept.read_bytes(), kept.name) == ""
    assert session.current.spec == edit.spec
    assert session.current.picture.tobytes() == edit.picture.tobytes()


def test_a_preset_is_for_any_face(session: Session) -> None:
    session.finish(wish(AU12=2.0, face="all"))
    assert preset_in(session.save_preset().read_bytes(), "p.json") == EditSpec(aus={"AU12": 2.0})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'"AU12"',
        b'{"aus": {"AU99": 1}}',
        b'{"aus": {"AU12": NaN}}',
        b'{"smile": 3}',
        b'{"yaw_deg": 1e999}',
        b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.",  # a pickle
        b"\xff\xfe{}",
        b"[" * 50_000,
        b" " * 200_000,
    ],
)
def test_bad_presets_are_refused_in_one_line_and_change_nothing(session: Session, data: bytes) -> None:
    with pytest.raises(BadSpec) as refusal:
        session.bring(data, "../mine.json")
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("'mine.json' ")
    assert session.current.is_source


def test_a_preset_needs_a_photograph() -> None:
    with pytest.raises(BadSpec, match="no photograph yet"):
        Session().bring(b'{"aus": {"AU12": 1}}', "p.json")


def renamed(tmp_path: Path) -> tuple[bytes, str]:
    """A photograph that is nobody's sample: the same face, one pixel off."""
    image = Image.open(SAMPLE).convert("RGB")
    image.putpixel((0, 0), (1, 2, 3))
    held = io.BytesIO()
    image.save(held, "PNG")
    (tmp_path / "ada.png").write_bytes(held.getvalue())
    return held.getvalue(), "ada.png"


def test_an_edit_brought_back_restores_its_sliders_and_its_file(session: Session) -> None:
    session.finish(wish(preset="polite-smile", AU4=1.0))
    saved = session.save().read_bytes()
    session.finish(wish(AU1=3.0))
    assert session.bring(saved, "sample-edited.png") == ""
    assert session.current.values["AU12"] == 2.5
    assert session.save().read_bytes() == saved


def test_an_edit_of_another_photograph_waits_for_it(session: Session, tmp_path: Path) -> None:
    ada = renamed(tmp_path)
    session.open(*ada)
    session.finish(wish(AU12=2.0))
    saved = session.save().read_bytes()
    newcomer = Session(session.warper.reader.finder)
    said = newcomer.bring(saved, "found.png")
    assert said == (
        "'found.png' is an edit of 'ada.png'. Open that and the edit comes back, "
        "or bring this one again to edit it as it is."
    )
    assert newcomer.picture is None
    newcomer.bring(*ada)
    assert newcomer.current.spec == EditSpec(aus={"AU12": 2.0})
    assert newcomer.save().read_bytes() == saved


def test_an_edit_brought_twice_is_a_photograph(session: Session, tmp_path: Path) -> None:
    session.open(*renamed(tmp_path))
    session.finish(wish(AU12=2.0))
    saved = session.save().read_bytes()
    session.open_sample()
    assert session.bring(saved, "found.png")
    assert session.bring(saved, "found.png") == ""
    assert (session.source, session.current.is_source) == ("found.png", True)


def test_going_on_adds_edits_up_and_the_command_says_so(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadSpec, match="the photograph itself"):
        session.go_on()
    session.finish(wish(AU12=2.0))
    first = session.save().read_bytes()
    session.go_on()
    assert session.current.is_source
    spec = session.finish(wish(AU1=2.0)).spec
    (tmp_path / "sample-edited.png").write_bytes(first)
    monkeypatch.chdir(tmp_path)
    ran = run(*shlex.split(as_command(spec, session.source))[1:])
    assert ran.code == 0, ran.err
    assert (tmp_path / "sample-edited-edited.png").read_bytes() == session.save().read_bytes()


def test_a_badge_is_in_the_corner_and_in_the_record_and_nowhere_else(session: Session) -> None:
    session.finish(wish(AU12=2.0))
    plain = Image.open(session.save()).convert("RGB").copy()
    path = session.save(badge=True)
    assert read_provenance(path)["badge"] == "AI-edited"
    marked = Image.open(path).convert("RGB")
    left, top, right, bottom = (
        Image.composite(marked, Image.new("RGB", marked.size), _differing(plain, marked)).getbbox() or ()
    )
    assert left > 0.7 * marked.width
    assert top > 0.9 * marked.height
    assert (right, bottom) < marked.size
    assert marked.crop((left, top, right, bottom)).convert("L").getextrema()[1] == 255  # the letters


def _differing(one: Image.Image, other: Image.Image) -> Image.Image:
    return ImageChops.difference(one, other).convert("L").point(lambda level: 255 if level else 0)


def test_a_picture_comes_with_the_word_that_it_may_be_edited() -> None:
    with pytest.raises(BadPicture, match="Edit only pictures of yourself"):
        uploaded({"name": "ada.png", "data": "aGk="})
    assert uploaded({"name": "ada.png", "data": "aGk=", "agreed": True}) == (b"hi", "ada.png")
    assert uploaded({"name": "p.json", "data": "aGk="}) == (b"hi", "p.json")

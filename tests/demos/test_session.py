"""What one visitor does, without a browser: open, move, look, go back, take it home."""

import doctest
import io
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from faceforge.aus import UNITS
from faceforge.errors import BadPicture, BadSpec, NoFace
from faceforge.spec import DIRECTIONS, EditSpec
from faceforge_demos import bringing, controls, copying
from faceforge_demos.bringing import MAX_BYTES, plain_name
from faceforge_demos.chart import chart, notes
from faceforge_demos.controls import DIRECTION, lights, resting, spec_of, turns, units
from faceforge_demos.copying import as_command, as_python, unsayable
from faceforge_demos.session import SAMPLE, Session
from tests.cli.running import run
from tests.demos.wishes import wish


@pytest.fixture
def session(opened: Session) -> Session:
    opened.edits, opened.at = opened.edits[:1], 0
    return opened


def png(width: int, height: int) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(held, "PNG")
    return held.getvalue()


def test_there_is_a_slider_for_every_unit_and_every_angle() -> None:
    assert {each.name: region for region, group in units().items() for each in group} == {
        code: unit.region for code, unit in UNITS.items()
    }
    assert list(units()) == ["brow", "eye", "nose", "mouth", "jaw"]
    assert {each.name for each in turns()} == {name for name in EditSpec.model_fields if name.endswith("_deg")}
    assert len(turns()) == len(DIRECTIONS)


@pytest.mark.parametrize("module", [bringing, controls, copying])
def test_examples_in_the_documentation_hold(module: ModuleType) -> None:
    done = doctest.testmod(module)
    assert (done.attempted > 0, done.failed) == (True, 0)


def test_widgets_at_rest_are_an_empty_wish() -> None:
    assert spec_of(resting()) == EditSpec()
    assert spec_of(resting()).to_json() == "{}"


def test_widgets_say_what_they_show() -> None:
    said = spec_of(wish(AU12=0.1 + 0.2, yaw_deg=-10.0, light="window", face="2"))
    assert said == EditSpec(aus={"AU12": 0.3}, yaw_deg=-10.0, light="window", face=2)
    assert spec_of(wish(light=DIRECTION, across=-60.0, up=20.0)).light == (-60.0, 20.0)
    assert spec_of(wish(face="all")).face == "all"


def test_a_preset_adds_to_the_sliders() -> None:
    assert spec_of(wish(preset="polite-smile", amount=0.5, AU12=1.0)).aus == {"AU12": 2.25}
    assert spec_of(wish(preset="polite-smile", AU12=-2.5)).aus == {}


@pytest.mark.parametrize("light", lights())
def test_every_light_that_is_offered_can_be_asked_for(session: Session, light: str) -> None:
    assert session.draft(wish(light=light)).image is not None


def test_nothing_can_be_edited_before_a_photograph_is_open() -> None:
    with pytest.raises(BadSpec, match="no photograph yet"):
        Session().draft(resting())


def test_no_change_gives_the_photograph(session: Session) -> None:
    image = session.draft(resting()).image
    assert image is not None
    assert image.tobytes() == Image.open(SAMPLE).convert("RGB").tobytes()


def test_a_photograph_is_read_once_whatever_is_asked_of_it(session: Session) -> None:
    before = dict(session.photograph.seconds)
    for value in (1.0, 2.0, 3.0):
        session.finish(wish(AU12=value))
    assert session.photograph.seconds == before


def test_history_goes_back_and_forth_and_a_new_edit_drops_what_was_undone(session: Session) -> None:
    smile, frown = session.finish(wish(AU12=2.0)), session.finish(wish(AU4=3.0))
    assert session.go(session.at - 1) is smile
    assert session.go(session.at + 1) is frown
    assert session.go(99) is frown
    session.go(1)
    session.finish(wish(AU1=1.0))
    assert [each.brief for each in session.edits] == ["the photograph", "AU12 +2", "AU1 +1"]


def test_the_same_wish_twice_is_one_edit(session: Session) -> None:
    assert session.finish(wish(AU12=2.0)) is session.finish(wish(AU12=2.0))
    assert len(session.edits) == 2


def test_history_is_bounded_and_keeps_the_photograph(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faceforge_demos.session.MAX_EDITS", 3)
    for value in (1.0, 2.0, 3.0, 4.0):
        session.finish(wish(AU1=value))
    assert [each.brief for each in session.edits] == ["the photograph", "AU1 +3", "AU1 +4"]
    assert session.current.spec.aus == {"AU1": 4.0}


def test_visitors_share_nothing(session: Session) -> None:
    session.finish(wish(AU12=2.0))
    other = Session(session.warper.reader.finder)
    with pytest.raises(BadSpec):
        other.save()
    other.open_sample()
    assert len(other.edits) == 1
    assert other.save() != session.save()


def test_what_was_asked_and_what_was_seen_stand_side_by_side(session: Session) -> None:
    edit = session.finish(wish(AU12=3.0, AU28=1.0))
    assert edit.measured is not None
    assert edit.measured.aus["AU12"] > 1.0
    assert 0.8 < edit.measured.identity <= 1.0
    drawn = chart(edit)
    assert "+3.0 →" in drawn
    assert "+1.0 → unread" in drawn  # the judge does not know lips that are sucked in
    assert f"{edit.measured.identity:.2f} of 1" in drawn


def test_only_an_edit_is_measured(session: Session) -> None:
    assert session.current.measured is None
    assert "Move a slider" in chart(session.current)


def test_large_pictures_are_kept_in_smaller_numbers(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faceforge_demos.session.KEPT_PIXELS", 3 * 512 * 512)
    for value in (1.0, 2.0, 3.0, 4.0):
        session.finish(wish(AU1=value))
    assert [each.brief for each in session.edits] == ["the photograph", "AU1 +3", "AU1 +4"]


def test_another_face_than_the_largest_is_measured_too() -> None:
    sample = Image.open(SAMPLE).convert("RGB")
    both = Image.new("RGB", (1000, 512), sample.getpixel((5, 5)))
    both.paste(sample, (0, 0))
    both.paste(sample.resize((400, 400)), (560, 60))
    held = io.BytesIO()
    both.save(held, "PNG")
    session = Session()
    session.open(held.getvalue(), "both.png")
    assert len(session.photograph.faces) == 2
    measured = session.finish(wish(AU12=3.0, face="2")).measured
    assert measured is not None
    assert measured.aus["AU12"] > 1.0


def test_what_cannot_be_granted_is_said(session: Session) -> None:
    edit = session.finish(wish(AU4=-4.0))
    assert any("AU4 was changed by" in each for each in edit.notes)
    assert "AU4 was changed by" in notes(edit.notes)


def test_the_photograph_s_own_units_are_known(session: Session) -> None:
    shown = session.shown("1")
    assert set(shown) == set(UNITS)
    assert all(0 <= value <= 5 for value in shown.values())
    assert session.shown("all") == shown


WISHES = [
    wish(AU12=1.5, AU4=-0.7),
    wish(preset="surprise", amount=0.35, yaw_deg=7.0, pitch_deg=-3.0, roll_deg=2.0),
    wish(gaze_yaw_deg=-8.0, gaze_pitch_deg=4.0, light="lamp"),
    wish(light=DIRECTION, across=-60.0, up=20.0, face="all"),
]


@pytest.mark.parametrize("values", WISHES)
def test_the_command_makes_the_same_file(
    values: dict[str, Any], session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "-ada's (1).png").write_bytes(SAMPLE.read_bytes())
    session.open(SAMPLE.read_bytes(), "-ada's (1).png")
    spec = session.finish(values).spec
    assert not unsayable(spec)
    monkeypatch.chdir(tmp_path)
    ran = run(*shlex.split(as_command(spec, session.source))[1:])
    assert ran.code == 0, ran.err
    assert (tmp_path / "-ada's (1)-edited.png").read_bytes() == session.save().read_bytes()
    session.open_sample()


def test_the_python_makes_the_same_file(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = session.finish(WISHES[1]).spec
    monkeypatch.chdir(tmp_path)
    exec(compile(as_python(spec, session.source), "copied", "exec"), {})
    assert (tmp_path / "sample-edited.png").read_bytes() == session.save().read_bytes()


def test_a_command_cannot_smuggle_another_in() -> None:
    name = plain_name("a; touch owned $(id) `id`.png")
    assert "'a; touch owned $(id) `id`.png'" in as_command(EditSpec(aus={"AU12": 1}), name)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is not a PNG, JPEG, WEBP picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "is not a PNG, JPEG, WEBP picture"),
        (SAMPLE.read_bytes()[:2000], "cut off or damaged"),
        (bytes(MAX_BYTES + 1), "at most 20 are taken"),
        (png(6000, 4100), "at most 24 megapixels are taken"),
        (png(8, 8), "at least 16x16"),
    ],
    ids=["empty", "postscript", "cut off", "too many bytes", "too many pixels", "tiny"],
)
def test_bad_uploads_are_refused_in_one_line_and_leave_what_is_open(session: Session, data: bytes, said: str) -> None:
    with pytest.raises(BadPicture, match=said) as refusal:
        session.open(data, "../ada.png")
    assert "\n" not in str(refusal.value)
    assert ".." not in str(refusal.value)
    assert session.source is None
    assert session.current.brief == "the photograph"


def test_a_picture_without_a_face_is_refused(session: Session) -> None:
    with pytest.raises(NoFace):
        session.open(png(300, 300), "wall.png")
    assert session.draft(resting()).image is not None


def test_demo_is_a_command_and_says_plainly_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert run("demo").refusal == 'Error: The studio needs Gradio. Get it with: pip install "faceforge[demo]"\n'


def test_half_a_password_is_refused() -> None:
    assert "'ada:' is not USER:PASSWORD" in run("demo", "--auth", "ada:").err

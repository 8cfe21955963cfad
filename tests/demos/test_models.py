"""The studio with a generator: its settings are read from the model, and everything it says can be said again."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from faceforge.core.identity import IdentityEncoder
from faceforge.core.manifest import Control, Manifest
from faceforge.core.plugin import Plugin
from faceforge.errors import BadSpec, Cancelled
from faceforge.forge import Forge
from faceforge.io.provenance import read_provenance
from faceforge.models import miniature
from faceforge.spec import EditSpec
from faceforge_demos.controls import resting, spec_of, values_of
from faceforge_demos.copying import NEW_FACE, as_command, as_generate_command, unsayable
from faceforge_demos.knobs import asked, knobs
from faceforge_demos.loaded import known_models, tables
from faceforge_demos.model import movable, notice, units_of
from faceforge_demos.session import Session
from tests.cli.running import run


class Stranger(Plugin):
    """Somebody else's plugin, with controls and a summary that no page should trust."""

    manifest = Manifest(
        name="stranger",
        version="0.1",
        summary="<script>alert(1)</script>",
        controls={
            "how_far": Control(default=2, help="a whole number", minimum=0, maximum=9),
            "softly": Control(default=False, help="a switch"),
            "style": Control(default="plain", help="a choice", choices=("plain", "grim")),
        },
    )


@pytest.fixture(scope="module")
def forge() -> Forge:
    return miniature()


@pytest.fixture(scope="module")
def session(forge: Forge) -> Session:
    session = Session(None, forge, "tiny")
    session.open_sample()
    return session


def settings(forge: Forge) -> Mapping[str, Any]:
    return {each.name: each.default for each in knobs(forge)}


def test_the_warp_has_no_settings_and_moves_everything() -> None:
    assert knobs(None) == []
    assert {"AU43", "yaw_deg", "gaze_pitch_deg", "light"} <= movable(None)


def test_settings_are_the_model_s_own(forge: Forge) -> None:
    found = settings(forge)
    assert found["steps"] == 8
    assert found["guidance"] == 1.5
    assert {"prompt", "negative_prompt", "seed", "strength.identity", "strength.magicface"} <= set(found)
    assert "strength.text" not in found


def test_a_plugin_s_controls_appear_without_a_line_for_them(forge: Forge) -> None:
    forge.attach(Stranger())
    try:
        own = {each.name: each for each in knobs(forge) if "stranger" in each.name}
        assert list(own) == [
            "strength.stranger",
            "controls.stranger.how_far",
            "controls.stranger.softly",
            "controls.stranger.style",
        ]
        assert (own["controls.stranger.how_far"].least, own["controls.stranger.how_far"].most) == (0, 9)
        assert own["controls.stranger.style"].choices == ("plain", "grim")
        said = {**resting(knobs(forge)), "controls.stranger.softly": True, "strength.stranger": 0.5}
        spec = spec_of(said, knobs(forge))
        assert spec == EditSpec(controls={"stranger": {"softly": True}}, strength={"stranger": 0.5})
        assert spec_of(values_of(spec, knobs(forge)), knobs(forge)) == spec
        assert "<script>" not in tables(forge)
        assert "how_far" in tables(forge)
    finally:
        forge.detach("stranger")


def test_what_a_model_cannot_do_is_said(forge: Forge) -> None:
    assert "AU43" not in units_of(forge)
    assert movable(forge) == set(units_of(forge))
    said = notice("tiny", forge)
    assert "model: *tiny*" in said
    assert "turns no heads" in said
    assert "weights are random" in said
    assert "AU12" in said
    assert "draws nothing new" in notice("warp", None)


def test_drafts_are_the_warp_s_and_edits_the_model_s(session: Session) -> None:
    values = {**resting(session.knobs), "AU12": 2.0, "prompt": "a face", "seed": 3}
    assert session.draft(values).provenance["model"]["name"] == "warp"
    edit = session.finish(values)
    assert edit.result.provenance["model"]["name"] == "tiny"
    assert edit.spec == EditSpec(aus={"AU12": 2.0}, prompt="a face", seed=3)
    assert edit.before.size == edit.picture.size == (64, 64)


def test_a_model_s_edit_is_the_same_file_out_of_a_command_and_comes_back(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {**resting(session.knobs), "AU12": 2.0, "steps": 2, "guidance": 1.0, "strength.identity": 0.5}
    values |= {"prompt": "-a 'face'", "seed": 3}
    edit = session.finish(values)
    assert not unsayable(edit.spec)
    saved = session.save().read_bytes()
    monkeypatch.chdir(tmp_path)
    ran = run(*shlex.split(as_command(edit.spec, session.source, edit.model))[1:])
    assert ran.code == 0, ran.err
    assert (tmp_path / "sample-edited.png").read_bytes() == saved
    assert asked(session.forge, read_provenance(tmp_path / "sample-edited.png")["spec"]) == edit.spec

    session.finish(resting(session.knobs))
    assert session.bring(saved, "sample-edited.png") == ""
    assert session.current.spec == edit.spec


def test_an_edit_of_another_model_says_which(session: Session) -> None:
    warp = Session(session.warper.reader.finder)
    warp.open_sample()
    warp.finish({**resting(), "AU12": 2.0})
    said = session.bring(warp.save().read_bytes(), "sample-edited.png")
    assert "was made by the model 'warp', and this one is 'tiny'" in said


def test_a_running_edit_can_be_cancelled(session: Session) -> None:
    before = session.current

    def at_the_second(step: Any) -> None:
        if step.number == 2:
            session.stop.set()

    with pytest.raises(Cancelled, match="Stopped after step 2 of 8"):
        session.finish({**resting(session.knobs), "AU4": 2.0, "seed": 9}, at_the_second)
    assert session.current is before
    session.finish({**resting(session.knobs), "AU4": 2.0, "seed": 9, "steps": 1})  # the next is not


def test_a_new_face_is_the_same_file_out_of_a_command(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = EditSpec(aus={"AU12": 2.0}, prompt="a face", steps=2, seed=5)
    saved = session.generate(spec).save(tmp_path / "here.png").read_bytes()
    monkeypatch.chdir(tmp_path)
    ran = run(*shlex.split(as_generate_command(spec, "tiny"))[1:])
    assert ran.code == 0, ran.err
    assert (tmp_path / NEW_FACE).read_bytes() == saved
    assert Image.open(tmp_path / NEW_FACE).size == (64, 64)


def test_the_warp_makes_no_new_face() -> None:
    with pytest.raises(BadSpec, match="was given none"):
        Session().generate(EditSpec())


def test_the_table_tells_loaded_from_installed(forge: Forge) -> None:
    loaded, installed = tables(forge).split("Installed, and not loaded")
    assert IdentityEncoder.manifest.name in loaded
    assert "self_attention" in loaded
    assert "rigface" in installed
    assert "no network that a plugin could attach to" in tables(None)
    assert {"tiny", "magicface"} <= set(known_models())

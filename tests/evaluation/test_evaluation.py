"""Evaluating: plans, records that go on, folders of pairs, reports and pages."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceforge.editor import Editor
from faceforge.errors import BadPicture, BadSpec, CannotWrite
from faceforge.evaluation.against import against, read_report
from faceforge.evaluation.observing import Observation, Observer
from faceforge.evaluation.page import page
from faceforge.evaluation.pairs import observed, read_folder
from faceforge.evaluation.report import report
from faceforge.evaluation.running import OBSERVED, Record, about, run
from faceforge.evaluation.subjects import FIRST, Subject, photographs, portraits
from faceforge.evaluation.trials import Plan, Trial
from faceforge.io.pictures import read_picture
from faceforge.jobs import Job
from faceforge.mer.judges import Facts
from faceforge.result import Result
from tests.mer.pairs import face

PLAN = Plan(units=("AU1", "AU12"), doses=(1.0, 2.0, 3.0), seeds=(0, 1))


class Tint(Editor):
    """Writes its wish into one pixel: AU1 as red, AU12 as green, thirty levels a unit."""

    name = "tint"

    def __init__(self) -> None:
        self.made = 0

    def edit_many(self, jobs, **watch) -> Iterator[Result]:  # type: ignore[no-untyped-def, override]
        for job in jobs:
            self.made += 1
            source = job.image.image
            levels = [round(30 * job.spec.aus.get(code, 0.0)) for code in ("AU1", "AU12")]
            image = source.copy()
            image.putpixel((0, 0), (100 + levels[0], 100 + levels[1], 100))
            history = {
                "spec": job.spec.model_dump(mode="json", exclude_defaults=True),
                "pictures": {"source": {"name": job.image.name, "sha256": job.image.sha256}},
            }
            yield Result(image, job.spec, None, {}, history, (), source)


class Corner:
    """Reads what Tint writes."""

    codes = ("AU1", "AU12")
    facts = Facts("corner")

    def delta(self, source: Image.Image, edited: Image.Image) -> Sequence[float]:
        seen = np.array(edited.getpixel((0, 0))[:2], float) - np.array(source.getpixel((0, 0))[:2])
        return [float(each) / 30 for each in seen]


def subjects(count: int = 2) -> list[Subject]:
    """One face under several names; who they are does not matter here."""
    image = face().copy()
    image.putpixel((0, 0), (100, 100, 100))
    names = [f"p{number}" for number in range(count)]
    picture = read_picture(image)
    return [Subject(n, n, replace(picture, name=f"{n}.png"), {}, {"sex": "fm"[i % 2]}) for i, n in enumerate(names)]


@pytest.fixture
def observer(monkeypatch: pytest.MonkeyPatch) -> Observer:
    monkeypatch.setattr(Observer, "_fitted", lambda *_: None)
    monkeypatch.setattr("faceforge.evaluation.observing.fit", lambda *_: None)
    monkeypatch.setattr("faceforge.evaluation.observing.pose_and_light", lambda *_: {"pose_deg": 1.0, "light": 0.0})
    return Observer([Corner()])


def evaluated(folder: Path, observer: Observer, editor: Tint | None = None) -> tuple[dict, list[Observation]]:  # type: ignore[type-arg]
    editor, people = editor or Tint(), subjects()
    record = Record(folder, about(editor, PLAN, people, observer))
    run(editor, people, PLAN, observer, record)
    return report(about(editor, PLAN, people, observer), record.seen, observer.judges), record.seen


def test_a_plan_asks_for_nothing_first_and_for_no_more_than_a_face_can_show() -> None:
    plan = Plan(units=("AU12",), doses=(-1.0, 2.0, 4.0))
    smiling = Subject("s", "s", read_picture(face()), {"AU12": 3.0})
    assert list(plan.trials(smiling)) == [Trial("", 0.0, 0), Trial("AU12", -1.0, 0), Trial("AU12", 2.0, 0)]
    assert plan.out_of_reach([smiling]) == 1
    unknown = Subject("u", "u", read_picture(face()))
    assert [each.dose for each in plan.trials(unknown)] == [0, -1, 2, 4]


@pytest.mark.parametrize("fields", [{"units": ("AU1", "1")}, {"units": ("AU12L",)}, {"doses": (0.0,)}, {"seeds": ()}])
def test_plans_without_sense_are_refused(fields: dict[str, tuple[object, ...]]) -> None:
    with pytest.raises(BadSpec):
        Plan(**fields)  # type: ignore[arg-type]


def test_evaluation_people_are_drawn_neutral_and_from_their_own_seeds() -> None:
    (subject,) = portraits(1)
    assert subject.name == f"synth-{FIRST}"
    assert subject.present == {}
    assert set(subject.groups) == {"skin tone", "age", "sex"}
    with pytest.raises(BadSpec):
        next(portraits(0))


def test_a_whole_run_scores_an_honest_editor_perfectly(tmp_path: Path, observer: Observer) -> None:
    found, seen = evaluated(tmp_path / "out", observer)
    assert len(seen) == 2 * 2 * (1 + 2 * 3)
    score = found["scores"]["corner"]
    assert score["headline"] == pytest.approx({"icc": 1, "signed_f1": 1, "leakage_ratio": 0, "spearman": 1})
    assert score["edits"] == 24
    assert score["consistency"] == {"AU1": 0, "AU12": 0}
    assert set(score["slices"]["sex"]["values"]) == {"f", "m"}
    assert score["slices"]["sex"]["gaps"]["icc"]["size"] == pytest.approx(0)
    assert found["preserved"]["pose_deg"] == {"median": 1.0, "worst_tenth": 1.0, "n": 4}
    assert found["preserved"]["identity"] is None
    json.dumps(found, allow_nan=False)


def test_a_run_that_was_killed_goes_on_and_another_one_is_refused(tmp_path: Path, observer: Observer) -> None:
    whole, _ = evaluated(tmp_path / "whole", observer)
    evaluated(tmp_path / "cut", observer)
    path = tmp_path / "cut" / OBSERVED
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-3]) + lines[-3][:20])
    editor = Tint()
    again, _ = evaluated(tmp_path / "cut", observer, editor)
    assert editor.made == 3
    assert again == whole
    with pytest.raises(CannotWrite, match="another evaluation"):
        Record(tmp_path / "cut", {"another": "plan"})


def test_its_own_pictures_score_the_same_as_pairs(tmp_path: Path, observer: Observer) -> None:
    found, _ = evaluated(tmp_path / "out", observer)
    folder = read_folder(tmp_path / "out" / "pictures")
    seen = list(observed(folder, observer))
    assert len(seen) == 28
    assert report({}, seen, observer.judges)["scores"]["corner"]["mean"] == found["scores"]["corner"]["mean"]


def test_foreign_pairs_say_in_a_sidecar_what_they_are(tmp_path: Path, observer: Observer) -> None:
    (subject,) = subjects(1)
    subject.picture.image.save(tmp_path / "ada.png")
    subject.picture.image.save(tmp_path / "edit.png")
    subject.picture.image.save(tmp_path / "stranger.png")
    subject.picture.image.resize((100, 100)).save(tmp_path / "small.png")
    facts = {"source": "ada.png", "aus": {"AU12L": 2, "AU1": 1}, "identity": "Ada", "groups": {"sex": "f"}}
    (tmp_path / "edit.png.json").write_text(json.dumps(facts))
    (tmp_path / "small.png.json").write_text(json.dumps(facts))
    folder = read_folder(tmp_path)
    assert list(folder.left_out) == ["stranger.png"]
    edit, small = observed(folder, observer)
    assert (edit.requested, edit.identity, edit.groups) == ({"AU12": 1.0, "AU1": 1.0}, "Ada", {"sex": "f"})
    assert edit.detected == {"corner": {"AU1": 0.0, "AU12": 0.0}}
    assert "two sizes" in small.trouble
    assert report({}, [edit, small], observer.judges)["troubles"][0]["why"] == small.trouble


def test_folders_without_pairs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPicture, match="There is no folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(BadPicture, match="holds no picture"):
        list(photographs(tmp_path))
    face().save(tmp_path / "ada.png")
    (tmp_path / "ada.png.json").write_text("{no json")
    with pytest.raises(BadPicture, match="says what it was edited from"):
        read_folder(tmp_path)


def test_a_picture_without_a_face_is_trouble_and_not_a_score(observer: Observer) -> None:
    found = observer.observe(face(), Image.new("RGB", face().size, "grey"), closely=False)
    assert list(found) == ["trouble"]
    nothing = report({}, [Observation("a", "a", {"AU12": 1.0}, 0, "x", "y", **found)], observer.judges)
    assert nothing["scores"]["corner"] == {"edits": 0}


def test_the_page_needs_nothing_else_and_names_its_judge(tmp_path: Path, observer: Observer) -> None:
    found, seen = evaluated(tmp_path, observer)
    found["against"] = against(found, {**found, "editor": "<b>other</b>"}, Path("before"))
    text = page(found, seen, observer.judges, tmp_path)
    assert "corner (no weights)" in text
    assert "<script" not in text
    assert "http" not in text
    assert "<b>other" not in text
    assert text.count("data:image/jpeg;base64,") == 8
    assert text.count("<svg") == 2


def test_two_runs_are_compared_and_told_apart(tmp_path: Path, observer: Observer) -> None:
    found, _ = evaluated(tmp_path, observer)
    before = json.loads(json.dumps(found))
    before["scores"]["corner"]["headline"]["icc"] = 0.25
    before["plan"]["seeds"] = [7]
    compared = against(found, before, tmp_path)
    assert compared["changes"][0] == {"judge": "corner", "name": "icc", "before": 0.25, "now": 1.0, "change": 0.75}
    assert compared["notes"] == ["The two differ in plan, so part of the change may be due to that."]
    with pytest.raises(BadSpec, match="is no report"):
        read_report(tmp_path / "nowhere")


def test_a_result_says_what_was_asked_and_what_is_seen() -> None:
    (subject,) = subjects(1)
    job = Job(subject.picture)
    result = next(iter(Tint().edit_many([job])))
    assert result.measured("landmarks") == dict.fromkeys(result.measured("landmarks"), 0.0) != {}
    history = {"plugins": [], "model": {"name": "tint"}}
    asked = Result(result.image, job.spec.with_(aus={"AU12": 2, "AU45": 1}), None, {}, history, (), result.source)
    assert "measured: AU12 " in asked.report()
    assert "cannot read AU45" in asked.report()
    blank = Image.new("RGB", (64, 64))
    unseen = Result(blank, asked.spec, None, {}, history, (), blank)
    assert "not measured: No face was found in the source" in unseen.report()
    assert "measured" not in Result(blank, asked.spec, None, {}, history).report()

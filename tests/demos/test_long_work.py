"""Sweeps and evaluations of a photograph: whole, cancelled, refused."""

import doctest
import json
import shlex
from pathlib import Path

import pytest
from PIL import Image

from faceforge.errors import BadSpec, Cancelled
from faceforge.spec import EditSpec
from faceforge_demos import sheets
from faceforge_demos.copying import as_sweep_command, sheet_name
from faceforge_demos.reports import evaluate, plan_of
from faceforge_demos.session import Session
from faceforge_demos.sheets import Wanted, sheet_path, sweep
from tests.cli.running import run


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session()
    session.open_sample()
    return session


def test_examples_in_the_documentation_hold() -> None:
    done = doctest.testmod(sheets)
    assert (done.attempted > 0, done.failed) == (True, 0)


def test_a_sheet_is_the_same_file_out_of_a_command(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Wanted.of(["AU12", "AU4"], "0,2", 96, EditSpec(aus={"AU12": 3.0, "AU1": 1.0}))
    assert wanted.held == EditSpec(aus={"AU1": 1.0})  # what is varied is not held
    said = [progress for _, progress in sweep(session, wanted)]
    assert [each.split(",")[0] for each in said] == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]
    command = as_sweep_command(wanted.held, session.source, "warp", wanted.grid.units, wanted.values)
    monkeypatch.chdir(tmp_path)
    ran = run(*shlex.split(command)[1:], "--cell", "96")
    assert ran.code == 0, ran.err
    assert (tmp_path / sheet_name(session.source)).read_bytes() == sheet_path(session).read_bytes()


def test_a_cancelled_sweep_keeps_what_it_drew(session: Session) -> None:
    steps = sweep(session, Wanted.of(["AU12"], "0:4:1", 96, EditSpec()))
    sheet, _ = next(steps)
    session.stop_long.set()
    with pytest.raises(Cancelled):
        next(steps)
    assert isinstance(sheet, Image.Image)


@pytest.mark.parametrize(
    ("units", "values", "said"),
    [
        ([], "0:1:1", "at least one"),
        (["AU12"], "zero", "'zero' is not a number"),
        (["AU12"], "0:1:0", "gives no value"),
        (["AU12", "AU4", "AU1", "AU2"], "0:5:0.1", "would be 204 pictures"),
        (["AU99"], "0,1", "not an action unit"),
    ],
)
def test_impossible_sheets_are_refused(units: list[str], values: str, said: str) -> None:
    with pytest.raises(BadSpec, match=said):
        Wanted.of(units, values, 96, EditSpec())


def test_an_evaluation_that_was_cancelled_goes_on_where_it_stopped(session: Session) -> None:
    plan, heard = plan_of(["AU12"], "2"), list[int]()

    def after_one(done: int, total: int, said: str) -> None:
        heard.append(done)
        assert total == 2
        if done == 1 and len(heard) < 3:
            session.stop_long.set()

    with pytest.raises(Cancelled, match="after edit 1 of 2"):
        evaluate(session, plan, after_one)
    path = evaluate(session, plan, after_one)
    assert heard == [0, 1, 1, 2]
    html = path.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "AU12" in html
    seen = [json.loads(line) for line in (path.parent / "observed.jsonl").read_text().splitlines()[1:]]
    assert [each["requested"] for each in seen] == [{}, {"AU12": 2.0}]
    assert seen[1]["detected"]["intensity"]["AU12"] > 1.0


def test_an_evaluation_has_limits() -> None:
    with pytest.raises(BadSpec, match="at least one"):
        plan_of([], "1")
    with pytest.raises(BadSpec, match="would be 241 edits"):
        plan_of([f"AU{number}" for number in (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)], "0.25:5:0.25")

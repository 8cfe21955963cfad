"""`faceforge augment`: plans from the command line."""

import json
from pathlib import Path

import pytest
from PIL import Image

from faceforge.augmentation.plan import Plan
from faceforge.io.provenance import read_provenance
from tests.augmentation.conftest import roller  # noqa: F401  (the editor that costs nothing)
from tests.augmentation.sources import noise
from tests.cli.running import run

pytestmark = pytest.mark.usefixtures("roller")


@pytest.fixture
def plan(here: Path) -> Path:
    """A plan beside three pictures, one of which is none."""
    (noise(here / "in", 3) / "n02.png").write_bytes(b"torn")
    told = {
        "input": {"folder": "in"},
        "output": {"folder": "out"},
        "variants": 2,
        "edit": {"aus": {"AU12": {"uniform": [1, 3]}}},
        "targets": {"pose": {"left": {"share": 1, "edit": {"yaw_deg": -9}}, "right": {"share": 1}}},
        "gates": {"measure": False},
    }
    path = here / "plan.json"
    path.write_text(json.dumps(told))
    return path


def test_it_writes_what_the_plan_says_and_goes_on(plan: Path) -> None:
    first = run("augment", plan)
    assert first.out.splitlines()[0].endswith("out")
    assert "4 pictures from 3 sources" in first.out
    assert "1 sources in quarantine; 4 of the pictures are new" in first.out
    assert "quarantined.jsonl" in first.err
    assert "0 of the pictures are new" in run("augment", "run", plan).out


def test_a_dry_run_counts_and_writes_nothing(plan: Path) -> None:
    ran = run("augment", plan, "--dry-run", "--workers", "2")
    assert "3 sources, 6 variants in 1 blocks" in ran.out
    assert "pose: left 3, right 3" in ran.out
    assert "on 2 processes" in ran.out
    assert not plan.with_name("out").exists()


def test_a_preview_is_a_sheet_that_says_what_it_is(plan: Path) -> None:
    ran = run("augment", "preview", plan, "-o", "sheet.png", "--cell", "32", "--sources", "2")
    assert "6 pictures from 2 sources" in ran.out
    assert Image.open("sheet.png").width > 3 * 32
    assert read_provenance("sheet.png")["label"] == "AI-edited"


def test_statistics_tell_and_draw_what_was_reached(plan: Path) -> None:
    run("augment", plan)
    ran = run("augment", "stats", "out")
    rows = [json.loads(line) for line in Path("out/images/000000/metadata.jsonl").read_text().splitlines()]
    left = sum(row["targets"]["pose"] == "left" for row in rows) / 4
    assert f"pose: left {left:.1%} (wanted 50.0%)" in ran.out
    page = Path("out/stats.html").read_text()
    assert "<h2>pose</h2>" in page
    assert "http" not in page
    assert "4 pictures" in run("augment", plan).out  # the page is in nobody's way


def test_the_example_is_printed_and_written_once(here: Path) -> None:
    printed = run("augment", "init").out
    run("augment", "init", "plan.yaml")
    assert (here / "plan.yaml").read_text() == printed
    assert Plan.read("plan.yaml").variants == 8
    assert "is there already" in run("augment", "init", "plan.yaml").refusal


def test_the_schema_is_json() -> None:
    schema = json.loads(run("augment", "--print-schema").out)
    assert {"input", "edit", "targets", "gates"} <= schema["properties"].keys()


@pytest.mark.parametrize(
    "arguments",
    [
        ("augment", "nowhere.yaml"),
        ("augment", "run"),
        ("augment", "stats", "in"),
        ("augment", "preview", "plan.json", "-o", "sheet.txt"),
        ("augment", "plan.json", "--device", "abacus", "--workers", "0"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_one_line(plan: Path, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).refusal
